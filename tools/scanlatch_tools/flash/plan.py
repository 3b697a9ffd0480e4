"""What is written where: program, loader and table, and blanks where something new begins."""

from collections.abc import Sequence
from dataclasses import dataclass

from scanlatch_tools.boards import Board
from scanlatch_tools.flash import image as images
from scanlatch_tools.flash import partitions
from scanlatch_tools.flash.image import Image
from scanlatch_tools.flash.partitions import FILES, JOURNAL, KEYS, PROGRAM_AT, SECTOR, Partition

_FILES_BEGIN = 8 * SECTOR  # where both MicroPython's file systems look for their first block


@dataclass(frozen=True, slots=True)
class Area:
    """Bytes for one place. name: for people; blank: it is erased, no more."""

    name: str
    at: int
    data: bytes
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A flash in its steps.

    areas: in the order in which they are written, the table last; kept: what of the board's own stays as it is.
    """

    areas: tuple[Area, ...]
    parts: tuple[Partition, ...]
    kept: tuple[str, ...]


def of(board: Board, image: Image, before: Sequence[Partition], journal: Sequence[int], wipe: bool) -> Plan:
    """Plan a flash.

    Args:
        board: gives the layout.
        image: fits chip and layout.
        before: the partitions that are on the chip now; empty where there is no table.
        journal: sectors of the new journal's partition that hold one's header.
        wipe: erase these too.
    """
    parts = partitions.of_board(board)
    same = {part.label for part in parts if part in before}
    areas = [Area("program", PROGRAM_AT, image.program)]
    blanks = {KEYS: None, FILES: _FILES_BEGIN}
    for part in parts:
        if part.label in blanks and part.label not in same:
            size = blanks[part.label] or part.size
            areas.append(Area(f"blank {part.label}", part.at, b"\xff" * min(size, part.size), blank=True))
        if part.label == JOURNAL and wipe:
            areas += [
                Area("blank journal", part.at + first * SECTOR, b"\xff" * (count * SECTOR), blank=True)
                for first, count in _runs(journal)
            ]
    areas.append(Area("loader", images.CHIPS[image.chip], images.fitted(image.loader, board.flash.size_mb)))
    areas.append(Area("table", partitions.AT, partitions.table(parts)))
    kept = tuple(label for label in (KEYS, FILES, JOURNAL) if label in same and not (label == JOURNAL and wipe))
    return Plan(tuple(areas), tuple(parts), kept)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """(first, how many) of each row of numbers that follow each other."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((number, 1))
    return runs
