"""``portreeve init``: the beginning of an organisation's own bundle."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from service.bundle.skeleton import Places, clusters_of, start


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "init",
        help="begin a bundle of your own",
        description="Write the bundle of an organisation into a new folder: what it is called, "
        "which places it has, and comments that say what else can be stated. It extends the "
        "default bundle and only warns, until you say otherwise.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a folder that is not there yet")
    parser.add_argument("--name", help="what decisions call the bundle (default: the folder's)")
    parser.add_argument("--organisation", help="what answers call you (default: the bundle's name)")
    parser.add_argument(
        "--kubeconfig", type=Path, help="take the names of clusters from the contexts of this file"
    )
    parser.add_argument(
        "--cluster", action="append", default=[], metavar="NAME", help="a Kubernetes cluster"
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="VENDOR:ID",
        help="an account, subscription or project, such as aws:123456789012",
    )
    parser.add_argument(
        "--workspace", action="append", default=[], metavar="NAME", help="a Terraform workspace"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Write the bundle, build it, and say what comes next."""
    folder: Path = given.folder
    name = given.name or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    found = clusters_of(given.kubeconfig) if given.kubeconfig else ()
    places = Places(
        clusters=tuple(dict.fromkeys((*found, *given.cluster))),
        accounts=tuple(dict.fromkeys(given.account)),
        workspaces=tuple(dict.fromkeys(given.workspace)),
    )
    bundle = start(folder, name=name, organisation=given.organisation or name, places=places)
    known = len(places.clusters) + len(places.accounts) + len(places.workspaces)
    print(
        f"{folder}: bundle {bundle.ref.name} builds, with {len(bundle.rulebook)} rules, posture "
        f"{bundle.org.posture.value} and {known} places"
    )
    print(f"  next: say whose the places are in {folder / 'org' / 'scopes.yaml'}, then")
    print(f"  portreeve check --bundle {folder} PLAN.json")
    return 0
