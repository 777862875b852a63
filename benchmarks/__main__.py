"""Every comparison, one after the other; name one to run it alone: ``python -m benchmarks log``."""

from __future__ import annotations

import sys

from benchmarks import engine, log, webhook

_ALL = {"webhook": webhook.run, "engine": engine.run, "log": log.main}


def main() -> None:
    """Run what was named, or all."""
    for name in sys.argv[1:] or _ALL:
        _ALL[name]()


if __name__ == "__main__":
    main()
