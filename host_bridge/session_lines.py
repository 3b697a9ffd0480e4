"""Which line of a session a box counts on, and which gets it back."""

from host_bridge import trace_code
from host_bridge.ledger import catalogue, sessions
from host_bridge.ledger.catalogue import Claim
from host_bridge.ledger.sessions import Line, SessionRow
from host_bridge.rules import Place, SessionState
from host_bridge.wire import Operation
from host_bridge.work import Work

_KINDS: dict[int | None, str] = {Operation.SALE: "sale", Operation.STOCK_TAKE: "stock-take"}


def state(row: SessionRow | None, device: str | None, named: bool, at: int) -> SessionState:
    """How far the session got that a record of `device` names, read `at` ms UTC."""
    if not named:
        return SessionState.NONE
    if row is None or row.device != device:
        return SessionState.UNKNOWN
    if row.closed_at is not None:
        return SessionState.CLOSED
    return SessionState.OVER if at > row.until else SessionState.IN_FORCE


def of_another_kind(row: SessionRow | None, device: str, operation: int | None) -> bool:
    """Whether the operation counts for the session that it names, but that one was opened for another."""
    return row is not None and row.device == device and row.kind != _KINDS.get(operation, row.kind)


def has_split(row: SessionRow, product: str | None) -> bool:
    """Whether parts of the product may be dispensed."""
    return any(line.split for line in row.lines if line.product == product)


def place(row: SessionRow, product: str | None, opened: bool) -> tuple[Place, Line | None]:
    """The line that a box of `product` counts on: whole ones first; an opened box only on one for parts."""
    lines = [line for line in row.lines if line.product == product and (line.split or not opened)]
    if not lines:
        return Place.NONE, None
    for line in sorted(lines, key=lambda one: one.split):
        if line.taken < line.quantity:
            return (Place.PART if line.split else Place.WHOLE), line
    return Place.FULL, None


def taken_on(row: SessionRow, product: str | None, split: bool) -> Line | None:
    """The line that a box, or part of one, counted on that comes back: of several the last that has any."""
    return next(
        (one for one in reversed(row.lines) if one.product == product and one.split == split and one.taken > 0), None
    )


def free_again(row: SessionRow, product: str | None, split: bool) -> tuple[bool, Line | None]:
    """Whether what came back may go out again, and the line that it counts on: none where it counted on none."""
    lines = [line for line in row.lines if line.product == product and line.split == split]
    line = next((line for line in lines if line.taken < line.quantity), None)
    return line is not None or not lines, line


class LinesBack:
    """Boxes whose sales do not stand: while their session is open, its lines have room for them again."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._boxes: list[tuple[str, str, bool]] = []

    def add(self, session: str, code: str, split: bool) -> None:
        """One box, or part of one, comes back."""
        self._boxes.append((session, code, split))

    def write(self) -> None:
        """Write the lines; nothing is read where nothing came back, or no session of it has lines."""
        connection = self._work.connection
        found = sessions.get(connection, {session for session, _, _ in self._boxes}) if self._boxes else {}
        rows = {name: row for name, row in found.items() if row.closed_at is None and row.lines}
        boxes = [box for box in self._boxes if box[0] in rows]
        if not boxes:
            return
        claims = {code: Claim(trace_code.prefix(code), trace_code.gtin(code)) for _, code, _ in boxes}
        facts = catalogue.facts(connection, claims, self._work.now)
        taken: list[tuple[str, int, int]] = []
        for session, code, split in boxes:
            line = taken_on(rows[session], facts[code].product, split)
            if line is not None:
                line.taken -= 1
                taken.append((session, line.line, -1))
        sessions.take(connection, taken)
