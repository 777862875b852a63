"""The bytes of a bundle archive: always the same for the same content, and read with suspicion.

The form is OPA's (https://www.openpolicyagent.org/docs/management-bundles): a gzip-compressed tar
with ``.manifest``, ``data.json`` files and Rego modules. ``rules.json`` is ours; OPA ignores it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import TYPE_CHECKING

from service.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_ARCHIVE = 64 * 1024 * 1024
LARGEST_CONTENT = 64 * 1024 * 1024
MOST_ENTRIES = 2_000
_CHUNK = 1024 * 1024
_HINT = "Make it with `portreeve bundle build`."


def pack(files: Mapping[str, bytes]) -> bytes:
    """*files* as a gzip-compressed tar in the order of paths, without times and owners."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(files[path]))
    return gzip.compress(content.getvalue(), compresslevel=6, mtime=0)


def unpack(raw: bytes) -> dict[str, bytes]:
    """The files of an archive by path.

    Raises:
        BundleRefused: It is not such an archive, holds links, devices, absolute or climbing paths
            or a path twice, or more than 2,000 entries or 64 MiB.
    """
    files: dict[str, bytes] = {}
    entries = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(_inflated(raw)), mode="r:") as archive:
            for entry in archive:
                entries += 1
                if entries > MOST_ENTRIES:
                    raise BundleRefused(f"the archive has more than {MOST_ENTRIES} entries")
                path = _safe(entry)
                if path in files:
                    raise BundleRefused(f"the archive has `{path}` twice")
                content = archive.extractfile(entry)
                files[path] = content.read() if content else b""
    except (tarfile.TarError, EOFError, ValueError, RecursionError, OverflowError) as error:
        raise BundleRefused("the archive cannot be read as a tar", hint=_HINT) from error
    return files


def _inflated(raw: bytes) -> bytes:
    """The tar within, never more than its limit, whatever the ratio."""
    if len(raw) > LARGEST_ARCHIVE:
        raise BundleRefused(f"the archive is larger than {LARGEST_ARCHIVE} bytes")
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            while part := stream.read(_CHUNK):
                size += len(part)
                if size > LARGEST_CONTENT:
                    raise BundleRefused(
                        f"the archive holds more than {LARGEST_CONTENT} bytes when unpacked"
                    )
                parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        raise BundleRefused(
            "the archive is not gzip-compressed, or is cut off",
            hint=_HINT,
        ) from error
    return b"".join(parts)


def _safe(entry: tarfile.TarInfo) -> str:
    if not entry.isreg() or entry.issparse():
        raise BundleRefused(f"the archive has `{entry.name}`, which is not a plain file")
    if any(part in ("", ".", "..") for part in entry.name.split("/")) or "\\" in entry.name:
        raise BundleRefused(
            f"the archive has the path `{entry.name}`, expected a plain relative one"
        )
    return entry.name
