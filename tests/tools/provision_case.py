"""What tests of provisioning share: a site that runs, a flashed board, a cable that is pulled when it is told to be."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from scanlatch_tools import enrol
from scanlatch_tools.cable import CableLostError, NoAnswerError
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.flash.errors import BrokenOffError, NoChipError
from scanlatch_tools.provision.work import Provisioned, Wish, provision
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

SITE = "clinic-7"
BOARD = "esp32-devkitc"
PASSWORD = "a password of the air"
STOCK = [f"8338652{number:013}" for number in range(500)]
_CALL, _END = b"\x05A\x01", b"\x04"  # of MicroPython's raw paste mode: a call begins, a call is whole


class Listener:
    """Talks to nobody, and keeps what it was told. pull: called when the event of this number comes."""

    def __init__(self, pull_at: int = 0, board: BareBoard | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._pull_at = pull_at
        self._board = board

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))
        if len(self.events) == self._pull_at and self._board:
            self._board.pull_cable()

    def progress(self, step: str, done: int, total: int) -> None:
        assert done <= total, step

    def ask(self, question: str, among: Sequence[str]) -> str | None:
        return None

    def secret(self, question: str) -> str | None:
        return None

    def told(self, name: str, **wanted: Any) -> dict[str, Any]:
        return next(facts for event, facts in self.events if event == name and wanted.items() <= facts.items())


class PulledBoard(BareBoard):
    """Its cable, and its power with it, is pulled at the call `pull`: (number, whether it is whole)."""

    pull: tuple[int, bool] | None = None
    calls = 0

    def arm(self, call: int, whole: bool) -> None:
        """Have it pulled at this call of those to come."""
        self.calls, self.pull, self.pulled = 0, (call, whole), threading.Event()

    def _from_host(self, data: bytes, baud: int) -> None:
        begins = data.count(_CALL)
        self.calls += begins
        if self.pull and self.calls >= self.pull[0]:
            whole = self.pull[1]
            if not whole or (_END in data and not begins):
                self.pull = None
                if whole:
                    super()._from_host(data, baud)
                self.pull_cable()
                self.pulled.set()
                return
        super()._from_host(data, baud)


def wish(stage: Stage, **more: Any) -> Wish:
    """The wish for a terminal of the stage's site, with Wi-Fi."""
    given: dict[str, Any] = {"board": BOARD, "wifi": "clinic", "password": PASSWORD, **more}
    return Wish(stage.site.folder, **given)


def made(stage: Stage, target: BareBoard, talk: Listener | None = None, **more: Any) -> Provisioned:
    """Provision a board, to the end."""
    return provision(wish(stage, **more), str(target.port), talk or Listener())


def sold(board: BareBoard, device: str, code: str) -> Desk:
    """Scan one box at the board: it must be accepted."""
    desk = Desk(device, SITE, board)
    desk.wait_online(60)  # its self-test has seen the engine
    seen = desk.hold_text(code, frozenset({"accepted"}))
    assert seen.answer == "accepted", seen.shown
    return desk


def keys_of(board: BareBoard) -> dict[str, bytes]:
    """The private keys that a board keeps, out of the stand-in's store."""
    kept: dict[str, Any] = json.loads((board.folder / "nvs.json").read_text())["scanlatch"]
    return {name: bytes.fromhex(kept[name]) for name in ("sign_key", "agree_key", "tls_key")}


def lost(board: BareBoard, do: Callable[[], object]) -> bool:
    """Whether this broke off by a pull of the cable; it is in again then."""
    try:
        do()
    except (CableLostError, NoAnswerError, BrokenOffError, NoChipError):
        board.put_cable_in()
        return True
    return False


def is_what_was_meant(stage: Stage, board: BareBoard, device: str) -> None:
    """The terminal is whole: flash rules kept, no half file, one terminal with one scan in the registry."""
    assert board.violations() == []
    assert list(board.files.rglob("*.part")) == []
    with enrol.registry(stage.site) as registry:
        assert registry.find(device).newest == 1
        assert [row.id for row in registry.listed()].count(device) == 1
