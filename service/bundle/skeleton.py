"""The beginning of an organisation's own bundle: folders, files and comments that say what goes in.

It extends the default bundle and states only what is certain, so that it decides from the first
day as the default one does, and knows the organisation's places.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.bundle.build import build
from service.bundle.reading import read_mapping
from service.bundle.shipped import is_bundle_name
from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.bundle.values import Bundle

_BUNDLE = """\
# What decisions record as the bundle's name, and the edition they were made with: raise it with
# every change.
name: {name}
revision: "1"

# All rules, with the defaults of the shipped bundle. A key that `org/` states replaces it whole.
extends: default

# Rules that are off unless they are named: `portreeve explain CODE` says why.
# enable: []
"""
_ORGANISATION = """\
# Shown where an answer speaks of the organisation.
name: {organisation}

# How far findings may go: observe (only recorded), warn, or enforce. Begin with `warn`, look at
# `portreeve audit query --outcome warn`, then enforce; modes.yaml keeps single codes milder.
posture: warn
"""
_SCOPES = """\
# What is known about a place. For each value the first matching entry that states it wins, so
# narrower places stand first; a pattern may end in *. What is stated here goes before any label.
# An entry may state team, cost_center, project, environment, vendor, region and data_classes.
"""
_SCOPES_EXAMPLE = """\
# scopes:
#   - match: { cluster: prod-eu, namespace: "vision-*" }
#     team: vision
#     environment: production
"""
_LIMITS = """\
# What a team may take; `null` is no limit. Without this file nothing is limited.
# limits:
#   currency: USD
#   accelerators_per_resource: # what one resource may take at once
#     default: 8
#     teams:
#       vision: 64
#   monthly_micros_per_request: # millionths of the currency for 730 hours of what a request adds
#     default: 25000000000 # 25,000 USD
#     teams: {}
"""
_DATA = """\
# Where data of a class may be: in any of the jurisdictions or countries named. Objects state their
# class by `portreeve.dev/data-class`, places by `data_classes` in scopes.yaml.
# data_classes:
#   public: {}
#   personal:
#     jurisdictions: [EU, EEA]
"""
_MODES = """\
# The mode of a code or of a domain, everywhere or in one place. Of the entries whose selectors all
# match the one with the most holds. `portreeve bundle promote` adds entries here.
modes: []
"""
_WAIVERS = """\
# Exceptions to one code, for a time. `portreeve waiver add` adds entries here; have them reviewed.
waivers: []
# How many days ahead a waiver may end.
waiver_days: 90
"""
_PRICES = """\
# What you pay, before any list price; millionths of the currency per hour of one whole instance.
# prices:
#   - vendor: gcp
#     instance_type: a3-highgpu-8g
#     region: europe-west4
#     micros_per_hour: 68500000 # 68.50 USD
#     currency: USD
# What one accelerator is charged with where neither a vendor nor an instance type is known: pods.
# internal_rates:
#   - accelerator: nvidia-l4
#     micros_per_hour: 900000
"""


@dataclass(frozen=True)
class Places:
    """What is known of an organisation's places before it says more.

    Attributes:
        clusters: Names of Kubernetes clusters, as the webhook's address gives them.
        accounts: Accounts with their vendor, such as ``aws:123456789012``.
        workspaces: Terraform workspaces, or patterns that end in ``*``.
    """

    clusters: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()


def clusters_of(kubeconfig: Path) -> tuple[str, ...]:
    """The names of the clusters that the contexts of *kubeconfig* use, in their order.

    Raises:
        BundleRefused: The file cannot be read, or is no kubeconfig.
    """
    content = read_mapping(kubeconfig, what=str(kubeconfig))
    contexts = content.get("contexts")
    if not isinstance(contexts, list):
        raise BundleRefused(
            f"`{kubeconfig}` has no `contexts`, so it is no kubeconfig",
            hint="Give the file that kubectl uses, often `~/.kube/config`.",
        )
    bodies = (item.get("context") for item in contexts if isinstance(item, dict))
    names = (body.get("cluster") for body in bodies if isinstance(body, dict))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def start(folder: Path, *, name: str, organisation: str, places: Places) -> Bundle:
    """Write the bundle *name* into *folder*, which is not there or is empty, and build it.

    The folder appears whole, after the bundle was built from it, or not at all.

    Raises:
        BundleRefused: The folder holds something, the name or a place is malformed, or nothing can
            be written there.
    """
    if not is_bundle_name(name):
        raise BundleRefused(
            f"`{name}` is no name for a bundle: lower-case letters, digits and dashes are expected",
            hint="Name it with --name.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BundleRefused(
            f"`{folder}` is not empty, and nothing in it is to be lost",
            hint="Name a folder that does not exist yet.",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".init-"))
        try:
            _write(partial, dict(_files(name, organisation, places)))
            bundle = build(partial)
            _check_vendors(bundle)
            partial.chmod(0o755)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise BundleRefused(f"`{folder}` cannot be written: {error.strerror}") from error
    return bundle


def _check_vendors(bundle: Bundle) -> None:
    known = bundle.data["catalog"].get("operators", {})
    for scope in bundle.org.scopes:
        if scope.vendor is not None and scope.vendor not in known:
            raise BundleRefused(
                f"the catalog has no vendor `{scope.vendor}`",
                hint=f"It has {', '.join(sorted(known))}.",
            )


def _write(folder: Path, files: dict[str, str]) -> None:
    (folder / "org").mkdir()
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")


def _files(name: str, organisation: str, places: Places) -> Iterator[tuple[str, str]]:
    yield "bundle.yaml", _BUNDLE.format(name=name)
    said = _ORGANISATION.format(organisation=json.dumps(organisation, ensure_ascii=False))
    yield "org/organisation.yaml", said
    yield "org/scopes.yaml", _scopes(places)
    yield "org/limits.yaml", _LIMITS
    yield "org/data.yaml", _DATA
    yield "org/modes.yaml", _MODES
    yield "org/waivers.yaml", _WAIVERS
    yield "org/prices.yaml", _PRICES


def _scopes(places: Places) -> str:
    entries: list[str] = []
    for cluster in places.clusters:
        entries += ["", f"  - match: {{ cluster: {json.dumps(cluster)} }}", *_UNKNOWN, *_WHERE]
    for account in places.accounts:
        vendor, colon, number = account.partition(":")
        if not colon or not number or not is_bundle_name(vendor):
            raise BundleRefused(
                f"the account is `{account}`, and VENDOR:ID is expected",
                hint="Write it as aws:123456789012.",
            )
        entries += ["", f"  - match: {{ account: {json.dumps(account)} }}", f"    vendor: {vendor}"]
        entries += _UNKNOWN
    for workspace in places.workspaces:
        entries += ["", f"  - match: {{ workspace: {json.dumps(workspace)} }}", *_UNKNOWN]
    if not entries:
        return _SCOPES + _SCOPES_EXAMPLE
    return _SCOPES + "scopes:" + "\n".join(entries) + "\n"


_UNKNOWN = ("    # team: ", "    # cost_center: ", "    # environment: production")
_WHERE = ("    # vendor: ", "    # region: ")
