"""An archive is what `write` made of a bundle, and nothing else."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.bundle.archive import LARGEST_CONTENT, MOST_ENTRIES, pack, unpack
from service.bundle.build import build
from service.bundle.digest import canonical, digest, part_digests
from service.bundle.inspecting import inspect
from service.bundle.load import load, loads
from service.bundle.shipped import shipped
from service.bundle.values import Bundle
from service.bundle.write import archived, write
from service.errors import BundleRefused

SIZE = "policies/rules/gpu/size/size.rego"


@pytest.fixture
def small(sources: dict[str, str], assembled: Callable[..., Bundle]) -> Bundle:
    return assembled(sources)


@pytest.fixture
def files(small: Bundle) -> dict[str, bytes]:
    return unpack(archived(small))


def refused(raw: bytes) -> str:
    with pytest.raises(BundleRefused) as caught:
        loads(raw)
    return caught.value.message


def tar(*entries: tuple[str, bytes, dict[str, Any]]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, body, more in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            for key, value in more.items():
                setattr(entry, key, value)
            archive.addfile(entry, io.BytesIO(body))
    return gzip.compress(content.getvalue())


def test_written_bundle_is_loaded_as_it_was(small: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    write(small, path)
    assert load(path) == small
    assert [file.name for file in tmp_path.iterdir()] == ["bundle.tar.gz"]


@pytest.mark.parametrize("name", ["default", "example"])
def test_shipped_bundle_is_loaded_as_it_was(name: str) -> None:
    bundle = build(shipped(name))
    assert loads(archived(bundle)) == bundle
    assert load(shipped(name)) == bundle


def test_bundle_of_some_codes_is_loaded_as_it_was(
    sources: dict[str, str], assembled: Callable[..., Bundle]
) -> None:
    text = sources[SIZE]
    second = text[text.rindex("# METADATA") :].replace("GPU-901", "GPU-902")
    sources[SIZE] = text + "\n" + second
    bundle = assembled(sources, select=lambda _: frozenset(("GPU-902",)))
    assert list(bundle.rulebook) == ["GPU-902"]
    assert 'finding.code in {"GPU-902"}' in bundle.modules["portreeve/entry.rego"]
    assert loads(archived(bundle)) == bundle


def test_same_bundle_has_the_same_bytes(small: Bundle) -> None:
    raw = archived(small)
    assert archived(loads(raw)) == raw
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {(entry.mtime, entry.uid, entry.mode) for entry in entries} == {(0, 0, 0o644)}


def test_manifest_is_one_that_opa_reads(files: dict[str, bytes], small: Bundle) -> None:
    manifest = json.loads(files[".manifest"])
    assert manifest["revision"] == "1"
    assert manifest["roots"] == ["catalog", "index", "org", "policies", "portreeve"]
    assert manifest["rego_version"] == 1
    assert manifest["metadata"]["digest"] == small.ref.digest
    assert manifest["metadata"]["request_schema"] == {"min": 1, "max": 1}
    assert set(manifest["metadata"]["parts"]) == {"rules", "catalog", "index", "org"}


def test_a_change_of_one_part_changes_the_digest_of_that_part_only(
    sources: dict[str, str], assembled: Callable[..., Bundle], small: Bundle
) -> None:
    other = assembled(sources, catalog={"a": 1})

    before = part_digests(small.modules, small.data)
    after = part_digests(other.modules, other.data)

    assert {name for name in before if before[name] != after[name]} == {"catalog"}


@given(st.permutations(["a.rego", "b.rego", "c.rego", "é.rego"]))
def test_digest_does_not_depend_on_the_order_of_files(order: list[str]) -> None:
    expected = digest({name: name for name in sorted(order)}, {"a": 1, "b": {"c": 2, "d": 3}})
    assert digest({name: name for name in order}, {"b": {"d": 3, "c": 2}, "a": 1}) == expected


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=4), st.data())
def test_digest_tells_every_difference(modules: dict[str, str], data: st.DataObject) -> None:
    other = data.draw(st.dictionaries(NAMES, st.text(max_size=20), max_size=4))
    assert (digest(modules, {}) == digest(other, {})) == (modules == other)


PLAIN = NAMES.filter(lambda name: name not in (".", "..") and len(name.encode()) < 90)


@given(st.dictionaries(PLAIN, st.binary(max_size=200), max_size=5))
def test_packed_files_are_unpacked_as_they_were(files: dict[str, bytes]) -> None:
    assert unpack(pack(files)) == files


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_archive_is_refused_and_never_crashes(
    data: st.DataObject, files: dict[str, bytes]
) -> None:
    content = bytearray(gzip.decompress(pack({"a": b"x" * 600, ".manifest": files[".manifest"]})))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    with pytest.raises(BundleRefused):
        loads(gzip.compress(bytes(content[:cut])))


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x1f\x8b", gzip.compress(b"a" * 2000, mtime=0)[:-9]])
def test_bytes_that_are_no_archive_are_refused(raw: bytes) -> None:
    assert "not gzip-compressed, or is cut off" in refused(raw) or "cannot be" in refused(raw)


def test_garbage_within_is_refused() -> None:
    assert refused(gzip.compress(b"a" * 2000)) == "the archive cannot be read as a tar"
    assert refused(pack({})) == "the archive has no `.manifest`"


@pytest.mark.parametrize(
    "more",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": ".manifest"},
        {"type": tarfile.FIFOTYPE},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.DIRTYPE},
    ],
)
def test_entry_that_is_no_plain_file_is_refused(more: dict[str, Any]) -> None:
    assert refused(tar(("a", b"", more))) == "the archive has `a`, which is not a plain file"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "a/../../b", "./a", "a//b", "..", "a\\..\\b"]
)
def test_path_that_leads_elsewhere_is_refused(path: str) -> None:
    message = refused(tar((path, b"", {})))
    assert message == f"the archive has the path `{path}`, expected a plain relative one"


def test_path_that_is_there_twice_is_refused() -> None:
    assert refused(tar(("a", b"1", {}), ("a", b"2", {}))) == "the archive has `a` twice"


def test_too_many_entries_are_refused() -> None:
    entries = [(str(number), b"", {}) for number in range(MOST_ENTRIES + 1)]
    assert refused(tar(*entries)) == "the archive has more than 2000 entries"


def test_archive_that_grows_beyond_the_limit_is_refused() -> None:
    raw = gzip.compress(bytes(LARGEST_CONTENT + 1), compresslevel=1)
    assert len(raw) < 1024 * 1024
    assert refused(raw) == "the archive holds more than 67108864 bytes when unpacked"


def test_chain_of_long_names_is_refused() -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1
    block = header.tobuf(tarfile.GNU_FORMAT) + b"a".ljust(512, b"\0")
    assert refused(gzip.compress(block * 5000)) == "the archive cannot be read as a tar"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".manifest", "the archive has no `.manifest`"),
        ("rules.json", "the archive has no `rules.json`"),
        ("org/data.json", "the archive has no `org/data.json`"),
        ("portreeve/entry.rego", "`portreeve/entry.rego` is not what the rules make of it"),
        (SIZE, "the bundle has no rules: nothing would ever be refused"),
    ],
)
def test_archive_that_lacks_a_file_is_refused(
    files: dict[str, bytes], path: str, said: str
) -> None:
    del files[path]
    assert refused(pack(files)) == said


@pytest.mark.parametrize(
    "path", ["data.json", "policies/data.json", "a.rego", "policies/a_test.rego", "policy.wasm"]
)
def test_file_that_is_no_part_of_a_bundle_is_refused(files: dict[str, bytes], path: str) -> None:
    message = refused(pack({**files, path: b"{}"}))
    assert message == f"the archive has `{path}`, which is no part of a bundle"


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (SIZE, b"asked > limit", b"asked > 9999 ", "the digest in `.manifest` is `sha256:"),
        (SIZE, b"high", b"low", "`rules.json` is not what the METADATA of the rules says"),
        (SIZE, b"asked > limit", b"not asked > 1", "negates something other than a helper"),
        (SIZE, b"asked", b"\xff\xff", f"`{SIZE}` is not UTF-8"),
        ("catalog/data.json", b"{}", b'{"a":1}', "the digest in `.manifest` is `sha256:"),
        ("catalog/data.json", b"{}", b'{"a":1.5}', "data: `1.5` at `/catalog/a` is a fraction"),
        ("catalog/data.json", b"{}", b'{"a":1,"a":1}', "`catalog/data.json` is not in canonical"),
        ("catalog/data.json", b"{}", b"{ }", "`catalog/data.json` is not in canonical form"),
        ("catalog/data.json", b"{}", b"[]", "`catalog/data.json` holds a list, expected an obj"),
        ("catalog/data.json", b"{}", b"{", "`catalog/data.json` cannot be read as JSON"),
        ("catalog/data.json", b"{}", b"[" * 90_000, "`catalog/data.json` cannot be read as JSON"),
        ("org/data.json", b'"posture":"warn"', b'"posture":"observe"', "the digest in `.manifest"),
        ("org/data.json", b'"posture":"warn"', b'"posture":"no"', "`org/data.json`: `no` at `/po"),
        ("org/data.json", b'"posture":"warn",', b"", "`org/data.json` is not complete"),
        ("rules.json", b"GPU-901", b"GPU-902", "the bundle selects no rules"),
        ("rules.json", b"Resource stays", b"Nothing stays", "`rules.json` is not what the META"),
        (".manifest", b'"name":"toy"', b'"name":""', "`.manifest` states no `name`"),
        (".manifest", b'"revision":"1"', b'"revision":1', "`.manifest` states no `revision`"),
        (".manifest", b'"org",', b"", "`.manifest` is not one that portreeve wrote"),
        (".manifest", b'"metadata"', b'"other"', "`.manifest` is not one that portreeve wrote"),
        ("portreeve/entry.rego", b"findings :=", b"others :=", "`portreeve/entry.rego` is not wh"),
        (".manifest", b'"max":1', b'"max":"1"', "`.manifest` does not state its `request_schema`"),
        (".manifest", b'"min":1', b'"min":2', "for requests of version 2 to 1, this release"),
        (".manifest", b'"rules":"sha256:', b'"rules":"sha512:', "the digests of parts in `.mani"),
    ],
)  # fmt: skip
def test_archive_that_was_changed_is_refused(
    files: dict[str, bytes], path: str, old: bytes, new: bytes, said: str
) -> None:
    assert old in files[path]
    assert said in refused(pack({**files, path: files[path].replace(old, new)}))


def test_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="cannot be read: No such file"):
        load(tmp_path / "nothing.tar.gz")


def test_archive_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tar.gz"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(BundleRefused, match="is larger than 67108864 bytes"):
        load(path)


def test_folder_that_cannot_be_written_is_said(small: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="cannot be written: No such file"):
        write(small, tmp_path / "nowhere" / "bundle.tar.gz")


def test_inspection_says_what_is_in_it() -> None:
    found = inspect(build(shipped("example")), today=date(2027, 1, 1))
    assert found["name"] == "example"
    assert found["posture"] == "enforce"
    assert found["rules"]["GPU-001"]["severity"] == "high"
    assert found["catalog"]["accelerators"] > 20
    assert found["prices"]["rows"] > 100
    assert found["prices"]["oldest"] <= found["prices"]["newest"]
    assert found["prices"]["oldest_age_days"] > 30


def test_inspection_of_a_bundle_without_prices(small: Bundle) -> None:
    found = inspect(small)
    assert found["prices"]["rows"] == 0
    assert {found["prices"][name] for name in ("oldest", "newest", "oldest_age_days")} == {None}
    assert canonical(found)
