"""Provisions one board, step by step; each step is told with its time, and all of it can be repeated."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from host_bridge.clock import SystemClock
from host_bridge.errors import UnknownDevice
from scanlatch_tools import boards, enrol
from scanlatch_tools import site as sites
from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.cable import Cable, connected
from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels import device as labels
from scanlatch_tools.provision import facts, firmware, selftest
from scanlatch_tools.provision.errors import NotForThisError, NotReadyError
from scanlatch_tools.provision.facts import Facts
from scanlatch_tools.provision.selftest import Check
from scanlatch_tools.site_plan import check_name

_SSID_BYTES = 32  # IEEE 802.11
_PASSWORD_BYTES = 63  # WPA's; more can't be stored


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

    site: the site's folder; at: which of its sites, None: the first; name: the terminal's id, None: the one it has, or
    one made of the chip's number; board: None: the one it was provisioned for; wifi: name and password of the network;
    password None: asked for, or the one it has; link: whether the broker can be reached where this is done; label: the
    PDF to write.
    """

    site: Path
    at: str | None = None
    name: str | None = None
    board: str | None = None
    operation: str = "sale"
    ntp: str | None = None
    wifi: str | None = None
    password: str | None = None
    link: bool = True
    label: Path | None = None


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A board that became a terminal, or was one."""

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
    place = sites.load(wish.site)
    at = wish.at or place.sites[0]
    if at not in place.sites:
        raise ToolError(f"no site {at!r} in {place.folder}: {', '.join(place.sites)}")
    with connected(port) as cable:
        told = facts.ask(cable)
        device = _device(told, name(told) if name else wish.name)
        board = _board(wish.board or told.board, talk)
        wifi = _wifi(board, wish, told, talk)
        talk.event("board", port=port, board=board.board.name, device=device, site=at, before=told.device)
        with _timed(talk, "firmware") as step:
            done = firmware.copy(cable, board, lambda part, total: talk.progress("firmware", part, total))
            step.update(written=done.written, kept=done.kept, removed=done.removed)
        enrolled = _enrolled(wish, cable, device, at, board, wifi, talk)
        label = wish.label or place.folder / "labels" / f"{device}.pdf"
        with _timed(talk, "label") as step:
            label.parent.mkdir(parents=True, exist_ok=True)
            labels.draw(label, at, [device])
            step.update(path=str(label))
        _tested(wish, cable, device, place, talk)
    seconds = round(time.monotonic() - began, 1)
    talk.event("done", port=port, device=device, site=at, anew=enrolled.anew, label=str(label), seconds=seconds)
    return Provisioned(port, device, at, board.board.name, enrolled.anew, label, seconds)


def _enrolled(
    wish: Wish, cable: Cable, device: str, at: str, board: Board, wifi: tuple[str, str | None] | None, talk: Talk
) -> enrol.Enrolled:
    since = time.monotonic()

    def tell(text: str) -> None:
        nonlocal since
        talk.event("step", step="enrol", text=text, seconds=round(time.monotonic() - since, 1))
        since = time.monotonic()

    settings: dict[str, Any] = {"operation": wish.operation, "ntp": wish.ntp, "wifi": wifi, "tell": tell}
    return enrol.enrol(wish.site, cable, device, at, board, **settings)


def _tested(wish: Wish, cable: Cable, device: str, place: sites.Site, talk: Talk) -> None:
    failed: list[Check] = []

    def tell(check: Check) -> None:
        if check.ok is False:
            failed.append(check)
        talk.event("check", what=check.name, ok=check.ok, text=check.text)

    with _timed(talk, "self-test"), enrol.registry(place) as registry:

        def heard_since(moment: int) -> bool:
            try:
                return registry.find(device).head_at >= moment
            except UnknownDevice:
                return False

        passed = selftest.run(cable, heard_since, SystemClock().now(), link=wish.link, tell=tell)
    if not passed:
        found = "; ".join(f"{check.name} {check.text}" for check in failed)
        raise NotReadyError(f"{device} is enrolled, but did not pass its self-test: {found}. Then run this again")


def _device(told: Facts, wanted: str | None) -> str:
    name = wanted or told.own_name
    if not name:
        raise ToolError("the board tells no number to make an id of: give it one with --name")
    if told.device and told.device != name:
        raise NotForThisError(f"this board is {told.device!r}, and an id is for life: leave --name away, or retire it")
    return check_name(name, "device id")


def _board(name: str, talk: Talk) -> Board:
    if name:
        return boards.load(name)
    known = boards.names()
    answer = talk.ask(f"which board is it: {', '.join(known)}", known)
    if answer is None:
        raise ToolError(f"say which board it is with --board: {', '.join(known)}, or a file of your own")
    return boards.load(answer)


def _wifi(board: Board, wish: Wish, told: Facts, talk: Talk) -> tuple[str, str | None] | None:
    """Name and password of the network; password None: the board has it already."""
    if compiled(board)["network"]["kind"] != "wifi":
        return None
    ssid = wish.wifi or told.wifi
    if not ssid:
        raise ToolError("this board joins a Wi-Fi: name it with --wifi; its password is asked for")
    password = wish.password
    if password is None and not (told.password and ssid == told.wifi):
        password = talk.secret(f"password of the Wi-Fi {ssid!r}")
        if password is None:
            raise ToolError(
                "the Wi-Fi's password is missing: --wifi-password-file FILE (an empty one: an open network)"
            )
    if len(ssid.encode()) > _SSID_BYTES or (password and len(password.encode()) > _PASSWORD_BYTES):
        raise ToolError(f"a Wi-Fi's name has at most {_SSID_BYTES} bytes, its password {_PASSWORD_BYTES}")
    return ssid, password


@contextmanager
def _timed(talk: Talk, step: str) -> Generator[dict[str, Any]]:
    """A step that is told once it is done, with its time and what the block adds."""
    began = time.monotonic()
    found: dict[str, Any] = {}
    yield found
    talk.event("step", step=step, **found, seconds=round(time.monotonic() - began, 1))
