"""Provisions one board, step by step; each step is told with its time, and all of it can be repeated."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization

from host_bridge.clock import SystemClock
from host_bridge.errors import UnknownDevice
from host_bridge.sessions import KINDS
from scanlatch_tools import boards, enrol, outfile
from scanlatch_tools import site as sites
from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.cable import Cable, connected
from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels import device as labels
from scanlatch_tools.labels.page import BEGINS
from scanlatch_tools.provision import apart, choices, facts, firmware, leaving, selftest
from scanlatch_tools.provision.errors import NotReadyError
from scanlatch_tools.provision.facts import Facts
from scanlatch_tools.provision.selftest import Check
from scanlatch_tools.texts import _

_OPERATION = "sale"  # of a terminal that never had another


class Talk(Protocol):
    """Whom the work tells what it does, and asks."""

    def event(self, name: str, **facts: Any) -> None:
        """Something is done, or found."""
        ...

    def progress(self, step: str, done: int, total: int) -> None:
        """So much of a step is done."""
        ...

    def ask(self, question: str, among: Sequence[str]) -> str | None:
        """The answer, one of `among`; None where nobody can be asked."""
        ...

    def secret(self, question: str) -> str | None:
        """What is typed and not shown; None where nobody can be asked."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    site: the site's folder, None: it is elsewhere; at: which of its sites, None: the one it has, or the first; name:
    the terminal's id, None: the one it has, or one made of the chip's number; board: None: the one it was provisioned
    for, or the one that fits; operation, ntp: None: what it has, or "sale" and none; wifi: name and password of the
    network; password None: asked for, or the one it has; link: whether the broker can be reached where this is done;
    label: the PDF to write; request: file for what the terminal asks of a site elsewhere; answer: file with what that
    gave; leave: what is said of the site whose terminal it is now.
    """

    site: Path | None
    at: str | None = None
    name: str | None = None
    board: str | None = None
    operation: str | None = None
    ntp: str | None = None
    wifi: str | None = None
    password: str | None = None
    link: bool = True
    label: Path | None = None
    request: Path | None = None
    answer: Path | None = None
    leave: leaving.Told = leaving.UNSAID


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A board that became a terminal, or was one; or that has asked: then `label` is the request's file."""

    port: str
    device: str
    site: str
    board: str
    anew: bool
    label: Path
    seconds: float


def provision(wish: Wish, port: str, talk: Talk, name: Callable[[Facts], str | None] | None = None) -> Provisioned:
    """Make a terminal of the board at `port`, or mend what a try before left.

    name: chooses the id, in place of the wish's; gets what the board tells of itself.

    Raises:
        ToolError: refused, or broken off; its `status` is the command's exit status.
    """
    began = time.monotonic()
    place, answer = may_begin(wish)
    with _worked_on(port) as cable:
        told = facts.ask(cable)
        ntp = told.ntp if wish.ntp is None else wish.ntp
        wish = replace(wish, operation=wish.operation or told.operation or _OPERATION, ntp=ntp or None)
        at = _site(wish.at, place, answer, told.site)
        device = choices.device(told, answer.device if answer else name(told) if name else wish.name)
        board = choices.board(wish.board or (answer.board if answer else None), told, talk.ask)
        wifi = None if wish.request else choices.wifi(board, wish.wifi, wish.password, told, talk.secret)
        if found := _left(cable, told, at, place, answer, wish.leave, talk):
            talk.event("leaves", device=device, site=found.site, records=found.records)
        talk.event("board", port=port, board=board.board.name, device=device, site=at, before=told.device)
        with _timed(talk, "firmware") as step:
            done = firmware.copy(cable, board, lambda part, total: talk.progress("firmware", part, total))
            step.update(written=done.written, kept=done.kept, removed=done.removed)
        if wish.request:
            request = apart.Asked(
                enrol.ask(cable, device), wish.at, compiled(board), wish.operation or _OPERATION, wish.ntp
            )
            apart.write_request(wish.request, request)
            seconds = round(time.monotonic() - began, 1)
            talk.event("requested", port=port, device=device, request=str(wish.request), seconds=seconds)
            return Provisioned(port, device, at, board.board.name, not told.device, wish.request, seconds)
        anew = _enrolled(wish, cable, device, at, board, wifi, answer, talk)
        label = wish.label or (place.folder / "labels" if place else Path()) / f"{device}.pdf"
        with _timed(talk, "label") as step:
            labels.draw(label, at, [device])
            step.update(path=str(label))
        _tested(wish, cable, device, place, talk)
    seconds = round(time.monotonic() - began, 1)
    talk.event("done", port=port, device=device, site=at, anew=anew, label=str(label), seconds=seconds)
    return Provisioned(port, device, at, board.board.name, anew, label, seconds)


