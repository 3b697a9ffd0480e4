"""Follows a terminal as its bridge hears it: connected or not, its health, and each record with its answer."""

import time
from collections.abc import Callable
from pathlib import Path

from host_bridge.ledger import devices as rows
from host_bridge.ledger import hints, scans
from host_bridge.ledger.open import Ledger, open_existing
from host_bridge.wire import Outcome
from scanlatch_tools import site as sites
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_LOOK_S = 0.5
_OPEN_MOST = 1_000  # records whose final answer is waited for

Tell = Callable[..., None]


def follow(folder: Path, device: str, tell: Tell) -> None:
    """Tell what comes, until Ctrl-C.

    tell: gets "status" and "health" with the terminal's message as `told`, "record" with seq, outcome and reason.

    Raises:
        ToolError: the site knows no such terminal.
    """
    ledger = open_existing(sites.load(folder).ledger_url)
    try:
        seen = _Seen(ledger, device, tell)
        while True:
            seen.look()
            time.sleep(_LOOK_S)
    finally:
        ledger.close()


class _Seen:
    """What was told already."""

    def __init__(self, ledger: Ledger, device: str, tell: Tell) -> None:
        self._ledger, self._device, self._tell = ledger, device, tell
        self._hints: dict[str, int] = {}
        self._told: dict[int, tuple[int, int] | None] = {}  # by seq; those that a final answer may follow
        self._newest: int | None = None

    def look(self) -> None:
        with self._ledger.read() as connection:
            row = rows.get(connection, self._device)
            if row is None:
                raise ToolError(_("no terminal {device} in this site's registry").format(device=self._device))
            said = hints.of_device(connection, self._device)
            first = row.newest + 1 if self._newest is None else self._newest + 1
            self._newest = max(row.newest, self._newest or 0)
            wanted = [*self._told, *range(first, self._newest + 1)][-_OPEN_MOST:]
            today = scans.today(connection, [(self._device, seq) for seq in wanted])
        for kind in ("status", "health"):
            if kind in said and said[kind].received_at != self._hints.get(kind):
                self._hints[kind] = said[kind].received_at
                self._tell(kind, told=said[kind].told)
        for seq in wanted:
            self._record(seq, today.get((self._device, seq)))

    def _record(self, seq: int, verdict: scans.Today | None) -> None:
        if verdict is None:  # its turn has not come
            self._told.setdefault(seq, None)
            return
        outcome = Outcome(verdict.outcome)
        if self._told.get(seq) != (verdict.outcome, verdict.reason):
            self._tell("record", seq=seq, outcome=outcome.name.lower(), reason=verdict.reason)
        if outcome is Outcome.PENDING:
            self._told[seq] = verdict.outcome, verdict.reason
        else:
            self._told.pop(seq, None)
