"""When all is well again: the seven promises, held against journals, ledger and platform."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import cbor2

from host_bridge.audit.run import audit
from host_bridge.wire import digest
from tests.simulation.plagues import clocks_step
from tests.simulation.stage import GONE, SITES, STRANGER

_PENDING, _ERROR = 3, 5
_SALE = 1
_AUDITED = 4  # one world in so many is audited, too: that takes a fifth of a world's time
_ALARMS = ("lost", "chain", "went-back")  # of which an honest terminal never is the cause


def settled(world: Any, books: sqlite3.Connection) -> bool:
    """Whether everybody is done: all is receipted, decided and settled, and what is final was said."""
    for terminal in world.terminals:
        journal = terminal.box.journal if terminal.box else None
        if journal is None or journal.freed != journal.newest:
            return False
    waits = books.execute(
        "SELECT (SELECT count(*) FROM outbox WHERE state NOT IN ('done', 'cancelled'))"
        " + (SELECT count(*) FROM scans WHERE outcome IS NULL AND device != ?)"
        " + (SELECT count(*) FROM verdicts WHERE sent = 0 AND device != ?)",
        (GONE, GONE),
    ).fetchone()
    return waits == (0,)


def after(world: Any, books: sqlite3.Connection) -> Iterator[str]:
    """What is wrong at the end of a world."""
    for terminal in world.terminals:
        yield from _kept(world, books, terminal)
    for terminal in world.terminals:
        yield from _quiet(books, terminal.name)
        if terminal.name not in world.cloned and _forks(books, terminal.name):
            yield f"{terminal.name}: two records under one number, and nobody stole its key"
    if clocks_step not in world.plagues:
        yield from _suspended(books)
    yield from _answered(books)
    yield from _said(world, books)
    yield from _sold_once(world, books)
    yield from _outlaws(world, books)
    if world.seed % _AUDITED:
        return
    for one in audit(world.stage.url, {}, world.bridges[0].now()).listed:
        stolen = one.kind == "fork" and one.device in world.cloned
        if not stolen and (one.device, one.kind) != (GONE, "gap"):  # nobody asks a revoked one for what did not come
            yield str(one)


def _forks(books: sqlite3.Connection, name: str) -> int:
    return books.execute("SELECT count(*) FROM conflicts WHERE device = ?", (name,)).fetchone()[0]


def _suspended(books: sqlite3.Connection) -> Iterator[str]:
    """Promise 2: who signed two records under one number claims nothing any more."""
    for device, seq, outcome in books.execute(
        "SELECT device, seq, outcome FROM scans JOIN (SELECT device, min(received_at) AS since FROM conflicts"
        " GROUP BY device) USING (device) WHERE decided_at > since AND outcome != ?",
        (_ERROR,),
    ):
        yield f"{device}/{seq}: a suspended terminal's record was decided as {outcome}"


def records_of(books: sqlite3.Connection, name: str) -> int:
    """How many records the ledger has of a device."""
    return books.execute("SELECT count(*) FROM scans WHERE device = ?", (name,)).fetchone()[0]


def _kept(world: Any, books: sqlite3.Connection, terminal: Any) -> Iterator[str]:
    """Promises 1 and 2: every kept record is in the ledger once, in order, chained, and freed only there."""
    name, kept = terminal.name, world.watch.kept[terminal.name]
    journal = terminal.box.journal
    rows = books.execute("SELECT seq, digest, message FROM scans WHERE device = ? ORDER BY seq", (name,)).fetchall()
    if [row[0] for row in rows] != list(range(1, journal.newest + 1)):
        yield f"{name}: its journal ends at {journal.newest}, the ledger has {[row[0] for row in rows]}"
    if journal.freed != journal.newest:
        yield f"{name}: {journal.newest - journal.freed} records are not receipted"
    held = {seq: named for seq, named, _ in rows}
    for seq, named in kept.items():
        if held.get(seq) != named:
            yield f"{name}: record {seq} is not in the ledger as it was kept"
    before = bytes(32)
    for seq, _, message in rows:
        if cbor2.loads(cbor2.loads(message).value[2])[3] != before:
            yield f"{name}: record {seq} does not name the one before it"
        before = digest(message)
    if terminal.flash.violations:
        yield f"{name}: flash was used as NOR forbids: {terminal.flash.violations[:3]}"


def _quiet(books: sqlite3.Connection, name: str) -> Iterator[str]:
    """Promise 2: other bytes under a used number are an alarm, and no honest terminal is said to have made any."""
    alerts = books.execute("SELECT kind, first, last, detail FROM alerts WHERE device = ?", (name,)).fetchall()
    forked = books.execute("SELECT DISTINCT seq FROM conflicts WHERE device = ? ORDER BY seq", (name,)).fetchall()
    status = books.execute("SELECT status FROM devices WHERE id = ?", (name,)).fetchone()[0]
    if status != ("suspended" if forked else "enrolled"):
        yield f"{name} is {status}, with {len(forked)} numbers that were used twice"
    if {(seq,) for kind, seq, *_ in alerts if kind == "conflict"} != set(forked):
        yield f"{name}: numbers used twice are {forked}, alerts {alerts}"
    for kind, first, last, detail in alerts:
        if kind in _ALARMS:
            yield f"{name}: alert {kind} for {first} to {last}: {detail}"
    if books.execute("SELECT 1 FROM passed WHERE device = ?", (name,)).fetchone():
        yield f"{name}: records were passed over"


def _answered(books: sqlite3.Connection) -> Iterator[str]:
    """Promise 3: every record has its verdict; one that is pending waits for a submission, and none is left."""
    for device, seq, outcome, final in books.execute(
        "SELECT scans.device, scans.seq, scans.outcome, verdicts.outcome FROM scans"
        " LEFT JOIN verdicts ON verdicts.device = scans.device AND verdicts.seq = scans.seq"
    ):
        if outcome is None and device == GONE:  # a lower one never came, and nobody asks for it
            continue
        if outcome is None or (outcome == _PENDING and final is None):
            yield f"{device}/{seq} has no {'final ' if outcome else ''}verdict"
    for key, state in books.execute("SELECT key, state FROM outbox WHERE state NOT IN ('done', 'cancelled')"):
        yield f"submission {key} is still {state}"


def _said(world: Any, books: sqlite3.Connection) -> Iterator[str]:
    """A final verdict that followed a pending one counts as said only once a broker had it."""
    for device, seq in books.execute("SELECT device, seq FROM verdicts WHERE sent > 0"):
        if (device, seq) not in world.watch.delivered and device != GONE:
            yield f"{device}/{seq}: its final verdict counts as sent, and no broker ever had it"


def _sold_once(world: Any, books: sqlite3.Connection) -> Iterator[str]:
    """Promise 4: at most one accepted sale of a code stands, and the platform's books say the same."""
    standing: dict[str, str] = {}
    for code, device, seq in books.execute(
        "SELECT scans.code, scans.device, scans.seq FROM scans"
        " LEFT JOIN verdicts ON verdicts.device = scans.device AND verdicts.seq = scans.seq"
        " WHERE operation = ? AND coalesce(verdicts.outcome, scans.outcome) = 0 AND voided_by IS NULL",
        (_SALE,),
    ):
        if code in standing:
            yield f"{code} was sold twice: {standing[code]}, {device}/{seq}"
        standing[code] = f"{device}/{seq}"
    held = dict(books.execute("SELECT code, device || '/' || seq FROM codes WHERE state = 'sold'"))
    for code, key in standing.items():
        if held.get(code) != key:
            yield f"{code} was sold by {key}, and is held by {held.get(code)}"
    theirs = world.platform.standing()  # a void of a return sells again under its own key: none of `standing`
    for code in sorted({*held, *theirs}):
        if held.get(code) != theirs.get(code):
            yield f"{code} is held by {held.get(code)}, by the platform's books by {theirs.get(code)}"


def _outlaws(world: Any, books: sqlite3.Connection) -> Iterator[str]:
    """Promise 7: nothing of a stranger or a revoked terminal gets in."""
    for name in world.watch.outlaws:
        before = 0 if name == STRANGER else world.records_of_outlaw
        if records_of(books, name) != before:
            yield f"{name} got records in"
    known = ", ".join(f"'{name}'" for name in SITES)
    if books.execute(f"SELECT 1 FROM scans WHERE device NOT IN ({known})").fetchone():
        yield "a device that nobody enrolled got records in"
