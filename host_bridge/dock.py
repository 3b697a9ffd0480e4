"""What comes in and goes out, against the deliveries that were announced; a package counts for all that lies in it."""

from collections.abc import Iterable, Mapping, Sequence

from host_bridge.ledger import catalogue, deliveries, goods, moves
from host_bridge.ledger.catalogue import LEVELS, Facts
from host_bridge.ledger.deliveries import IN, OUT, Item
from host_bridge.ledger.scans import Pair, Record, key_of
from host_bridge.rules import Known
from host_bridge.wire import Operation, Reason
from host_bridge.work import Work

_WAYS: dict[int | None, str] = {Operation.RECEIVE: IN, Operation.DISPATCH: OUT}
_REFUSED: dict[int, str] = {
    Reason.SOLD_HERE: "sold here before",
    Reason.SOLD_ELSEWHERE: "sold elsewhere before",
    Reason.RECALLED: "recalled",
    Reason.EXPIRED: "expired",
}
_Place = tuple[str, str, str]  # direction, site, code


class Dock:
    """The deliveries as a batch of records sees them; `contents` must be locked as codes before `read`."""

    def __init__(self, work: Work, records: Sequence[Record], facts: Mapping[str, Facts]) -> None:
        self._work = work
        self._facts = facts
        self._wanted: dict[str, dict[str, set[str]]] = {}  # by direction and site
        self._items: dict[_Place, Item] = {}
        self._open: dict[tuple[str, str], list[str]] = {}  # direction, site -> its open deliveries, oldest first
        self._contents: dict[_Place, list[str]] = {}
        self._parents: dict[str, str] = {}  # by the packaging relations
        self._marks: list[tuple[str, str, str | None, str | None]] = []
        self._undone: set[str] = set()  # keys of scans
        for record in records:
            if record.code:
                self._of(_WAYS[record.operation], record.site or "").add(record.code)
        self._look_inside()

    @property
    def contents(self) -> set[str]:
        """Every code that lies in one of the batch's."""
        return {code for inside in self._contents.values() for code in inside}

    def read(self) -> None:
        """Read what the deliveries say, now that nobody else can count these codes."""
        for way, by_site in self._wanted.items():
            for site, wanted in by_site.items():
                self._fetch(way, site, {one for code in wanted for one in self._contents.get((way, site, code), ())})
                self._fetch_around(way, site, wanted)

    def tell(self, record: Record, known: Known) -> None:
        """What the deliveries say of a record's code."""
        way, site, code = _WAYS[record.operation], record.site or "", record.code or ""
        item = self._items.get((way, site, code))
        seen = item.seen if item else None
        around = (self._items.get((way, site, one)) for one in self._around(way, site, code))
        counted = {one.seen for one in around if one is not None and one.announced and one.seen is not None}
        in_package = bool(counted) and (seen is None or seen in counted)
        known.delivery_open = (way, site) in self._open
        known.announced = item is not None and item.announced
        known.counted = known.announced and seen is not None and not in_package
        known.relative_counted = in_package or (seen is None and self._seen_inside(way, site, code))
        known.differs = item is not None and self._differs(item) is not None

    def count(self, record: Record) -> list[str]:
        """The record's code is seen, and all that lies in it; the codes that moved."""
        way, site = _WAYS[record.operation], record.site or ""
        moved = self.moved(record)
        for one in moved:
            item = self._items.get((way, site, one))
            if item is not None:
                key = key_of(record.device, record.seq)
                self._items[way, site, one] = item._replace(seen=key, differs=None)
                self._marks.append((item.delivery, one, key, None))
        return moved

    def moved(self, record: Record) -> list[str]:
        """The record's code and all that lies in it."""
        place = _WAYS[record.operation], record.site or "", record.code or ""
        return [place[2], *self._contents.get(place, ())]

    def note_extra(self, record: Record) -> None:
        """It came though nobody announced it."""
        place = way, site, code = _WAYS[record.operation], record.site or "", record.code or ""
        delivery, key = self._open[way, site][0], key_of(record.device, record.seq)
        if place not in self._items:
            self._items[place] = Item(delivery, code, False, None, None, None, key, None, way, site)
            deliveries.add_extra(self._work.connection, delivery, code, key)

    def note_difference(self, record: Record, reason: int) -> None:
        """It is not as announced, or not to be taken, and so not counted."""
        item = self._items.get((_WAYS[record.operation], record.site or "", record.code or ""))
        if item is not None and item.announced and item.seen is None:
            self._marks.append((item.delivery, item.code, None, _REFUSED.get(reason) or self._differs(item)))

    def undo(self, pair: Pair) -> None:
        """What a scan counted was not seen."""
        key = key_of(*pair)
        self._undone.add(key)
        for place, item in self._items.items():
            if item.seen == key and item.announced:
                self._items[place] = item._replace(seen=None)

    def write(self) -> None:
        """Write down what was counted and noted."""
        deliveries.mark(self._work.connection, self._marks)
        moves.uncount(self._work.connection, self._undone)

    def _of(self, way: str, site: str) -> set[str]:
        return self._wanted.setdefault(way, {}).setdefault(site, set())

    def _fetch(self, way: str, site: str, wanted: Iterable[str]) -> None:
        found = deliveries.items(self._work.connection, self._open.get((way, site), ()), wanted)
        self._items.update({(way, site, code): item for code, item in found.items()})

    def _fetch_around(self, way: str, site: str, wanted: set[str]) -> None:
        """Codes, and all packages around them: by the announcement, by the packaging relations, by both in turn."""
        connection, looked = self._work.connection, set[str]()
        bare = catalogue.empty(connection)
        front = wanted
        for _ in range(LEVELS):
            self._fetch(way, site, front)
            looked |= front
            if not bare:
                self._parents.update(goods.parents(connection, front))
            items = (self._items.get((way, site, code)) for code in front)
            front = ({one.parent for one in items if one and one.parent} | {*self._parents.values()}) - looked
            if not front:
                return

    def _around(self, way: str, site: str, code: str) -> set[str]:
        """All packages around a code, as far as `read` found them."""
        around: set[str] = set()
        front = {code}
        while front:
            items = (self._items.get((way, site, one)) for one in front)
            above = {one.parent for one in items if one and one.parent}
            above |= {parent for one in front if (parent := self._parents.get(one))}
            front = above - around - {code}
            around |= front
        return around

    def _look_inside(self) -> None:
        """Read before anything is locked: what an announced package holds does not change.

        Deliveries that are opened from here on come too late for this batch, and none that is open is closed.
        """
        connection = self._work.connection
        loose: set[str] = set()
        for way, by_site in self._wanted.items():
            opened = deliveries.hold_open(connection, by_site, way)
            self._open.update({(way, site): those for site, those in opened.items()})
            for site, wanted in by_site.items():
                announced = deliveries.items(connection, opened.get(site, ()), wanted)
                for code in wanted:
                    item = announced.get(code)
                    if item is not None and item.announced:
                        self._contents[way, site, code] = deliveries.children(connection, item.delivery, code)
                    else:
                        loose.add(code)
        known = catalogue.descendants(connection, loose) if loose and not catalogue.empty(connection) else {}
        for way, by_site in self._wanted.items():
            for site, wanted in by_site.items():
                for code in wanted & known.keys():
                    self._contents.setdefault((way, site, code), sorted(known[code]))

    def _seen_inside(self, way: str, site: str, code: str) -> bool:
        inside = (self._items.get((way, site, one)) for one in self._contents.get((way, site, code), ()))
        return any(item is not None and item.announced and item.seen is not None for item in inside)

    def _differs(self, item: Item) -> str | None:
        facts = self._facts.get(item.code)
        if facts is None:
            return None
        pairs = (("batch", facts.batch, item.batch), ("last day", facts.expires_on, item.expires_on))
        found = [f"{what} {is_}, announced {said}" for what, is_, said in pairs if is_ and said and is_ != said]
        return "; ".join(found) or None
