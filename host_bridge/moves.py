"""Where boxes lie as a batch of records sees it: what scans at a dock moved, and what a void of one undoes."""

from collections.abc import Iterable, Mapping, Sequence

from host_bridge.ledger import moves
from host_bridge.ledger.codes import FREE, CodeRow
from host_bridge.ledger.moves import Move
from host_bridge.ledger.scans import Pair, key_of
from host_bridge.work import Work


class Moves:
    """Moves of the batch, and those of the scans that it voids; `codes` must be locked before `read`."""

    def __init__(self, work: Work, voided: Sequence[Pair]) -> None:
        self._work = work
        self._made: dict[Pair, list[Move]] = {pair: moves.made_by(work.connection, pair) for pair in voided}
        self._placed: dict[str, str | None] = {}
        self._fresh: list[Move] = []
        self._placed_now: dict[str, str | None] = {}
        self._on_closed = moves.on_closed(work.connection, [key_of(*pair) for pair in voided]) if voided else set[str]()

    @property
    def codes(self) -> set[str]:
        """Every code that one of the voided scans moved."""
        return {move.code for made in self._made.values() for move in made}

    def read(self, these: Iterable[str]) -> None:
        """Who placed these codes, now that nobody else can move them."""
        self._placed.update(moves.placed(self._work.connection, these))

    def move(self, pair: Pair, row: CodeRow, stock: str | None) -> None:
        """A scan says where the box lies now."""
        move = Move(*pair, row.code, row.stock, self._placed.get(row.code))
        self._made.setdefault(pair, []).append(move)
        self._fresh.append(move)
        self._place(row.code, key_of(*pair))
        row.stock = stock

    def on_closed(self, pair: Pair) -> bool:
        """Whether the scan counted something on a delivery that is closed."""
        return key_of(*pair) in self._on_closed

    def moved_on(self, pair: Pair, rows: Mapping[str, CodeRow], stock: str | None) -> bool:
        """Whether anything that the scan moved to `stock` is not there any more, or by something else."""
        key = key_of(*pair)
        return any(
            rows[move.code].state != FREE or rows[move.code].stock != stock or self._placed.get(move.code) != key
            for move in self._made.get(pair, ())
        )

    def undo(self, pair: Pair, rows: Mapping[str, CodeRow]) -> list[CodeRow]:
        """What the scan moved lies where it lay before; the rows that changed."""
        changed: list[CodeRow] = []
        for move in self._made.get(pair, ()):
            row = rows[move.code]
            row.stock = move.was
            self._place(move.code, move.before)
            changed.append(row)
        return changed

    def write(self) -> None:
        """Write down the moves; the codes' rows are written before."""
        moves.add(self._work.connection, self._fresh)
        moves.place(self._work.connection, self._placed_now.items())

    def _place(self, code: str, key: str | None) -> None:
        self._placed[code] = self._placed_now[code] = key
