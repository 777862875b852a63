"""What tests with real servers share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import need_a_cluster
from guarded import Guarded, guarded
from objects import definitions, from_before

_SHIM = Path(__file__).parents[1] / "support" / "failing_flush.c"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A library whose flushes fail, or are slow, on demand."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to build the failing flush with")
    library = tmp_path / "failing_flush.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(_SHIM), "-ldl"], check=True)
    return library


@pytest.fixture(scope="session")
def guarded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One cluster for all who look at what becomes of single objects."""
    need_a_cluster()
    folder = tmp_path_factory.mktemp("guarded")
    with guarded(folder, definitions=definitions(), before=from_before()) as made:
        yield made


@pytest.fixture(scope="session")
def watched_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One whose objects the service knows."""
    need_a_cluster()
    folder = tmp_path_factory.mktemp("watched")
    with guarded(folder, before=from_before(), watched=True) as made:
        yield made
