"""Looks at a board over its cable: stopped first, its parts one by one, then started again and watched."""

import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization

from host_bridge.agreement import Agreements
from host_bridge.clock import SystemClock
from host_bridge.errors import BridgeError, UnknownDevice
from host_bridge.ledger.devices import ENROLLED
from scanlatch_tools import boards, enrol
from scanlatch_tools import site as sites
from scanlatch_tools.boards import Board
from scanlatch_tools.cable import Cable, DeviceError, NoAnswerError, NonsenseError, connected
from scanlatch_tools.doctor import asked, judge
from scanlatch_tools.doctor.finding import BAD, Finding, Tell
from scanlatch_tools.doctor.parts import at_parts
from scanlatch_tools.errors import ToolError
from scanlatch_tools.provision import firmware, selftest

_STARTS = "main.py"
_ROOT = ("boot.py", _STARTS)
_LOOK_S = 0.2
_SAID_MOST = 200  # characters of a board's odd words
# A board's words are foreign: numbers, texts and tables where others are wanted.
_ODD = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
# Without these being well the program would only be waited for in vain.
_NEEDED = ("micropython", "firmware", "keys", "settings", "certificate", "journal")

Ask = Callable[[str], bool | None]  # a question for yes or no; None: nobody is there


@dataclass(frozen=True, slots=True)
class Wish:
    """site: the site's folder, None: what only the bridge knows is left out; board: in place of the one it says."""

    site: Path | None = None
    board: str | None = None


def look(port: str, wish: Wish, ask: Ask, tell: Tell) -> None:
    """Look at the board at a port; each finding is told. Its program runs again at the end.

    Raises:
        NoAnswerError: neither MicroPython nor a chip's loader answers.
        CableLostError.
    """
    place = sites.load(wish.site) if wish.site else None
    try:
        with connected(port) as cable:
            started = False
            try:
                starts = _stopped(cable, wish, place, ask, tell)
                started = True
                cable.restart()
            finally:
                if not started:
                    _let_run(cable)
            _running(cable, starts, place, tell)
    except NoAnswerError:
        if not _at_its_loader(port, tell):
            raise
    except _ODD as error:
        raise NonsenseError(port, repr(error)) from error


@dataclass(frozen=True, slots=True)
class _Starts:
    """What can be expected of its program. device: "" where it has no settings that it takes."""

    device: str = ""


def _stopped(cable: Cable, wish: Wish, place: sites.Site | None, ask: Ask, tell: Tell) -> _Starts:
    bad = False

    def note(found: Finding | None) -> None:
        nonlocal bad
        if found is not None:
            bad = bad or (found.level == BAD and found.about in _NEEDED)
            tell(found)

    told = _json(cable, asked.PROBE)
    given = _settings(told)
    board = _board(wish.board, given)
    site = _site(place, str(told["nvs"].get("device", ""))) if place else None
    for found in (*judge.chip(told, board), judge.parts(told, board), judge.room(told)):
        note(found)
    home = str(told["home"]).lstrip("/")
    there = cable.digests(*_ROOT, f"{home}/scanlatch".lstrip("/"), f"{home}/whole".lstrip("/"))
    checked = _checked(cable) if given is not None else None
    note(judge.firmware(there, firmware.files(board) if board else None, checked[0] if checked else ""))
    for found in judge.keys(told, site):
        note(found)
    for found in judge.settings(told, given, checked):
        note(found)
    if given is not None:
        note(judge.against_board(given, board))
    if "device" in told["nvs"]:
        for found in judge.certificate(told, time.time(), site):
            note(found)
        for found in _journal(cable, told):
            note(found)
        note(judge.clock(told, time.time()))
    if given is None or bad:
        return _Starts(given["device"] if given and _STARTS in there and checked and not bad else "")
    at_parts(cable, given, ask, tell)
    return _Starts(given["device"] if _STARTS in there else "")


def _site(place: sites.Site, device: str) -> judge.Site:
    keys = Agreements.load(place.agreement)
    used = None
    with contextlib.suppress(BridgeError), enrol.registry(place) as registry:  # what it does not know is told later
        used = registry.public_for(device)
    ca = place.ca().public_bytes(serialization.Encoding.DER)
    return judge.Site(ca, tuple(one.public for one in keys.all), used)


