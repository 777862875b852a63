"""What ``portreeve check`` was given: which files, and what kind of input each one is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from adapters.api.normalise import normalise_request
from adapters.kubernetes.claims import ClaimIndex
from adapters.kubernetes.normalise import normalise_manifests, normalise_review
from adapters.terraform.normalise import normalise_plan
from service.errors import RequestRefused
from service.intake.documents import read_json, read_yaml_documents
from service.model.base import Binding, EnforcementPoint, Scope
from service.model.request import Request

_SUFFIXES = {".json", ".yaml", ".yml"}
_CALLER = "local"


class Kind(StrEnum):
    """The kinds of input that ``--as`` names."""

    MANIFEST = "manifest"
    REVIEW = "review"
    TERRAFORM = "terraform"
    REQUEST = "request"


POINTS = {
    Kind.MANIFEST: EnforcementPoint.KUBERNETES,
    Kind.REVIEW: EnforcementPoint.KUBERNETES,
    Kind.TERRAFORM: EnforcementPoint.TERRAFORM,
    Kind.REQUEST: EnforcementPoint.API,
}


@dataclass(frozen=True)
class Source:
    """One input file and its bytes; ``kind`` is what the user said it is, if anything."""

    name: str
    raw: bytes
    digest: str
    kind: Kind | None = None


def find(paths: list[Path]) -> Iterator[Path]:
    """Every input file that *paths* name; folders are searched for JSON and YAML.

    Raises:
        RequestRefused: A path does not exist, or a folder holds no such file.
    """
    for path in paths:
        if not path.exists():
            raise RequestRefused(
                f"`{path}` does not exist",
                hint="Name a plan, a manifest, or a folder of them.",
                code="SYS-INPUT-MISSING",
            )
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            item for item in path.rglob("*") if item.suffix in _SUFFIXES and item.is_file()
        )
        if not found:
            raise RequestRefused(
                f"folder `{path}` holds no JSON or YAML file",
                hint="Name the files themselves.",
                code="SYS-INPUT-MISSING",
            )
        yield from found


def normalise(
    source: Source, *, scope: Scope, limit: int, beside: ClaimIndex | None = None
) -> Request:
    """The request that *source* holds; what manifests name may stand *beside* them.

    Raises:
        RequestRefused: It cannot be read, or nothing tells what it is.
    """
    documents = documents_of(source, limit)
    kind = source.kind or _detect(documents)
    if kind is Kind.MANIFEST:
        return normalise_manifests(
            documents, scope=scope, caller=_CALLER, key=source.digest, beside=beside
        )
    first: Any = documents[0] if documents else None
    if kind is Kind.TERRAFORM:
        return normalise_plan(first, scope=scope, caller=_CALLER, key=source.digest)
    if kind is Kind.REVIEW:
        review = normalise_review(first, cluster=scope.cluster, caller=_CALLER)
        # Nobody waits for this answer at the API server.
        return review.model_copy(update={"binding": Binding.ADVISORY})
    return normalise_request(first, caller=_CALLER, binding=Binding.ADVISORY, key=source.digest)


def documents_of(source: Source, limit: int) -> list[Any]:
    """The documents in *source*, whatever they are.

    Raises:
        RequestRefused: It is neither JSON nor YAML, or more than may be sent.
    """
    suffix = Path(source.name).suffix
    looks_json = source.raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["}
    is_json = suffix == ".json" or source.kind in {Kind.TERRAFORM, Kind.REQUEST, Kind.REVIEW}
    if is_json or (looks_json and suffix not in {".yaml", ".yml"}):
        document = read_json(source.raw, limit=limit, what=f"`{source.name}`")
        return document if isinstance(document, list) and source.kind is None else [document]
    return read_yaml_documents(source.raw, limit=limit, what=f"`{source.name}`")


def _detect(documents: list[Any]) -> Kind:
    objects = [item for item in documents if isinstance(item, Mapping)]
    if not objects:
        raise RequestRefused(
            "the file holds no object",
            hint="Give a Terraform plan, Kubernetes manifests, an AdmissionReview or a request.",
            code="SYS-INPUT-KIND",
        )
    first = objects[0]
    if first.get("kind") == "AdmissionReview":
        return Kind.REVIEW
    if "apiVersion" in first and "kind" in first:
        return Kind.MANIFEST
    if any(name in first for name in ("resource_changes", "planned_values", "terraform_version")):
        return Kind.TERRAFORM
    if "resources" in first and "schema_version" in first:
        return Kind.REQUEST
    keys = ", ".join(f"`{key}`" for key in list(first)[:5])
    raise RequestRefused(
        f"nothing tells what the file is; its first object has {keys or 'no keys'}",
        hint="Say what it is with --as manifest, review, terraform or request.",
        code="SYS-INPUT-KIND",
    )
