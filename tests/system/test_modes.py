"""A day at one terminal without a screen: control codes, badges, sessions, credentials; in the light and the ledger."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cbor2
import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin import shown

from host_bridge.wire import Family, Operation
from tests.system.conftest import SITE
from tests.system.ledger_view import LedgerView
from tests.system.waiting import until_shown

DEVICE = "d-modes-01"
BACK_S = 6
CREDENTIAL = "424" + "1234567890" * 2 + "12345"
_PRESS_S = 0.3  # a short one: the button is looked at every 20 ms, and long is from 1.5 s on
_SEQ, _OPERATION, _DATA, _FAMILY, _SESSION, _OPERATOR, _TARGET = 2, 8, 10, 11, 12, 13, 16  # keys of a scan


@dataclass
class Sheet:
    """A terminal, the printed sheet of its site beside it, and who scans."""

    stage: Stage
    desk: Desk

    def control(self, word: str, pattern: str, token: str | None = None) -> int:
        """Read a control code until the light says `pattern`; gives the number of the line that told."""
        return self.scan(f"SL/{token or self.stage.site.tokens[SITE]}/{word}", pattern)

    def scan(self, code: str, pattern: str) -> int:
        mark = self.desk.twin.mark()
        self.desk.twin.scan(code)
        return until_shown(self.desk.twin, pattern, mark).line

    def records(self) -> list[dict[int, Any]]:
        """All records of the terminal in the ledger, by the keys of WIRE.md."""
        with Books(self.stage.site) as books:
            return [cbor2.loads(cbor2.loads(one.message).value[2]) for one in books.entries(DEVICE)]

    def newest(self) -> dict[int, Any]:
        """The newest record; it has been answered, so it is there."""
        return self.records()[-1]


@pytest.fixture(scope="module")
def sheet(stage: Stage) -> Iterator[Sheet]:
    twin = stage.terminal(DEVICE, SITE, timing={"mode_back_s": BACK_S, "badge_s": 60})
    desk = Desk(DEVICE, SITE, twin)
    desk.wait_ready()
    yield Sheet(stage, desk)
    assert twin.restarts == 0
    assert twin.violations() == []


def test_a_day(sheet: Sheet, codes: Iterator[str]) -> None:
    """One story, since each step stands on the one before."""
    twin = sheet.desk.twin

    box = next(codes)
    sheet.scan(box, "accepted")
    assert (sheet.newest()[_OPERATION], sheet.newest().get(_OPERATOR)) == (Operation.SALE, None)

    # Receive, and back to sale by itself
    sheet.control("RECEIVE", "idle_receive")
    crate = next(codes)
    mark = sheet.scan(crate, "accepted")
    assert sheet.newest()[_OPERATION] == Operation.RECEIVE
    until_shown(twin, "idle_sale", mark, BACK_S + 10)
    sheet.scan(crate, "accepted")
    assert sheet.newest()[_OPERATION] == Operation.SALE

    # A badge stands in every later record
    sheet.control("BADGE/li-wei-7", "badge")
    sold = next(codes)
    sheet.scan(sold, "accepted")
    assert sheet.newest().get(_OPERATOR) == "li-wei-7"
    assert sheet.stage.platform.sales(sold)

    # Cancelled: once, and the box can be sold again at once
    last = sheet.newest()
    sheet.control("CANCEL", "void_accepted")
    void = sheet.newest()
    assert (void[_OPERATION], void[_TARGET], void[_OPERATOR]) == (Operation.VOID, last[_SEQ], "li-wei-7")
    assert (void[_FAMILY], void[_DATA]) == (Family.CONTROL, f"SL/{sheet.stage.site.tokens[SITE]}/CANCEL".encode())
    sheet.control("REPEAT", "void_accepted")
    sheet.control("CANCEL", "nothing")
    sheet.scan(sold, "accepted")
    sheet.control("REPEAT", "accepted")
    count = len(sheet.records())

    # Another site's sheet, one that nobody printed, and what is not there
    sheet.control("RETURN", "foreign_control", sheet.stage.site.tokens["pharmacy-3"])
    sheet.control("EXPLODE", "unknown_symbol")
    sheet.control("END", "nothing")
    sheet.control("SEEN", "nothing")
    assert len(sheet.records()) == count
    sheet.scan(next(codes), "accepted")
    assert sheet.newest()[_OPERATION] == Operation.SALE

    # A person's credential opens a session, which later records carry until its end
    mark = twin.mark()
    sheet.scan(CREDENTIAL, "session_open")
    assert "credential" in seen(sheet, mark)
    inside = next(codes)
    sheet.scan(inside, "accepted")
    session = sheet.newest().get(_SESSION)
    assert session is not None
    assert session.startswith("S-")
    sheet.control("END", "session_accepted")
    end = sheet.newest()
    assert (end[_OPERATION], end[_SESSION], end[_FAMILY]) == (Operation.SESSION_END, session, Family.CONTROL)
    sheet.control("CANCEL", "nothing")  # what was sold before its end is no longer to be taken back here
    sheet.scan(next(codes), "accepted")
    assert sheet.newest().get(_SESSION) is None
    for file in ("scanlog.bin", "nvs.json", "console.log"):
        assert CREDENTIAL.encode() not in (twin.folder / file).read_bytes()


def test_a_credential_needs_the_link_and_is_never_sent_later(sheet: Sheet, codes: Iterator[str]) -> None:
    desk = sheet.desk
    sheet.scan(CREDENTIAL, "session_open")
    mark = desk.twin.mark()
    sheet.stage.broker.stop()
    try:
        desk.wait_offline(after=mark)
        sheet.scan(f"opc{'9Z' * 12}X", "credential_offline")  # the next person: the session before was not theirs
    finally:
        sheet.stage.broker.start()
    desk.wait_online(60, desk.twin.mark())
    sheet.scan(next(codes), "accepted")
    assert sheet.newest().get(_SESSION) is None


def test_a_credential_that_nobody_answers_shows_an_error_in_time(sheet: Sheet) -> None:
    with LedgerView(sheet.stage) as ledger, ledger.locked(DEVICE):
        mark = sheet.desk.twin.mark()
        sheet.desk.twin.scan("opc" + "A1" * 12 + "B")
        sent = until_shown(sheet.desk.twin, "credential", mark)
        error = until_shown(sheet.desk.twin, "error", mark)
    assert 2_800 <= error.at - sent.at <= 3_600


def test_a_press_says_seen_and_only_the_next_one_scan(sheet: Sheet, codes: Iterator[str]) -> None:
    twin = sheet.desk.twin
    sheet.stage.platform.turn(outage="refuse")
    try:
        mark = sheet.scan("83386520008888888888", "pending")  # nobody knows it, which is told too late
        sheet.scan(next(codes), "pending")
    finally:
        sheet.stage.platform.turn(outage="none")
    until_shown(twin, "attention", mark)
    mark = twin.mark()
    for down in (True, False):
        twin.button(down)
        time.sleep(_PRESS_S)
    until_shown(twin, "done", mark)
    sheet.control("SEEN", "nothing")


def test_a_press_that_is_held_shows_which_terminal_this_is(sheet: Sheet) -> None:
    twin = sheet.desk.twin
    mark = twin.mark()
    twin.button(True)
    until_shown(twin, "identify", mark)
    twin.button(False)


def seen(sheet: Sheet, mark: int) -> list[str]:
    lines = sheet.desk.twin.trace()
    return [one.name for one in shown.Eye(reversed(lines[:mark])).watch(lines[mark:])]
