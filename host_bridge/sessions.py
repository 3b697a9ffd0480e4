"""Sessions: opened on a terminal, told what they may dispense and who pays, closed, read for the receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from host_bridge import inputs
from host_bridge.clock import Chance
from host_bridge.errors import BadInput, MayNotDispense, NotFound, NotOpen, PermanentError, UnknownDevice
from host_bridge.ledger import Connection, Ledger, commands, devices, goods, periods
from host_bridge.ledger import sessions as rows
from host_bridge.ledger.devices import ENROLLED, DeviceRow
from host_bridge.ledger.periods import Scanned
from host_bridge.ledger.sessions import INSURED, SELF_PAY, WORK_INJURY, Line, SessionRow

KINDS = ("sale", "return", "receive", "stock-take", "query", "dispatch")  # what a terminal can be told to do
PAYERS = (INSURED, SELF_PAY, WORK_INJURY)
MINUTES_MAX = 24 * 60
LINES_MAX, QUANTITY_MAX = 200, 10_000
_COMMAND_MS = 60_000  # a terminal that was off the air for longer is not surprised by an old session
_ID_BITS = 48


@dataclass(frozen=True, slots=True)
class Status:
    """A session as it stands: its row with lines, and every decided scan of it, in the order of capture.

    reply: what its terminal said to the command that opened it, "ok" where it is in force there; None where it said
    nothing yet, or was given another session since.
    """

    session: SessionRow
    scans: tuple[Scanned, ...]
    reply: str | None


def open_session(
    ledger: Ledger,
    device: str,
    now: int,
    chance: Chance,
    *,
    kind: str = "sale",
    payer: str = INSURED,
    lines: Sequence[Line] = (),
    expects: bool | None = None,
    minutes: int = 30,
) -> str:
    """Open a session and send its terminal the command; the session's id.

    Args:
        ledger: where it is kept.
        device: the terminal that it is for, enrolled.
        now: ms UTC.
        chance: where its id comes from.
        kind: what the terminal does in it, one of KINDS.
        payer: who pays, one of PAYERS.
        lines: what it may dispense; products must be known.
        expects: whether the lines are all that it may dispense; by itself wherever there are lines.
        minutes: how long it stays open by itself.

    Raises BadInput, NotFound for a product, UnknownDevice, PermanentError for a device that is not enrolled.
    """
    if kind not in KINDS or payer not in PAYERS:
        raise BadInput("session", f"kind is one of {', '.join(KINDS)}, payer one of {', '.join(PAYERS)}")
    until = now + inputs.count("minutes", minutes, 1, MINUTES_MAX) * 60_000
    _check(lines)
    day = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d")
    session = f"S-{day}-{chance.getrandbits(_ID_BITS):012x}"
    with ledger.write() as connection:
        row = _enrolled(connection, device)
        _need_products(connection, lines)
        all_of_it = bool(lines) if expects is None else expects
        rows.insert(connection, session, device, row.site, kind, now, until, payer, all_of_it)
        rows.insert_lines(connection, session, lines)
        arguments = {"id": session, "kind": kind, "until": until}
        commands.add(connection, row, "session", arguments, now, now + _COMMAND_MS)
    return session


def close_session(ledger: Ledger, session: str, now: int) -> Status:
    """Close a session, and end it on its terminal where it is the one in force there. Again: nothing happens.

    Raises NotFound.
    """
    with ledger.write() as connection:
        locked = devices.lock(connection, {_need(connection, session, locked=False).device})
        row = _need(connection, session)
        if row.closed_at is None:
            rows.close(connection, [session], now)
            for device in locked.values():
                if commands.last(connection, device.id, "session")[0].get("id") == session:
                    commands.add(connection, device, "session", {"id": ""}, now, now + _COMMAND_MS)
        return _status(connection, session)


def set_lines(ledger: Ledger, session: str, lines: Sequence[Line], now: int, expects: bool = True) -> None:
    """Give an open session other lines; what went out on a line of the same number and product stays counted.

    Raises BadInput where less would be allowed than went out already, NotFound, NotOpen.
    """
    _check(lines)
    with ledger.write() as connection:
        row = _need(connection, session)
        _must_be_open(row, now)
        _need_products(connection, lines)
        new = {line.line: line for line in lines}
        for old in row.lines:
            line = new.get(old.line)
            if old.taken and (line is None or (line.product, line.split) != (old.product, old.split)):
                raise BadInput(f"line {old.line}", f"{old.taken} went out on it already; it must stay")
            if line is not None and old.taken:
                inputs.count(f"line {old.line}: quantity", line.quantity, old.taken, QUANTITY_MAX)
                new[old.line] = Line(line.line, line.product, line.quantity, line.split, old.taken)
        rows.replace_lines(connection, session, list(new.values()), expects)


def status(ledger: Ledger, session: str) -> Status:
    """A session as it stands. Raises NotFound."""
    with ledger.read() as connection:
        return _status(connection, session)


def dispense(connection: Connection, session: str, site: str, product: str, quantity: int, now: int) -> SessionRow:
    """Count boxes that go out in a session without a scan, in the caller's transaction.

    Raises NotFound, NotOpen (closed, over, of another site or kind), MayNotDispense (not on its lines, or too many).
    """
    row = _need(connection, session)
    _must_be_open(row, now)
    if row.site != site or row.kind != "sale":
        raise NotOpen("session", session, f"is not a sale at {site}")
    mine = [line for line in row.lines if line.product == product and not line.split]
    fitting = next((line for line in mine if line.quantity - line.taken >= quantity), None)
    if fitting is not None:
        rows.take(connection, [(session, fitting.line, quantity)])
    elif row.expects:
        why = f"fewer than {quantity} are left on the session's line" if mine else "it is not on the session's lines"
        raise MayNotDispense(product, why)
    return row


def _check(lines: Sequence[Line]) -> None:
    inputs.count("lines", len(lines), 0, LINES_MAX)
    if len({line.line for line in lines}) != len(lines):
        raise BadInput("lines", "two have the same number")
    for line in lines:
        inputs.count("line", line.line, 1, 32_767)
        inputs.count(f"line {line.line}: quantity", line.quantity, 1, QUANTITY_MAX)
        inputs.count(f"line {line.line}: taken", line.taken, 0, 0)


def _need_products(connection: Connection, lines: Sequence[Line]) -> None:
    missing = {line.product for line in lines} - goods.products_of(connection, {line.product for line in lines}).keys()
    if missing:
        raise NotFound("product", min(missing))


def _enrolled(connection: Connection, device: str) -> DeviceRow:
    row = devices.lock(connection, [device]).get(device)
    if row is None:
        raise UnknownDevice(device)
    if row.status != ENROLLED:
        raise PermanentError(f"device {device!r} is {row.status}; re-instate it, or open the session on another")
    return row


def _need(connection: Connection, session: str, locked: bool = True) -> SessionRow:
    row = rows.get(connection, [session], locked).get(session)
    if row is None:
        raise NotFound("session", session)
    return row


def _must_be_open(row: SessionRow, now: int) -> None:
    if row.closed_at is not None or now >= row.until:
        raise NotOpen("session", row.id, "is over")


def _status(connection: Connection, session: str) -> Status:
    row = _need(connection, session, locked=False)
    arguments, reply = commands.last(connection, row.device, "session")
    mine = arguments.get("id") == session
    return Status(row, tuple(periods.of_session(connection, session)), reply if mine else None)
