"""The command line ``portreeve``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from service.commands import (
    audit,
    bundle,
    catalog,
    check,
    explain,
    init,
    kubernetes,
    scan,
    serve,
    waiver,
)
from service.errors import GovernanceError
from service.pipeline import VERSION

COULD_NOT_DECIDE = 2


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="portreeve",
        description="Policy-as-code governance for AI infrastructure: decide, and keep the book.",
    )
    top.add_argument("--version", action="version", version=f"portreeve {VERSION}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in (init, serve, check, explain, bundle, catalog, waiver, audit, kubernetes, scan):
        module.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except GovernanceError as error:
        print(f"portreeve: {error.code}: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        return COULD_NOT_DECIDE
    except BrokenPipeError:
        # The reader of our output, such as `head`, has seen enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
