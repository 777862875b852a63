"""The program of the compiler process: parses and compiles a bundle within hard limits.

Run as a file, with nothing of the project imported: it reads the job as JSON on standard input and
writes ``{"trees": {path: tree}}`` or ``{"error": text}`` on standard output. The engine can take
exponential time over nested literals and can panic, so none of this happens in a process that
serves requests.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any


def _limit(which: int, amount: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        amount = min(amount, hard)
    resource.setrlimit(which, (amount, hard))


def _compile(job: dict[str, Any]) -> dict[str, Any]:
    import regorus  # noqa: PLC0415 - only after the limits hold

    engine = regorus.Engine()
    for path, text in job["modules"].items():
        engine.add_policy(path, text)
    trees = {tree["source"]["file"]: tree["ast"] for tree in json.loads(engine.get_ast_as_json())}
    engine.add_data_json(json.dumps(job["data"]))
    engine.set_input_json(json.dumps(job["input"]))
    if job["entry"]:
        engine.eval_rule(job["entry"])
    return {"trees": trees}


def main() -> None:
    """Read the job, work within its limits, write the answer."""
    job = json.load(sys.stdin)
    _limit(resource.RLIMIT_CPU, job["seconds"])
    _limit(resource.RLIMIT_AS, job["memory_mib"] * 1024 * 1024)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        answer = _compile(job)
    except MemoryError:
        answer = {"error": "it needs more memory than it may take"}
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
        answer = {"error": str(error) or type(error).__name__}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
