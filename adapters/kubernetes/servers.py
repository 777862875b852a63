"""What the command lines of vLLM and SGLang say about the model that they serve.

Flags as in the "Engine Arguments" page of vLLM and the "Server Arguments" page of SGLang. A command
line may stand in ``command`` and ``args``, or inside the one string that a shell is given. A value
that only the running container knows (``$MODEL_ID``) is looked up in the container's environment;
what is not found there is recorded as not known.
"""

from __future__ import annotations

import re
import shlex
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from adapters.kubernetes.payload import objects, text
from adapters.kubernetes.pods import words
from service.model.base import LARGEST_EXACT, Reason
from service.model.sensitive import redact_text

_LONGEST_LINE = 4096
_LONGEST_VALUE = 1024

_VLLM = {
    "model": "id",
    "tensor-parallel-size": "tensor_parallel",
    "tp": "tensor_parallel",
    "pipeline-parallel-size": "pipeline_parallel",
    "pp": "pipeline_parallel",
    "data-parallel-size": "data_parallel",
    "dp": "data_parallel",
    "max-model-len": "context_tokens",
    "gpu-memory-utilization": "memory_percent",
    "dtype": "dtype",
    "quantization": "quantization",
    "q": "quantization",
    "kv-cache-dtype": "kv_precision",
    "max-num-seqs": "concurrency",
}
_SGLANG = {
    "model-path": "id",
    "model": "id",
    "tensor-parallel-size": "tensor_parallel",
    "tp-size": "tensor_parallel",
    "tp": "tensor_parallel",
    "pipeline-parallel-size": "pipeline_parallel",
    "pp-size": "pipeline_parallel",
    "pp": "pipeline_parallel",
    "data-parallel-size": "data_parallel",
    "dp-size": "data_parallel",
    "dp": "data_parallel",
    "expert-parallel-size": "expert_parallel",
    "ep-size": "expert_parallel",
    "ep": "expert_parallel",
    "context-length": "context_tokens",
    "mem-fraction-static": "memory_percent",
    "dtype": "dtype",
    "quantization": "quantization",
    "kv-cache-dtype": "kv_precision",
    "max-running-requests": "concurrency",
}
_TEXTS = frozenset({"id", "dtype", "quantization", "kv_precision"})
_UNSAID = frozenset({"", "auto", "none", "-1"})
_MULTIPLES = {"k": 10**3, "m": 10**6, "g": 10**9, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

# Where a command line begins; what stands before it belongs to other programs.
_BEGINS = re.compile(
    r"(?<![\w.-])(?:vllm|sglang)\s+serve\s|\bvllm\.entrypoints\.(?:openai\.)?api_server\b"
    r"|\bsglang\.launch_server\b"
)
_VARIABLE = re.compile(r"\$(?:\((\w+)\)|\{(\w+)\}|(\w+))")
_END_OF_COMMAND = frozenset({";", "&&", "||", "|", "&"})


class Server(NamedTuple):
    """A model server: its name, what it says of the model, and what it says that is not known."""

    name: str
    model: dict[str, Any]
    unknown: dict[str, Reason]


def read_server(containers: list[dict[str, Any]]) -> Server | None:
    """The first model server among *containers*.

    Raises:
        RequestRefused: A command, its arguments or the environment have a wrong type.
    """
    for container in containers:
        image = text(container, "image") or ""
        parts = words(container)
        line = " ".join(parts)
        if not ("vllm" in line or "sglang" in line or "vllm" in image):
            continue
        found = _arguments(parts, line, "" if container.get("command") else image)
        if found is not None:
            return _read(*found, container)
    return None


def _arguments(parts: list[str], line: str, entry_image: str) -> tuple[str, list[str]] | None:
    """The server's name and the words after it; *entry_image* runs its own program."""
    begin = _BEGINS.search(line + " ")
    if begin is None:
        # The image vllm/vllm-openai starts the server itself and is given its arguments only.
        plain = "vllm" in entry_image and bool(parts) and parts[0].startswith("-")
        return ("vllm", parts) if plain else None
    name = "sglang" if "sglang" in begin.group() else "vllm"
    rest = line[begin.end() :]
    for index, part in enumerate(parts):
        if " " in part.strip() and _BEGINS.search(part + " "):
            return name, _words_of_shell(rest)
        if _BEGINS.search(" ".join(parts[max(0, index - 1) : index + 1]) + " "):
            return name, parts[index + 1 :]
    return name, _words_of_shell(rest)


def _words_of_shell(script: str) -> list[str]:
    """The words of the command that *script* begins with, as a shell would split them."""
    line = script[:_LONGEST_LINE].replace("\\\r\n", " ").replace("\\\n", " ").partition("\n")[0]
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        lexer.commenters = ""
        found = list(lexer)
    except ValueError:  # a quotation that is closed on another line
        found = line.split()
    for index, word in enumerate(found):
        if word in _END_OF_COMMAND:
            return found[:index]
    return found


def _read(name: str, arguments: list[str], container: dict[str, Any]) -> Server:
    flags = _SGLANG if name == "sglang" else _VLLM
    stated: dict[str, str] = {}
    if name == "vllm" and arguments and not arguments[0].startswith("-"):
        stated["id"] = arguments[0]
    for index, word in enumerate(arguments):
        if not word.startswith("-"):
            continue
        flag, equals, value = word.partition("=")
        field = flags.get(flag.lstrip("-").replace("_", "-"))
        if field is None:
            continue
        if not equals:
            value = arguments[index + 1] if index + 1 < len(arguments) else ""
        stated[field] = value
    server = Server(name, {}, {})
    if "id" not in stated and any(word.startswith("--config") for word in arguments):
        server.unknown["/model/id"] = Reason.ELSEWHERE
    for field, value in stated.items():
        _put(server, field, value, container)
    quantization, dtype = server.model.pop("quantization", None), server.model.pop("dtype", None)
    if quantization or dtype:
        server.model["precision"] = quantization or dtype
    return server


def _put(server: Server, field: str, value: str, container: dict[str, Any]) -> None:
    """Write *value* into *server*, or why it is not known."""
    pointer = "/model/precision" if field in {"dtype", "quantization"} else f"/model/{field}"
    if "$" in value:
        expanded = _expanded(value, container)
        if isinstance(expanded, Reason):
            server.unknown[pointer] = expanded
            return
        value = expanded
    if field in _TEXTS:
        if field == "id" or value.lower() not in _UNSAID:
            server.model[field] = redact_text(value)
        return
    if value.lower() in _UNSAID:
        return
    number = _percent(value) if field == "memory_percent" else _number(value)
    if number is None:
        server.unknown[pointer] = Reason.UNDECLARED
    else:
        server.model[field] = number


def _expanded(value: str, container: dict[str, Any]) -> str | Reason:
    """*value* with variables of the container's environment, or why they are not known."""
    if len(value) > _LONGEST_VALUE:
        return Reason.UNDECLARED
    environment = {text(item, "name"): item for item in objects(container, "env")}
    for match in _VARIABLE.finditer(value):
        entry = environment.get(match[1] or match[2] or match[3])
        if entry is None:
            return Reason.ELSEWHERE if container.get("envFrom") else Reason.UNDECLARED
        if entry.get("valueFrom") is not None:
            return Reason.ELSEWHERE
        value = value.replace(match.group(), text(entry, "value") or "")
        if len(value) > _LONGEST_VALUE:
            return Reason.UNDECLARED
    return Reason.UNDECLARED if "$" in value else value


def _number(value: str) -> int | None:
    """A count as vLLM writes it: ``32768``, ``32k`` (thousands), ``32K`` (1024), ``25.6k``."""
    factor = _MULTIPLES.get(value[-1:], 1)
    digits = value if factor == 1 else value[:-1]
    number = _decimal(digits)
    if number is None:
        return None
    whole = number * factor
    return int(whole) if whole == int(whole) and whole <= LARGEST_EXACT else None


def _percent(value: str) -> int | None:
    """A share such as ``0.95`` in percent, rounded down."""
    share = _decimal(value)
    return int(share * 100) if share is not None and share <= 1 else None


def _decimal(value: str) -> Decimal | None:
    if len(value) > 24 or not value.isascii():
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 and number.adjusted() < 20 else None
