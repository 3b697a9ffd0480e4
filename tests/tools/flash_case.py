"""What tests of flashing share: a bare board, an image for it, someone to talk to, and a journal with records."""

import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scanlatch_tools import places
from scanlatch_tools.flash.work import Flashed, Wish, flash
from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.chip import made_image
from scanlatch_tools.twin.chip.bare import BareBoard

BOARDS = {"esp32": "esp32-devkitc", "esp32s3": "esp32-s3-devkitc", "esp32c3": "esp32-c3-devkitm"}
CHIP = "esp32c3"  # where it matters little: it is told from others at once
LOG_AT, LOG_SIZE = 0x300000, 0x100000  # of boards with 4 MiB

_KEEP = """
import sys
sys.path.insert(0, {firmware!r})
from scanlatch.keep.journal import Journal

class Flash:
    def __init__(self, path):
        self.file = open(path, "r+b")
    def ioctl(self, op, arg=0):
        if op == 6:
            self.file.seek(arg * 4096)
            self.file.write(b"\\xff" * 4096)
        return 256 if op == 4 else 4096 if op == 5 else 0
    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buf)

flash = Flash({path!r})
Journal.format(flash, b"journal1")
journal = Journal(flash, b"journal1")
journal.recover()
for seq in range(1, {kept} + 1):
    journal.append(seq, b"record %d" % seq)
if {freed}:
    journal.free({freed})
    for now in range(1, 200):
        journal.idle(now * 1000, 1000)
"""


class Listener:
    """Talks to nobody, and keeps what it was told. answers: to questions, one after the other."""

    def __init__(self, *answers: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.steps: dict[str, tuple[int, int]] = {}
        self.asked: list[str] = []
        self._answers = list(answers)

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))

    def progress(self, step: str, done: int, total: int) -> None:
        assert done <= total
        self.steps[step] = done, total

    def ask(self, question: str, among: Sequence[str]) -> str | None:
        self.asked.append(question)
        return self._answers.pop(0) if self._answers else None

    def typed(self, question: str, phrase: str) -> bool:
        self.asked.append(question)
        return bool(self._answers) and self._answers.pop(0) == phrase

    def told(self, name: str) -> dict[str, Any]:
        return next(facts for event, facts in self.events if event == name)


def image(folder: Path, chip: str, **more: Any) -> Path:
    """A file with an image made for tests."""
    path = folder / f"{chip}.bin"
    path.write_bytes(made_image.image(chip, **more))
    return path


def wish(target: BareBoard, folder: Path, chip: str = CHIP, **more: Any) -> Wish:
    """A flash of this board with an image made for tests."""
    if "image" not in more:
        more["image"] = image(folder, chip)
    return Wish(**{"port": str(target.port), "board": BOARDS[chip], **more})


def flashed(target: BareBoard, folder: Path, chip: str = CHIP, **more: Any) -> tuple[Flashed, Listener]:
    """Flash it, and wait until it runs."""
    listener = Listener()
    done = flash(wish(target, folder, chip, **more), listener)
    until(lambda: target.runs)
    return done, listener


def until(true: Callable[[], bool], limit_s: float = 60) -> None:
    """Wait until it is so."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def keep_records(board: BareBoard, folder: Path, kept: int, freed: int) -> None:
    """Give a flashed board a journal: the firmware's own, on MicroPython, as after so many scans."""
    path = folder / "kept.bin"
    path.write_bytes(b"\xff" * LOG_SIZE)
    code = _KEEP.format(firmware=str(places.firmware()), path=str(path), kept=kept, freed=freed)
    done = interpreter.run(["-c", code], ".frozen", heap="1M")
    assert done.returncode == 0, done.stderr
    board.flash.erase(LOG_AT, LOG_SIZE)
    board.flash.program(LOG_AT, path.read_bytes())


def rows(raw: bytes) -> dict[str, tuple[int, int, int, int]]:
    """A partition table read by its format alone: label: type, subtype, place, size. The MD5 row must be right."""
    import hashlib

    found: dict[str, tuple[int, int, int, int]] = {}
    for start in range(0, 0xC00, 32):
        row = raw[start : start + 32]
        if row[:2] == b"\xeb\xeb":
            assert row[2:16] == b"\xff" * 14
            assert row[16:] == hashlib.md5(raw[:start]).digest()
            assert raw[start + 32 :] == b"\xff" * (len(raw) - start - 32)
            return found
        magic, kind, subtype, at, size, label, flags = struct.unpack("<HBBII16sI", row)
        assert (magic, flags) == (0x50AA, 0)
        found[label.rstrip(b"\0").decode()] = kind, subtype, at, size
    raise AssertionError("no MD5 row")
