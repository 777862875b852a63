from __future__ import annotations

from typing import Any

import pytest

from adapters.kubernetes.servers import read_server
from service.model.base import Reason

MODEL = "meta-llama/Llama-3.1-8B"


def model_of(*arguments: str, image: str = "example.com/it", **more: Any) -> dict[str, Any] | None:
    server = read_server([{"name": "a"}, {"image": image, "command": list(arguments), **more}])
    return server.model if server else None


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["vllm", "serve", MODEL]},
        {"command": ["/opt/bin/vllm"], "args": ["serve", MODEL]},
        {"image": "vllm/vllm-openai:v1", "args": ["--model", MODEL]},
        {"image": "vllm/vllm-openai:v1", "args": [f"--model={MODEL}", "--port", 8000]},
        {"command": ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", MODEL]},
        {"command": ["python3", "-m", "vllm.entrypoints.api_server"], "args": ["--model", MODEL]},
        {"command": ["sh", "-c"], "args": [f"exec vllm serve {MODEL} --port 8000"]},
        {"command": ["sh", "-c", f"cd /a && vllm serve '{MODEL}' & wait"]},
        {"command": ["sh", "-c", f"vllm serve {MODEL}; echo --model other"]},
        {"command": ["bash", "-exc", f"set -x\nvllm serve \\\n  {MODEL} \\\n --port 1\n"]},
        {"command": ["sh", "-c", f"vllm serve {MODEL} --x 'open\nquote'"]},
        {"command": ["python3", "-m", "sglang.launch_server", "--model-path", MODEL]},
        {"command": ["sglang", "serve", "--model-path", MODEL]},
        {"command": ["vllm", "serve", "$(MODEL)"], "env": [{"name": "MODEL", "value": MODEL}]},
        {
            "command": ["sh", "-c", 'vllm serve "${A}/$B"'],
            "env": [
                {"name": "A", "value": "meta-llama"},
                {"name": "B", "value": "Llama-3.1-8B"},
            ],
        },
    ],
)
def test_a_server_is_recognised_however_it_is_started(container: dict[str, Any]) -> None:
    server = read_server([container])

    assert server is not None
    assert server.model == {"id": MODEL}
    assert server.unknown == {}


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"command": ["sleep", "infinity"], "image": "example.com/vllm:1"},
        {"image": "example.com/vllm:1"},
        {"command": ["python3", "-m", "sglang_router.launch_router", "--model-path", MODEL]},
        {"command": ["my-vllm", "serve", MODEL]},
        {"command": ["torchrun", "train.py"], "args": ["--model", MODEL]},
    ],
)
def test_what_is_no_server_says_nothing(container: dict[str, Any]) -> None:
    assert read_server([container]) is None


def test_flags_of_vllm_are_read() -> None:
    found = model_of(
        *("vllm", "serve", MODEL, "-tp", "4", "-pp=2", "--data_parallel_size", "3"),
        *("--max-model-len", "32k", "--gpu-memory-utilization=0.955", "--dtype", "bfloat16"),
        *("--kv-cache-dtype", "fp8_e5m2", "--max-num-seqs", "128", "--enable-lora"),
    )

    assert found == {
        "id": MODEL,
        "tensor_parallel": 4,
        "pipeline_parallel": 2,
        "data_parallel": 3,
        "context_tokens": 32_000,
        "memory_percent": 95,
        "precision": "bfloat16",
        "kv_precision": "fp8_e5m2",
        "concurrency": 128,
    }


def test_flags_of_sglang_are_read() -> None:
    found = model_of(
        *("python", "-m", "sglang.launch_server", "--model-path", MODEL, "--tp", "2", "--ep=8"),
        *("--context-length", "8192", "--mem-fraction-static", ".8", "--quantization", "fp8"),
        *("--max-running-requests", "64"),
    )

    assert found == {
        "id": MODEL,
        "tensor_parallel": 2,
        "expert_parallel": 8,
        "context_tokens": 8192,
        "memory_percent": 80,
        "precision": "fp8",
        "concurrency": 64,
    }


@pytest.mark.parametrize(
    ("stated", "tokens"),
    [("32768", 32768), ("32k", 32000), ("32K", 32768), ("25.6k", 25600), ("1M", 1 << 20)],
)
def test_lengths_are_written_in_several_ways(stated: str, tokens: int) -> None:
    assert model_of("vllm", "serve", MODEL, "--max-model-len", stated) == {
        "id": MODEL,
        "context_tokens": tokens,
    }


@pytest.mark.parametrize("stated", ["auto", "-1", ""])
def test_what_is_left_to_the_server_is_not_declared(stated: str) -> None:
    assert model_of("vllm", "serve", MODEL, f"--max-model-len={stated}") == {"id": MODEL}


def test_quantised_weights_are_what_matters_beside_the_type_of_activations() -> None:
    found = model_of("vllm", "serve", MODEL, "--dtype", "half", "--quantization", "awq")

    assert found == {"id": MODEL, "precision": "awq"}


@pytest.mark.parametrize(
    ("arguments", "more", "unknown"),
    [
        (["serve", "$MODEL"], {}, {"/model/id": Reason.UNDECLARED}),
        (
            ["serve", "$MODEL"],
            {"env": [{"name": "MODEL", "valueFrom": {"configMapKeyRef": {}}}]},
            {"/model/id": Reason.ELSEWHERE},
        ),
        (["serve", "$(MODEL)"], {"envFrom": [{}]}, {"/model/id": Reason.ELSEWHERE}),
        (["serve", "$$$"], {}, {"/model/id": Reason.UNDECLARED}),
        (
            ["serve", "m", "--max-model-len", "many"],
            {},
            {"/model/context_tokens": Reason.UNDECLARED},
        ),
        (
            ["serve", "m", "--gpu-memory-utilization", "1.5"],
            {},
            {"/model/memory_percent": Reason.UNDECLARED},
        ),
        (["serve", "m", "-tp", "9" * 400], {}, {"/model/tensor_parallel": Reason.UNDECLARED}),
        (["serve", "m", "-tp", "1e999999"], {}, {"/model/tensor_parallel": Reason.UNDECLARED}),
        (["serve", "$" + "A" * 2000], {}, {"/model/id": Reason.UNDECLARED}),
        (["serve", "--config", "a.yaml"], {}, {"/model/id": Reason.ELSEWHERE}),
    ],
)
def test_what_is_stated_elsewhere_is_unknown_and_not_absent(
    arguments: list[str], more: dict[str, Any], unknown: dict[str, Reason]
) -> None:
    server = read_server([{"command": ["vllm", *arguments], **more}])

    assert server is not None
    assert server.unknown == unknown


def test_variables_cannot_blow_a_value_up() -> None:
    long = [{"name": "A", "value": "a" * 1000}]

    server = read_server([{"command": ["vllm", "serve", "$A" * 500], "env": long}])

    assert server is not None
    assert server.unknown == {"/model/id": Reason.UNDECLARED}


def test_secrets_in_arguments_are_replaced() -> None:
    found = model_of("vllm", "serve", "https://me:canary@example.com/m", "--api-key", "canary")

    assert found is not None
    assert "canary" not in str(found)
