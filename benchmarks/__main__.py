"""Every comparison, one after the other; name one to run it alone: ``python -m benchmarks log``.

``steady`` takes minutes, so it runs only where it is named: ``python -m benchmarks steady``.
"""

from __future__ import annotations

import sys

from benchmarks import apiserver, engine, log, steady, webhook

_ALL = {"webhook": webhook.run, "apiserver": apiserver.run, "engine": engine.run, "log": log.main}


def main() -> None:
    """Run what was named, or all."""
    if sys.argv[1:2] == ["steady"]:
        steady.main(sys.argv[2:])
        return
    for name in sys.argv[1:] or _ALL:
        _ALL[name]()


if __name__ == "__main__":
    main()
