"""What has to be done next so that API servers always trust the certificate that they are shown.

The order, of which no step is taken before the one above it is known to have come about:

1. A new authority is made and kept. Its key takes the place of the old one's, which is gone.
2. API servers are told to trust both, the old one and the new one.
3. After a while, in which each of them has taken that up, a certificate of the new one is issued.
4. When the last certificate of the old one has ended, no process can show one any more, whatever
   became of its reloading: then API servers are told to trust the new one alone.

A certificate is renewed when a third of its time is left, and so is the authority, whose third is
longer than a certificate lasts. What is found decides, never what was done last: so whoever is
killed at any point is followed by somebody who goes on there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509

from service.certificates.making import (
    Leaf,
    certificates_in,
    fits,
    names_permitted,
    pem_of,
)
from service.errors import SettingsRefused
from service.model.base import Value


class Terms(NamedTuple):
    """How long things last, and whom they are for.

    Attributes:
        names: DNS names and IP addresses of the service.
        authority: How long an authority lasts.
        certificate: How long a certificate lasts.
        settle: How long API servers may take to learn whom to trust.
    """

    names: tuple[str, ...]
    authority: timedelta = timedelta(days=730)
    certificate: timedelta = timedelta(days=30)
    settle: timedelta = timedelta(minutes=10)

    def check(self) -> None:
        """Refuse terms under which the order could not be kept.

        Raises:
            SettingsRefused: A certificate could outlast what follows it.
        """
        if self.certificate * 3 > self.authority:
            raise SettingsRefused(
                f"an authority of {self.authority.days} days is too short for certificates of "
                f"{self.certificate.days} days",
                hint="An authority has to last three times as long.",
            )
        if self.settle * 3 > self.certificate:
            raise SettingsRefused(
                "the time that API servers are given is more than a third of a certificate's"
            )


class Authority(Value):
    """An authority that API servers trust, or are to trust.

    ``certificate`` is PEM. ``published_at`` is when API servers had first been told of it;
    ``needed_until`` when the last certificate ends that it signed, known once another one signs.
    """

    certificate: str
    published_at: datetime | None = None
    needed_until: datetime | None = None

    @property
    def x509(self) -> x509.Certificate:
        """The certificate.

        Raises:
            ValueError: It is none.
        """
        return x509.load_pem_x509_certificate(self.certificate.encode())


class Book(Value):
    """The authorities, the newest first, and the key of that one (PEM)."""

    authorities: tuple[Authority, ...]
    key: str

    @property
    def bundle(self) -> bytes:
        """The certificates of all of them, as API servers are told."""
        return "".join(each.certificate for each in self.authorities).encode()


class Held(NamedTuple):
    """What is found.

    Attributes:
        book: The authorities, if there are any.
        leaf: The certificate of the service, if there is one with its key.
        trusted: Whom API servers are told to trust, for each webhook (PEM).
    """

    book: Book | None
    leaf: Leaf | None
    trusted: tuple[bytes, ...]


class MakeAuthority(NamedTuple):
    """Make a new authority, beside those that are trusted now."""

    older: tuple[Authority, ...]


class Publish(NamedTuple):
    """Tell API servers to trust the authorities of *book*, no others."""

    book: Book


class Issue(NamedTuple):
    """Issue a certificate by the newest authority of *book*, which is kept before that."""

    book: Book


class Retire(NamedTuple):
    """Keep *book*, in which authorities that nobody needs any more are gone."""

    book: Book


class Rest(NamedTuple):
    """Nothing is to be done before *until*; *why* says what then is."""

    until: datetime
    why: str


Step = MakeAuthority | Publish | Issue | Retire | Rest


def next_step(held: Held, terms: Terms, now: datetime) -> Step:
    """What is to be done about *held*."""
    book, leaf = held.book, held.leaf
    if book is None or not _is_usable(book):
        return MakeAuthority(_found(held))
    if not _may_sign(book.authorities[0].x509, terms, now):
        return MakeAuthority(book.authorities)
    if leaf is None or leaf.ends <= now:
        # There is nothing that API servers could go on trusting in the meantime.
        return Issue(_replaced(book, leaf, now))
    published = book.authorities[0].published_at
    if published is None or not _is_told(held.trusted, book):
        return Publish(book)
    if not leaf.is_by(book.authorities[0].x509):
        # While the old certificate works there is time for every API server to learn of the new CA.
        until = min(published + terms.settle, leaf.ends)
        rest = Rest(until, "API servers learn to trust the new authority")
        return rest if now < until else Issue(_replaced(book, leaf, now))
    return _kept_up(book, leaf, terms, now)


def _kept_up(book: Book, leaf: Leaf, terms: Terms, now: datetime) -> Step:
    """What is to be done where *leaf* is the newest authority's, and everybody trusts that."""
    newest, *older = book.authorities
    if _is_due(leaf.begins, leaf.ends, now) or leaf.names != set(terms.names):
        return Issue(book)
    needed = [each for each in older if (each.needed_until or now) > now]
    if len(needed) < len(older):
        return Retire(book.model_copy(update={"authorities": (newest, *needed)}))
    begins, ends = newest.x509.not_valid_before_utc, newest.x509.not_valid_after_utc
    times = [
        (_due(leaf.begins, leaf.ends), "the certificate is renewed"),
        (_due(begins, ends), "the authority is renewed"),
        *((each.needed_until or now, "an old authority goes") for each in needed),
    ]
    return Rest(*min(times))


