"""``portreeve kubernetes certificates``: an authority of our own, and what it signs, renewed."""

from __future__ import annotations

import argparse
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.errors import ClusterUnavailable, GovernanceError, SettingsRefused

if TYPE_CHECKING:
    from service.certificates.keeping import Keeper, Store, Trust
    from service.certificates.rotation import Rest, Terms

_LOOK_SECONDS = 15.0
_IN_CLUSTER = "in-cluster"


def add(actions: Any) -> None:
    """Add the command to the parser of ``kubernetes``."""
    parser = actions.add_parser(
        "certificates",
        help="keep an authority and the service's certificate, and renew both in time",
        description="Make an authority and a certificate of the service, tell the API server whom "
        "to trust, and renew both in an order in which no request fails. Does what can be done "
        "now; run it every day, or with --keep. See docs/kubernetes.md.",
    )
    parser.add_argument(
        "--name",
        dest="names",
        action="append",
        default=[],
        metavar="NAME",
        help="DNS name or IP address of the service (default: portreeve.NAMESPACE.svc); may be "
        "repeated",
    )
    parser.add_argument("--namespace", default="portreeve", metavar="NAME")
    parser.add_argument(
        "--folder", type=Path, help="keep keys in this folder, and not in Secrets of the namespace"
    )
    parser.add_argument(
        "--kubeconfig",
        metavar="WHERE",
        help="a kubeconfig, or `in-cluster`: the cluster of the Secrets and webhooks "
        "(default: in-cluster; with --folder none, and you tell the API server)",
    )
    parser.add_argument(
        "--webhooks",
        default="portreeve",
        metavar="NAME",
        help="name of the webhook configurations whose caBundle is written (default: portreeve)",
    )
    parser.add_argument("--certificate-days", type=int, default=30, metavar="DAYS")
    parser.add_argument("--authority-days", type=int, default=730, metavar="DAYS")
    parser.add_argument(
        "--settle",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="how long API servers may take to learn of a new authority (default: 600)",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--keep", action="store_true", help="stay, and do what is due until stopped"
    )
    action.add_argument(
        "--renew-authority", action="store_true", help="begin with a new authority now"
    )
    action.add_argument(
        "--retire-old",
        action="store_true",
        help="trust no older authority any more, once the service shows the newest one's "
        "certificate: for a key that somebody else has",
    )
    action.add_argument(
        "--published",
        action="store_true",
        help="with --folder: every webhook has what is in ca.crt now",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Keep the certificates."""
    keeper = _keeper(given)
    if given.keep:
        return _stay(keeper)
    if given.renew_authority:
        keeper.renew_authority()
    rest: Rest | None = keeper.advance()
    if given.retire_old:
        rest = keeper.retire()
    if rest is None:
        raise SettingsRefused(
            "there is no older authority to take out, or the certificate is still its own",
            hint="Run it again once a certificate of the newest authority is issued.",
        )
    _say(_in_words(rest))
    return 0


def _stay(keeper: Keeper) -> int:
    """Do what is due until told to stop; what fails is tried again."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    last = ""
    while not ended.is_set():
        try:
            said = _in_words(keeper.advance())
        except ClusterUnavailable as error:
            said = f"{error.code}: {error.message}"
        except GovernanceError as error:
            said = f"{error.code}: {error.message}{f' - {error.hint}' if error.hint else ''}"
        if said != last:
            _say(said)
        last = said
        # Not until the next step is due: somebody may put other webhooks into the cluster before.
        ended.wait(_LOOK_SECONDS)
    return 0


def _keeper(given: argparse.Namespace) -> Keeper:
    # The library for certificates takes 8 MiB, which other commands and the service need not have.
    from service.certificates.keeping import Keeper  # noqa: PLC0415

    terms = _terms(given)
    terms.check()
    store, trust = _places(given)
    return Keeper(store, trust, terms, clock=lambda: datetime.now(UTC), say=_say)


def _terms(given: argparse.Namespace) -> Terms:
    from service.certificates.making import is_name  # noqa: PLC0415
    from service.certificates.rotation import Terms  # noqa: PLC0415

    names = [name.lower() for name in given.names] or [f"portreeve.{given.namespace}.svc"]
    for name in names:
        if not is_name(name):
            raise SettingsRefused(f"`{name}` is neither a DNS name nor an IP address")
    for option in ("certificate_days", "authority_days", "settle"):
        if getattr(given, option) < (0 if option == "settle" else 1):
            raise SettingsRefused(f"`--{option.replace('_', '-')}` is too small")
    return Terms(
        tuple(dict.fromkeys(names)),
        authority=timedelta(days=given.authority_days),
        certificate=timedelta(days=given.certificate_days),
        settle=timedelta(seconds=given.settle),
    )


def _places(given: argparse.Namespace) -> tuple[Store, Trust]:
    """Where keys are kept, and where API servers look."""
    from service.certificates.folder import Folder, ToldByHand  # noqa: PLC0415

    if given.folder is not None and given.kubeconfig is None:
        return Folder(given.folder), ToldByHand(given.folder, published=given.published)
    if given.published:
        raise SettingsRefused(
            "`--published` is for a folder without a cluster: here the webhooks are written",
            hint="Leave it out.",
        )
    from service.certificates.cluster import Secrets, Webhooks  # noqa: PLC0415
    from service.cluster.client import Client  # noqa: PLC0415

    client = Client.connect(given.kubeconfig or _IN_CLUSTER)
    trust = Webhooks(client, given.webhooks)
    if given.folder is not None:
        return Folder(given.folder), trust
    return Secrets(client, given.namespace), trust


def _in_words(rest: Rest) -> str:
    if rest.until <= datetime.now(UTC):
        return rest.why
    return f"nothing to do before {rest.until.isoformat(timespec='seconds')}: {rest.why}"


def _say(text: str) -> None:
    print(text, flush=True)
