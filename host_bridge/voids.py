"""What a void may still take back, and what it makes of a return: its sale stands again."""

from typing import NamedTuple

from host_bridge import code_states, session_lines
from host_bridge.ledger.codes import FREE
from host_bridge.ledger.outbox import DONE
from host_bridge.ledger.scans import TargetRow, pair_of
from host_bridge.ledger.sessions import Line, SessionRow
from host_bridge.view import View
from host_bridge.wire import Operation

_AT_DOCK = frozenset({Operation.RECEIVE, Operation.DISPATCH})


class Room(NamedTuple):
    """Where a box that was returned counts again: the session that it was sold in, and its line if it has one."""

    free: bool
    session: SessionRow | None = None
    line: Line | None = None


def moved_on(view: View, target: TargetRow) -> bool:
    """Whether what a record did to its code can't be undone any more."""
    if target.operation == Operation.RETURN and target.submission == DONE:
        return not _may_sell_again(view, target)
    if target.operation not in _AT_DOCK or target.code is None or view.moves is None:
        return False
    code, pair = view.codes[target.code], (target.device, target.seq)
    stock = target.site if target.operation == Operation.RECEIVE else None
    if code.state != FREE or code.stock != stock or view.moves.on_closed(pair):
        return True
    return view.moves.moved_on(pair, view.codes, stock)


def room(view: View, target: TargetRow) -> Room:
    """Whether the session in which a returned box was sold has room for it again; a closed one is not asked."""
    sale = view.target(pair_of(target.reverses))
    row = view.sessions.get(sale.sold_in or "") if sale else None
    if row is None or row.closed_at is not None:
        return Room(True)
    free, line = session_lines.free_again(row, view.product(target.code), target.split)
    return Room(free, row, line)


def _may_sell_again(view: View, target: TargetRow) -> bool:
    code = view.codes[target.code or ""]
    stands = code_states.may_sell_again(code, target.site, target.split, view.content(code.code))
    return stands and not view.relative_held(code.code) and room(view, target).free