def _running(cable: Cable, starts: _Starts, place: sites.Site | None, tell: Tell) -> None:
    if not starts.device:
        tell(Finding("program.not_tried"))
        return
    since = SystemClock().now()
    watch = selftest.Watch(cable)
    started = watch.wait("started", lambda _: True, selftest.START_S)
    if started is None:
        tell(Finding("program.not", {"seconds": round(selftest.START_S), "last": watch.last or "-"}))
        return
    tell(Finding("program.is"))
    if started.get("fault"):
        tell(Finding("journal.fault", {"why": started["fault"]}))
    tell(_engine(watch))
    up = watch.wait("link", lambda told: told.get("online") is True, selftest.LINK_S)
    if up is None:
        tell(Finding("link.not", {"cause": (watch.newest("link") or {}).get("cause") or "-"}))
    else:
        tell(Finding("link.is"))
    if place is None:
        tell(Finding("bridge.untold"))
        return
    for found in _bridge(place, starts.device, since, up is not None):
        tell(found)


def _engine(watch: selftest.Watch) -> Finding:
    def stands(told: dict[str, Any]) -> bool:
        return told.get("state") == "ready" or str(told.get("detail", "")).endswith("by line")

    found = watch.wait("engine", stands, selftest.ENGINE_S)
    if found is None:
        return Finding("engine.not", {"why": (watch.newest("engine") or {}).get("detail") or "-"})
    if found.get("state") != "ready":
        return Finding("engine.line")
    return Finding("engine.is", {"text": found.get("detail") or "line"})


def _bridge(place: sites.Site, device: str, since: int, linked: bool) -> Iterator[Finding]:
    with enrol.registry(place) as registry:
        try:
            row = registry.find(device)
        except UnknownDevice:
            yield Finding("registry.unknown", {"device": device})
            return
        if row.status != ENROLLED:
            yield Finding("registry.not", {"device": device, "status": row.status})
            return
        yield Finding("registry.is", {"device": device, "site": row.site})
        until = time.monotonic() + (selftest.BRIDGE_S if linked else 0)
        while not (heard := registry.find(device).head_at >= since) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        yield Finding("bridge.is" if heard else "bridge.not")


def _journal(cable: Cable, told: dict[str, Any]) -> Iterator[Finding]:
    if "journal" not in told["nvs"]:
        yield Finding("journal.none")
        return
    found = _asked(cable, asked.JOURNAL)
    if isinstance(found, str):
        if "ImportError" not in found and "EIO" not in found:  # else its reader is missing, and that was told
            yield Finding("journal.gone", {"why": found})
        return
    kept, capacity, room, fault, worn, years = found
    yield judge.journal(kept, capacity, room, fault)
    yield judge.wear(worn, years)


def _at_its_loader(port: str, tell: Tell) -> bool:
    """Whether a chip's loader answers where no MicroPython did; it is told of."""
    from scanlatch_tools.flash import session  # brings esptool along

    try:
        with session.connected(port, stub=False, baud=115_200) as found:
            chip = found.chip
    except ToolError:
        return False
    tell(Finding("chip.loader", {"text": chip.text, "number": chip.mac.replace(":", "")}))
    tell(Finding("flash.is", {"mb": chip.flash_mb}))
    tell(Finding("micropython.none"))
    return True


def _settings(told: dict[str, Any]) -> dict[str, Any] | None:
    try:
        found: Any = json.loads(base64.b64decode(told["settings"]["data"]))
    except (KeyError, ValueError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _checked(cable: Cable) -> list[Any] | None:
    """Version, unknown keys, and what else is wrong with the settings; None where its reader can't be asked."""
    found = _asked(cable, asked.SETTINGS)
    return cast("list[Any]", found) if isinstance(found, list) else None


def _board(name: str | None, given: dict[str, Any] | None) -> Board | None:
    """The board's file: the one that is named, else that of the name in the settings, where there is one."""
    if name is None:
        has: Any = (given or {}).get("board")
        name = str(cast("dict[str, Any]", has).get("name", "")) if isinstance(has, dict) else ""
        if name not in boards.names():
            return None
    return boards.load(name)


def _asked(cable: Cable, code: str) -> Any:
    """What the board answers, or the last line of its traceback."""
    try:
        return _json(cable, code)
    except DeviceError as error:
        return error.last


def _json(cable: Cable, code: str) -> Any:
    said = cable.run(code)
    try:
        return json.loads(said.strip().rpartition("\n")[2])
    except ValueError as error:
        raise ValueError(said[-_SAID_MOST:]) from error


def _let_run(cable: Cable) -> None:
    """Whatever broke this off: the terminal is to work again."""
    with contextlib.suppress(ToolError):
        cable.restart()