def may_begin(wish: Wish) -> tuple[sites.Site | None, apart.Answer | None]:
    """The wish's site and answer; what can be held against it before a board is touched, is.

    Raises:
        ToolError, BridgeError: what is wished for can't be.
    """
    place = sites.load(wish.site) if wish.site else None
    answer = apart.read_answer(wish.answer) if wish.answer else None
    _site(wish.at, place, answer, "")
    if wish.operation is not None and wish.operation not in KINDS:
        raise ToolError(
            _("operation {operation!r}: one of {kinds}").format(operation=wish.operation, kinds=", ".join(KINDS))
        )
    if wish.board:
        boards.load(wish.board)
    if wish.request:
        apart.must_fit(wish.request)
    if wish.label and wish.label.exists():
        outfile.must_fit(wish.label, BEGINS)
    if place:
        _must_be_whole(place)
    return place, answer


def _left(
    cable: Cable,
    told: Facts,
    to: str,
    place: sites.Site | None,
    answer: apart.Answer | None,
    said: leaving.Told,
    talk: Talk,
) -> leaving.Left | None:
    """The other site whose terminal it is; None where none, or where its new site is not known yet."""
    if place:
        return leaving.left(cable, told, to, place.ca().public_bytes(serialization.Encoding.DER), said, talk.ask)
    return leaving.left(cable, told, to, answer.ca, said, talk.ask) if answer else None


def _must_be_whole(place: sites.Site) -> None:
    """Looked at before a terminal is stopped for it. Raises ToolError, BridgeError where something is missing."""
    place.ca()
    sites.signing_key(place.folder)
    with enrol.registry(place):
        pass


@contextmanager
def _worked_on(port: str) -> Generator[Cable]:
    """The board at a port, stopped. Whatever breaks the work off, what it has runs again."""
    with connected(port) as cable:
        try:
            yield cable
        except BaseException:
            with suppress(ToolError):
                cable.restart()
            raise


def _site(wanted: str | None, place: sites.Site | None, answer: apart.Answer | None, has: str) -> str:
    """The site's name; "" where whoever signs has to choose. has: where the board is now."""
    if answer:
        return answer.site
    if place is None:
        return wanted or ""
    if wanted and wanted not in place.sites:
        raise ToolError(
            _("no site {wanted!r} in {folder}: {sites}").format(
                wanted=wanted, folder=place.folder, sites=", ".join(place.sites)
            )
        )
    return wanted or (has if has in place.sites else place.sites[0])


def _enrolled(
    wish: Wish,
    cable: Cable,
    device: str,
    at: str,
    board: Board,
    wifi: tuple[str, str | None] | None,
    answer: apart.Answer | None,
    talk: Talk,
) -> bool:
    """Enrol it, with the site's folder or with its answer; whether it is new to the site."""
    since = time.monotonic()

    def tell(text: str) -> None:
        nonlocal since
        talk.event("step", step="enrol", text=text, seconds=round(time.monotonic() - since, 1))
        since = time.monotonic()

    if answer:
        answer.must_be_for(enrol.ask(cable, device))
        tell(_("the terminal has the keys with which it asked"))
        enrol.settle(cable, answer.handover, wifi)
        tell(_("the terminal has its settings"))
        return False
    if wish.site is None:
        raise ToolError(_("no site: its folder with --site, or --request and --answer where it is elsewhere"))
    settings: dict[str, Any] = {"operation": wish.operation or _OPERATION, "ntp": wish.ntp, "wifi": wifi, "tell": tell}
    return enrol.enrol(wish.site, cable, device, at, board, **settings).anew


def _tested(wish: Wish, cable: Cable, device: str, place: sites.Site | None, talk: Talk) -> None:
    failed: list[Check] = []

    def tell(check: Check) -> None:
        if check.ok is False:
            failed.append(check)
        talk.event("check", what=check.name, ok=check.ok, text=check.text)

    with _timed(talk, "self-test"), enrol.registry(place) if place else nullcontext() as registry:

        def heard_since(moment: int) -> bool:
            try:
                return registry is not None and registry.find(device).head_at >= moment
            except UnknownDevice:
                return False

        known = heard_since if registry else None
        passed = selftest.run(cable, known, SystemClock().now(), link=wish.link, tell=tell)
        if not passed:
            found = "; ".join(f"{_(check.name)} {check.text}" for check in failed)
            raise NotReadyError(
                _(
                    "{device} is enrolled, but did not pass its self-test ({found}). Mend that, and run this again"
                ).format(device=device, found=found)
            )


@contextmanager
def _timed(talk: Talk, step: str) -> Generator[dict[str, Any]]:
    """A step that is told once it is done, with its time and what the block adds."""
    began = time.monotonic()
    found: dict[str, Any] = {}
    yield found
    talk.event("step", step=step, **found, seconds=round(time.monotonic() - began, 1))
