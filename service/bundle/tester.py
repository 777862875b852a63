"""The program of the process that runs the rules' Rego tests on the embedded engine.

Run as a file, with nothing of the project imported: it reads ``{"modules": {path: text},
"tests": [path of a rule]}`` as JSON on standard input and writes ``{"failed": {test: why}}``, or
``{"error": text}`` where nothing could be run. A test may panic or never end, so none of this
happens in a process that does anything else.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any

_LONGEST = 300


def _run(job: dict[str, Any]) -> dict[str, Any]:
    import regorus  # noqa: PLC0415 - only after the limits hold

    engine = regorus.Engine()
    for path, text in job["modules"].items():
        engine.add_policy(path, text)
    failed = {}
    for test in job["tests"]:
        try:
            held = engine.eval_rule(test) is True
            why = "it is not true"
        except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
            held, why = False, " ".join(str(error).partition("Stack backtrace")[0].split())
        if not held:
            failed[test] = why[:_LONGEST]
    return {"failed": failed}


def main() -> None:
    """Read the job, work within its limits, write the answer."""
    job = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (job["seconds"], job["seconds"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where a panic would print
    try:
        answer = _run(job)
    except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
        answer = {"error": " ".join(str(error).split())[:_LONGEST]}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
