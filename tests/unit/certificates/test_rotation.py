"""At no time is a certificate shown that an API server does not trust."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from certificates import Authority as Foreign
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, VerificationError
from cryptography.x509.verification import Store as Trusted
from hypothesis import given, settings
from hypothesis import strategies as st

from service.certificates.keeping import Keeper, Kept
from service.certificates.making import (
    Pair,
    certificates_in,
    is_name,
    issue,
    names_of,
    names_permitted,
    new_authority,
    read_leaf,
)
from service.certificates.rotation import Book, Rest, Terms
from service.errors import SettingsRefused

_NAME = "portreeve.portreeve.svc"
_BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TERMS = Terms((_NAME,), authority=90 * _DAY, certificate=30 * _DAY, settle=10 * _MINUTE)


_NOTHING = Kept(None, None)
_SETTLING = "API servers learn to trust the new authority"


class _Killed(Exception):
    """The process that keeps certificates was killed."""


@dataclass
class _World:
    """A cluster whose API server and service learn of changes late, and a process that may end."""

    now: datetime = _BEGIN
    kept: Kept = _NOTHING
    told: tuple[bytes, ...] = (b"",)
    lives: int = -1
    asks: str = "never"
    # What was true, from when on, of the configuration and of the certificate.
    bundles: list[tuple[datetime, bytes]] = field(default_factory=list)
    pairs: list[tuple[datetime, bytes]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def keeper(self, terms: Terms = TERMS) -> Keeper:
        return Keeper(
            _Store(self), _Trust(self), terms, clock=lambda: self.now, say=self.said.append
        )

    def write(self) -> None:
        """One write more; it may be the last."""
        if self.lives == 0:
            raise _Killed
        self.lives -= 1


@dataclass
class _Store:
    world: _World

    def alone(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def read(self) -> Kept:
        return self.world.kept

    def write_book(self, book: Book) -> None:
        self.world.write()
        self.world.kept = self.world.kept._replace(book=book)

    def write_pair(self, pair: Pair) -> None:
        self.world.write()
        self.world.kept = self.world.kept._replace(pair=pair)
        self.world.pairs.append((self.world.now, pair.certificate))


@dataclass
class _Trust:
    world: _World
    asks: str = ""

    def read(self) -> tuple[bytes, ...]:
        return self.world.told

    def write(self, bundle: bytes) -> bool:
        self.world.write()
        self.world.told = (bundle,)
        self.world.bundles.append((self.world.now, bundle))
        return True


def _is_trusted(leaf: bytes, bundle: bytes, moment: datetime) -> bool:
    """Whether a client as strict as the API server accepts *leaf* at *moment*."""
    store = Trusted(certificates_in(bundle))
    verifier = PolicyBuilder().store(store).time(moment).build_server_verifier(x509.DNSName(_NAME))
    try:
        verifier.verify(x509.load_pem_x509_certificate(leaf), [])
    except VerificationError:
        return False
    return True


def _in_effect(
    history: list[tuple[datetime, bytes]], moment: datetime, late: timedelta
) -> Iterator[bytes]:
    """What may be in effect at *moment* for somebody who learns of changes up to *late* later."""
    for index, (begins, value) in enumerate(history):
        replaced = history[index + 1][0] + late if index + 1 < len(history) else None
        if begins <= moment and (replaced is None or moment < replaced):
            yield value


def test_the_first_certificate_is_there_at_once() -> None:
    world = _World()

    rest = world.keeper().advance()

    assert world.said == [
        "made a new authority",
        f"issued a certificate for {_NAME}",
        "told API servers to trust 1 authority",
    ]
    assert world.kept.pair is not None
    assert _is_trusted(world.kept.pair.certificate, world.told[0], world.now)
    assert rest.why == "the certificate is renewed"
    assert 19 * _DAY < rest.until - world.now < 21 * _DAY
    world.keeper().advance()
    assert len(world.said) == 3


def test_a_certificate_is_renewed_by_the_same_authority() -> None:
    world = _World()
    world.now = world.keeper().advance().until
    world.said.clear()

    world.keeper().advance()

    assert world.said == [f"issued a certificate for {_NAME}"]
    assert len(world.bundles) == 1


def test_an_authority_goes_when_the_last_certificate_that_it_signed_has_ended() -> None:
    world = _World()
    world.keeper().advance()
    (old,) = world.told
    first = read_leaf(world.kept.pair or Pair(b"", b""))
    assert first is not None

    world.keeper().renew_authority()
    settling = world.keeper().advance()

    assert settling == Rest(world.now + TERMS.settle, _SETTLING)
    assert set(certificates_in(world.told[0])) > set(certificates_in(old))
    assert len(world.pairs) == 1

    world.now = settling.until
    assert world.keeper().advance().why == "the certificate is renewed"
    assert len(world.pairs) == 2
    assert len(certificates_in(world.told[0])) == 2

    world.now = first.ends
    world.keeper().advance()
    assert len(certificates_in(world.told[0])) == 1
    assert world.told[0] != old


@settings(max_examples=40, deadline=None)
@given(
    killed=st.lists(st.integers(0, 6), max_size=8),
    pauses=st.lists(
        st.sampled_from([_MINUTE, 9 * _MINUTE, 2 * _HOUR, _DAY, 4 * _DAY]), min_size=20, max_size=60
    ),
    forced=st.sets(st.integers(0, 30), max_size=3),
    reset=st.sets(st.integers(0, 30), max_size=2),
)
def test_what_may_be_shown_is_always_trusted(
    killed: list[int], pauses: list[timedelta], forced: set[int], reset: set[int]
) -> None:
    """However late both ends learn, wherever the process is killed, and whenever it runs again."""
    world = _World()
    world.keeper().advance()
    for number, pause in enumerate(pauses):
        world.now += pause
        world.lives = killed[number] if number < len(killed) else -1
        with contextlib.suppress(_Killed):
            if number in forced:
                world.keeper().renew_authority()
            world.keeper().advance()
        world.lives = -1
        if number in reset:
            # Somebody applies an older configuration: that is mended, and breaks nothing after it.
            world.told = (b"",)
            world.keeper().advance()
        # A service may miss a reload for as long as its certificate lasts.
        for leaf in _in_effect(world.pairs, world.now, 365 * _DAY):
            if x509.load_pem_x509_certificate(leaf).not_valid_after_utc <= world.now:
                continue
            for bundle in _in_effect(world.bundles, world.now, TERMS.settle):
                assert _is_trusted(leaf, bundle, world.now)


def test_what_was_there_before_stays_trusted_until_it_is_replaced() -> None:
    foreign = Foreign("of somebody else")
    pair = Pair(*foreign.issue("portreeve", days=5000))
    world = _World(kept=Kept(None, pair), told=(foreign.pem,))

    settling = world.keeper().advance()

    assert settling.why == _SETTLING
    assert foreign.certificate in certificates_in(world.told[0])
    assert world.kept.pair == pair

    world.now = settling.until
    world.keeper().advance()
    assert world.kept.pair != pair
    assert foreign.certificate in certificates_in(world.told[0])
    assert world.keeper().retire()
    assert len(certificates_in(world.told[0])) == 1


def test_an_old_authority_is_not_taken_out_while_it_signed_what_is_in_use() -> None:
    world = _World()
    world.keeper().advance()
    assert not world.keeper().retire()
    world.keeper().renew_authority()
    world.keeper().advance()

    assert not world.keeper().retire()
    assert len(certificates_in(world.told[0])) == 2


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda kept: kept._replace(book=None), id="authorities"),
        pytest.param(lambda kept: kept._replace(pair=None), id="certificate"),
        pytest.param(
            lambda kept: kept._replace(book=kept.book.model_copy(update={"key": "none"})), id="key"
        ),
        pytest.param(lambda kept: kept._replace(pair=Pair(b"?", b"?")), id="malformed"),
        pytest.param(
            lambda kept: kept._replace(
                pair=Pair(kept.pair.certificate, Foreign().issue("other")[1])
            ),
            id="half-written",
        ),
    ],
)
def test_what_is_lost_is_made_anew(lose: Callable[[Kept], Kept]) -> None:
    world = _World()
    world.keeper().advance()
    world.kept = lose(world.kept)

    world.now = max(world.now, world.keeper().advance().until)
    world.keeper().advance()

    assert world.kept.pair is not None
    assert read_leaf(world.kept.pair) is not None
    for bundle in world.told:
        assert _is_trusted(world.kept.pair.certificate, bundle, world.now)


def test_other_names_need_an_authority_for_them() -> None:
    world = _World()
    world.keeper().advance()
    both = Terms((_NAME, "10.0.0.7"))

    world.now = world.keeper(both).advance().until
    world.keeper(both).advance()

    assert world.kept.book is not None
    assert names_permitted(world.kept.book.authorities[0].x509) == {_NAME, "10.0.0.7"}


def test_an_authority_signs_for_its_names_alone_and_no_other_authority() -> None:
    authority = new_authority([_NAME], now=_BEGIN, lifetime=90 * _DAY)
    other = issue(authority, ["kubernetes.default.svc"], now=_BEGIN, lifetime=_DAY)

    assert not _is_trusted(other.certificate, authority.certificate, _BEGIN)
    certificate = x509.load_pem_x509_certificate(authority.certificate)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_a_certificate_ends_with_its_authority_at_the_latest() -> None:
    authority = new_authority(["127.0.0.1", "::1"], now=_BEGIN, lifetime=_DAY)
    leaf = read_leaf(issue(authority, ["127.0.0.1", "::1"], now=_BEGIN, lifetime=30 * _DAY))

    assert leaf is not None
    assert leaf.ends == _BEGIN + _DAY
    assert names_of(leaf.certificate) == {"127.0.0.1", "::1"}
    assert ssl.PEM_cert_to_DER_cert(authority.certificate.decode())


def test_two_who_keep_the_same_certificates_are_told_of_it() -> None:
    world = _World()

    class Undone(_Trust):
        def write(self, bundle: bytes) -> bool:
            super().write(bundle)
            self.world.told = (b"",)
            return True

    keeper = Keeper(_Store(world), Undone(world), TERMS, clock=lambda: world.now, say=print)
    with pytest.raises(SettingsRefused, match="do not come to rest"):
        keeper.advance()


@pytest.mark.parametrize(
    "terms",
    [
        Terms((_NAME,), authority=80 * _DAY, certificate=30 * _DAY),
        Terms((_NAME,), settle=11 * _DAY),
    ],
)
def test_terms_under_which_the_order_cannot_be_kept_are_refused(terms: Terms) -> None:
    with pytest.raises(SettingsRefused):
        terms.check()


@pytest.mark.parametrize(
    ("text", "expected"),
    [(_NAME, True), ("10.0.0.1", True), ("a..b", False), ("a b", False), ("", False)],
)
def test_names(text: str, expected: bool) -> None:  # noqa: FBT001
    assert is_name(text) is expected
