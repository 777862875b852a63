"""Does what rotation asks for, step by step, against where keys are kept and API servers look."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from service.certificates.making import Pair, issue, new_authority, read_leaf
from service.certificates.rotation import (
    Book,
    Held,
    Issue,
    MakeAuthority,
    Publish,
    Rest,
    Retire,
    Terms,
    next_step,
    retired,
    told,
    with_newest,
)
from service.errors import SettingsRefused

_MOST_STEPS = 12


class Kept(NamedTuple):
    """What a store holds; ``None`` where it holds none."""

    book: Book | None
    pair: Pair | None


class Store(Protocol):
    """Where authorities and the certificate of the service are kept.

    What two processes do at the same time is kept apart: by ``alone``, or because nothing is
    written over what changed after it was read.
    """

    def alone(self) -> AbstractContextManager[object]:
        """While nobody else takes steps, as far as that can be had."""

    def read(self) -> Kept:
        """What is kept."""

    def write_book(self, book: Book) -> None:
        """Keep the authorities; whole or not at all."""

    def write_pair(self, pair: Pair) -> None:
        """Keep the certificate that the service shows, with its key."""


class Trust(Protocol):
    """Where API servers are told whom to trust."""

    asks: str
    """What somebody has to do where they cannot be told from here."""

    def read(self) -> tuple[bytes, ...]:
        """What they are told now, for each webhook (PEM)."""

    def write(self, bundle: bytes) -> bool:
        """Tell them, whole or not at all; whether they were told."""


class Keeper:
    """Keeps the certificate of a service valid."""

    def __init__(
        self,
        store: Store,
        trust: Trust,
        terms: Terms,
        *,
        clock: Callable[[], datetime],
        say: Callable[[str], None],
    ) -> None:
        """*say* is told of each step that was taken."""
        self._store = store
        self._trust = trust
        self._terms = terms
        self._clock = clock
        self._say = say

    def advance(self) -> Rest:
        """Take every step that can be taken now; returns until when there is nothing to do.

        Raises:
            GovernanceError: The store or the cluster could not be used. Nothing is broken by that:
                what was not done is done the next time.
        """
        with self._store.alone():
            return self._advance()

    def _advance(self) -> Rest:
        for _ in range(_MOST_STEPS):
            held = self._look()
            step = next_step(held, self._terms, self._clock())
            match step:
                case Rest():
                    return step
                case MakeAuthority():
                    self._make(step)
                case Publish():
                    if not self._publish(step, held):
                        return Rest(self._clock(), self._trust.asks)
                case Issue():
                    self._issue(step)
                case Retire():
                    self._retire(step)
        raise SettingsRefused(
            "the certificates do not come to rest: somebody else changes them at the same time",
            hint="Let one process keep them.",
        )

    def renew_authority(self) -> None:
        """Make a new authority, whether one is due or not; ``advance`` does the rest.

        Raises:
            GovernanceError: As ``advance``.
        """
        with self._store.alone():
            book = self._look().book
            self._make(MakeAuthority(book.authorities if book else ()))

    def retire(self) -> Rest | None:
        """Trust no authority but the newest any more; then as ``advance``.

        Returns ``None`` where nothing can be taken out: there is no older one, or the certificate
        is still its own.

        Raises:
            GovernanceError: As ``advance``.
        """
        with self._store.alone():
            step = retired(self._look())
            if step is None:
                return None
            self._retire(step)
            return self._advance()

    def _look(self) -> Held:
        kept = self._store.read()
        leaf = None if kept.pair is None else read_leaf(kept.pair)
        return Held(kept.book, leaf, self._trust.read())

    def _make(self, step: MakeAuthority) -> None:
        terms = self._terms
        made = new_authority(terms.names, now=self._clock(), lifetime=terms.authority)
        self._store.write_book(with_newest(made.certificate, made.key, step.older))
        self._say("made a new authority")

    def _publish(self, step: Publish, held: Held) -> bool:
        if not self._trust.write(step.book.bundle):
            return False
        # The time counts from here: a crash before this line has it counted anew.
        self._store.write_book(told(step.book, held.leaf, self._clock()))
        count = len(step.book.authorities)
        self._say(
            f"told API servers to trust {count} {'authority' if count == 1 else 'authorities'}"
        )
        return True

    def _issue(self, step: Issue) -> None:
        terms, book = self._terms, step.book
        signer = Pair(book.authorities[0].certificate.encode(), book.key.encode())
        pair = issue(signer, terms.names, now=self._clock(), lifetime=terms.certificate)
        # What the old one was needed for is lost with it, so that is written down first.
        self._store.write_book(book)
        self._store.write_pair(pair)
        self._say(f"issued a certificate for {', '.join(terms.names)}")

    def _retire(self, step: Retire) -> None:
        self._store.write_book(step.book)
        self._say("took out what no certificate needs any more")