def retired(held: Held) -> Retire | None:
    """What takes out every older authority now, for one whose key somebody else has."""
    book, leaf = held.book, held.leaf
    if book is None or leaf is None or len(book.authorities) == 1:
        return None
    newest = book.authorities[0]
    if not leaf.is_by(newest.x509):
        return None
    return Retire(book.model_copy(update={"authorities": (newest,)}))


def told(book: Book, leaf: Leaf | None, now: datetime) -> Book:
    """*book* once API servers have been told of it *now*.

    As long as *leaf* is another authority's, the time that they have begins anew: one of them may
    have been told something else in between.
    """
    newest, *older = book.authorities
    if newest.published_at is None or leaf is None or not leaf.is_by(newest.x509):
        newest = newest.model_copy(update={"published_at": now})
    return book.model_copy(update={"authorities": (newest, *older)})


def with_newest(authority: bytes, key: bytes, older: Sequence[Authority]) -> Book:
    """The book in which a new authority comes before *older* ones."""
    made = Authority(certificate=authority.decode())
    return Book(authorities=(made, *older), key=key.decode())


def _is_usable(book: Book) -> bool:
    try:
        return bool(book.authorities) and fits(book.authorities[0].x509, book.key.encode())
    except ValueError:
        return False


def _found(held: Held) -> tuple[Authority, ...]:
    """What API servers trust that we did not make: it stays while its certificate may be shown."""
    found = dict.fromkeys(each for bundle in held.trusted for each in certificates_in(bundle))
    return tuple(Authority(certificate=pem_of(each).decode()) for each in found)


def _may_sign(authority: x509.Certificate, terms: Terms, now: datetime) -> bool:
    begins, ends = authority.not_valid_before_utc, authority.not_valid_after_utc
    return not _is_due(begins, ends, now) and names_permitted(authority) == set(terms.names)


def _due(begins: datetime, ends: datetime) -> datetime:
    """When a third of the time is left."""
    return ends - (ends - begins) / 3


def _is_due(begins: datetime, ends: datetime, now: datetime) -> bool:
    return now >= _due(begins, ends)


def _is_told(trusted: Sequence[bytes], book: Book) -> bool:
    """Whether every webhook has exactly the authorities of *book*."""
    wanted = set(certificates_in(book.bundle))
    return all(set(certificates_in(each)) == wanted for each in trusted)


def _replaced(book: Book, leaf: Leaf | None, now: datetime) -> Book:
    """*book* when *leaf* is the last certificate of the older authorities."""
    newest, *older = book.authorities
    until = now if leaf is None else leaf.ends
    kept = (
        each if each.needed_until else each.model_copy(update={"needed_until": until})
        for each in older
    )
    return book.model_copy(update={"authorities": (newest, *kept)})
