"""Flashes one board, step by step; each step is told as an event."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scanlatch_tools.boards import Board
from scanlatch_tools.flash import fitting, handed, images, partitions, plan, ports, session
from scanlatch_tools.flash import image as image_files
from scanlatch_tools.flash.errors import NoFitError, NotAsWrittenError, UnsentError
from scanlatch_tools.flash.image import Image
from scanlatch_tools.flash.journal import Holds, holds
from scanlatch_tools.flash.partitions import JOURNAL, SECTOR, Partition
from scanlatch_tools.flash.plan import Area, Plan
from scanlatch_tools.flash.session import Session
from scanlatch_tools.texts import _


class Talk(Protocol):
    """Whom the work tells what it does, and asks."""

    def event(self, name: str, **facts: Any) -> None:
        """A step is done."""
        ...

    def progress(self, step: str, done: int, total: int) -> None:
        """So much of a step is done."""
        ...

    def ask(self, question: str, among: Sequence[str]) -> str | None:
        """The answer, one of `among`; None where nobody can be asked."""
        ...

    def typed(self, question: str, phrase: str) -> bool:
        """Whether a person typed the phrase."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. erase: the phrase with which a person gives a journal up; site: whose ledger is asked what it
    has of the journal."""

    port: str | None = None
    board: str | None = None
    image: Path | None = None
    stub: bool = True
    baud: int = session.BAUD
    read_all: bool = False
    erase: str | None = None
    site: Path | None = None


@dataclass(frozen=True, slots=True)
class Flashed:
    """A board that was flashed, verified and reset."""

    port: str
    mac: str
    board: str
    version: str
    seconds: float


def flash(wish: Wish, talk: Talk) -> Flashed:
    """Flash a board.

    Raises:
        ToolError: refused, or broken off; its `status` is the command's exit status.
    """
    began = time.monotonic()
    image = image_files.load(wish.image) if wish.image else None
    known = handed.by_ledger(wish.site) if wish.site else None
    name = ports.chosen(wish.port, talk.ask)
    talk.event("port", port=name)
    with session.connected(name, stub=wish.stub, baud=wish.baud) as chip:
        facts = chip.chip
        talk.event("chip", chip=facts.kind, text=facts.text, mac=facts.mac, flash_mb=facts.flash_mb)
        board = fitting.chosen(wish.board, facts, talk.ask)
        talk.event("board", board=board.board.name, title=board.board.title)
        image = _image(image, board, chip, talk)
        before = _table(chip)
        held = _journal(chip, board, before, known, talk)
        wipe = given_up(held, wish.erase, name, talk)
        todo = plan.of(board, image, before, held.sectors, wipe)
        talk.event("plan", keeps=list(todo.kept), partitions=[_row(part) for part in todo.parts])
        _write(chip, todo, talk)
        _read_back(chip, todo, wish.read_all, talk)
    done = Flashed(name, facts.mac, board.board.name, image.version, time.monotonic() - began)
    talk.event(
        "done", port=name, mac=done.mac, board=done.board, version=done.version, seconds=round(done.seconds, 1),
        reset=chip.can_reset,
    )  # fmt: skip
    return done


def _image(image: Image | None, board: Board, chip: Session, talk: Talk) -> Image:
    if image is None:
        image = images.for_board(board.flash.image, chip.chip.kind)
    program = next(part for part in partitions.of_board(board) if part.kind[0] == 0)
    image_files.check(image, chip.chip.kind, program.size)
    if image.made_for_tests and chip.can_reset:
        raise NoFitError(_("this image was made for tests and runs on no chip: take MicroPython's own"))
    talk.event("image", version=image.version, date=image.date, sha256=image.sha256, listed=images.listed(image))
    return image


def _table(chip: Session) -> list[Partition]:
    try:
        return partitions.read(chip.read(partitions.AT, partitions.SIZE))
    except partitions.TableError:
        return []


def _journal(chip: Session, board: Board, before: Sequence[Partition], known: handed.Known | None, talk: Talk) -> Holds:
    """What the board's journal holds: where its table has one, and where the new one will be.

    A table that a cut has left blank tells nothing, so the new place is looked at in any case.
    """
    new = partitions.named(partitions.of_board(board), JOURNAL)
    old = partitions.named(before, JOURNAL)
    found, taken = Holds(()), 0
    size = chip.chip.flash_mb << 20
    for part in dict.fromkeys(part for part in (old, new) if part is not None):
        if part.at + part.size > size:
            continue
        one = holds(chip.read, part, lambda done, total: talk.progress("journal", done * SECTOR, total * SECTOR), known)
        taken += one.handed
        if one.unsent or one.fault:
            talk.event("journal", sectors=len(one.sectors), unsent=one.unsent, first=one.first, last=one.last)
            return one if part == new else Holds((), one.first, one.last, one.fault)
        if part == new:
            found = one
    talk.event("journal", sectors=len(found.sectors), unsent=0, first=0, last=0, handed=taken)
    return found


_PHRASE = re.compile(r"erase (\d+) records")
_UNREAD = "erase unread journal"


def phrase(held: Holds) -> str:
    """What a person types to give up what a journal holds."""
    return f"erase {held.unsent} records" if held.unsent else _UNREAD


def _agreed(given: str, held: Holds) -> bool:
    """Whether a phrase gives up this much; fewer may be left of a try that broke off."""
    found = _PHRASE.fullmatch(given)
    return (found is not None and 0 < held.unsent <= int(found[1])) or (given == _UNREAD and not held.unsent)


def given_up(held: Holds, given: str | None, port: str, talk: Talk) -> bool:
    """Whether a journal is to be erased that a person has given up.

    Raises:
        UnsentError: it holds records, or can't be read, and nobody gave it up.
    """
    if not held.unsent and not held.fault:
        return False
    what = (
        _("its journal holds {unsent} records that the bridge may not have ({first} to {last})").format(
            unsent=held.unsent, first=held.first, last=held.last
        )
        if held.unsent
        else _("its journal can't be read ({fault}) and may hold records that the bridge does not have").format(
            fault=held.fault
        )
    )
    if _agreed(given, held) if given is not None else talk.typed(_or_type(what), phrase(held)):
        talk.event("erased", unsent=held.unsent)
        return True
    raise UnsentError(
        _(
            "{what}: save them first with `scanlatch rescue --port {port}`. To lose them for ever: "
            '--erase-journal "{phrase}"'
        ).format(what=what, port=port, phrase=phrase(held))
    )


def _or_type(what: str) -> str:
    return _("{what}. Save them with `scanlatch rescue`: press Enter, and do that. To lose them for ever type").format(
        what=what
    )


def _write(chip: Session, todo: Plan, talk: Talk) -> None:
    for area in todo.areas:
        chip.write(area.at, area.data, _teller(talk, f"write {area.name}"))
        talk.event("written", area=area.name, at=area.at, bytes=len(area.data))


def _read_back(chip: Session, todo: Plan, everything: bool, talk: Talk) -> None:
    """The loader's MD5 held for all; here the bytes themselves come back: table, loader, and of the rest its ends."""
    read = 0
    for area in todo.areas:
        for at, size in _ends(area, everything):
            if chip.read(area.at + at, size, _teller(talk, f"read {area.name}")) != area.data[at : at + size]:
                raise NotAsWrittenError(
                    _(
                        "the {area} at {at:#x} reads back otherwise: run this again; where it stays so, the "
                        "board's flash is worn out"
                    ).format(area=area.name, at=area.at + at)
                )
            read += size
    talk.event("verified", md5=sum(len(area.data) for area in todo.areas), read_back=read)


def _ends(area: Area, everything: bool) -> list[tuple[int, int]]:
    size = len(area.data)
    if everything or area.name in ("table", "loader") or size <= 2 * SECTOR:
        return [(0, size)]
    return [(0, SECTOR), (size - SECTOR, SECTOR)]


def _teller(talk: Talk, step: str) -> Callable[[int, int], None]:
    return lambda done, total: talk.progress(step, done, total)


def _row(part: Partition) -> dict[str, Any]:
    return {"label": part.label, "at": part.at, "size": part.size}
