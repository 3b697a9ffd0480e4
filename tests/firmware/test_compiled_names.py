"""No compiled module's table of names ends where a block of the heap does: it would keep alive whatever lies behind it.

Names (2 bytes each) and constant objects (a word each) are one piece of heap, and the module points at both. If there
are no objects that second pointer is the end of the piece. If that is a block's end too, the collector takes it for a
pointer to the next piece, and what that holds is never freed: kilobytes, where it is a module that is to be forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from scanlatch_tools.twin import build

_HEADER = 4  # bytes: "M", version, flags, bits of a small integer (MicroPython, py/persistentcode.c)
_NAME = 2


@dataclass(frozen=True)
class Machine:
    """Where modules are loaded: bytes of a word, and of a block of its heap."""

    word: int
    block: int

    def ends_on_a_block(self, names: int) -> bool:
        size = -(-names * _NAME // self.word) * self.word
        return size % self.block == 0


TWIN, CHIP = Machine(8, 32), Machine(4, 16)


@pytest.mark.parametrize(
    ("tree", "machine"),
    [(build.firmware, TWIN), (build.firmware, CHIP), (build.stand_ins, TWIN)],
    ids=["firmware on the twin", "firmware on the chip", "stand-ins"],
)
def test_no_table_of_names_points_at_what_lies_behind_it(tree: Callable[[], Path], machine: Machine) -> None:
    folder = tree()
    files = sorted(folder.rglob("*.mpy"))
    assert len(files) > 10
    wrong: list[str] = []
    for file in files:
        names, objects = _counts(file.read_bytes())
        if not objects and machine.ends_on_a_block(names):
            wrong.append(f"{file.relative_to(folder)}: {names} names")
    assert not wrong, "give each a constant object, or another number of names"


def test_the_shape_is_told() -> None:
    assert [names for names in range(1, 50) if CHIP.ends_on_a_block(names)] == [
        7,
        8,
        15,
        16,
        23,
        24,
        31,
        32,
        39,
        40,
        47,
        48,
    ]
    assert [names for names in range(1, 34) if TWIN.ends_on_a_block(names)] == [13, 14, 15, 16, 29, 30, 31, 32]
    assert _counts(b"M\x06\x00\x1f" + b"\x81\x02" + b"\x03") == (130, 3)


def _counts(compiled: bytes) -> tuple[int, int]:
    """How many names, and how many constant objects."""
    found: list[int] = []
    at = _HEADER
    for _ in range(2):
        number = 0
        while True:
            byte = compiled[at]
            at += 1
            number = number << 7 | byte & 127
            if byte < 128:
                break
        found.append(number)
    return found[0], found[1]
