"""Takes away the room in which a ledger grows, and gives it back: a disk that is full, or a file that may not grow."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest

_SIZE_MIB = 8
_BLOCK = 4096


class Room(Protocol):
    """Where a ledger lies."""

    folder: Path

    def take(self, pid: int) -> None:
        """From here on nothing that this process writes may be added there."""
        ...

    def give(self, pid: int) -> None:
        """There is room again."""
        ...


class SmallDisk:
    """A file system of its own, in memory. Needs the right to mount one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextlib.contextmanager
    def mounted(self) -> Generator["SmallDisk"]:
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MIB}m", "tmpfs", str(self.folder)]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("no right to mount a small disk; the file limit stands for it")
        try:
            yield self
        finally:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    def take(self, pid: int) -> None:
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(_BLOCK))

    def give(self, pid: int) -> None:
        self._filler.unlink()


class FileLimit:
    """No file of the process may grow beyond what the ledger's log is now: `ulimit -f`, from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before: dict[int, tuple[int, int]] = {}

    @contextlib.contextmanager
    def mounted(self) -> Generator["FileLimit"]:
        self.folder.mkdir()
        try:
            yield self
        finally:
            if os.getpid() in self._before:
                self.give(os.getpid())

    def take(self, pid: int) -> None:
        (log,) = self.folder.glob("*-wal")
        self._before[pid] = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size, self._before[pid][1]))

    def give(self, pid: int) -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, self._before.pop(pid))


@pytest.fixture(params=[SmallDisk, FileLimit])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """A folder for a ledger."""
    with request.param(tmp_path / "room").mounted() as made:
        yield made
