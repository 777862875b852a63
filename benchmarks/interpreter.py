"""The embedded engine's interpreter without its processes."""

from __future__ import annotations

import json

import regorus

from service.bundle.values import Bundle
from service.evaluate.evaluator import Rules
from service.evaluate.steps import take_apart


def interpreter(bundle: Bundle) -> Rules:
    """The interpreter as an evaluator has it, in this process."""
    steps = take_apart(bundle.modules, bundle.linked)
    engine = regorus.Engine()
    for path, text in steps.modules.items():
        engine.add_policy(path, text)
    engine.add_data_json(json.dumps(dict(bundle.data)))
    return Rules(engine, steps.queries, [0])
