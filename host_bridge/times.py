"""When a record was captured: what its terminal said where that can be so, else what the bridge works out."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from host_bridge import metrics
from host_bridge.ledger import times
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.scans import Record, TargetRow
from host_bridge.ledger.times import FIRM, GIVEN, NEIGHBOURS, RECEIPT, UPTIME
from host_bridge.opening import Opened, peek
from host_bridge.wire import Clock, Head, Scan
from host_bridge.work import Work

EARLIEST_MS = 1_704_067_200_000  # 2024-01-01: a capture before it comes from a clock that was never set
LATEST_MS = 4_102_444_800_000  # 2100-01-01: nor is one from then on a time; the farthest have no day at all
SKEW_MS = 300_000  # by which the clocks of terminals and bridges may differ
_DRIFT = 1_000  # ms in which a terminal's ticks are off by 1 ms at most; crystals are ten times better
_GRAIN_MS = 1_000  # a head that tells a boot's start better by less changes nothing
_CLOCK, _BOOT, _UPTIME = 5, 6, 7  # keys of a scan


class Timed(NamedTuple):
    """One record as far as its time goes: what it says, when it came, and its time as far as it is known."""

    seq: int
    boot: int
    uptime: int
    clock: int
    captured_at: int
    received_at: int
    at: int = 0
    by: str = RECEIPT

    @property
    def began(self) -> int:
        """When its boot began, by its own clock."""
        return self.captured_at - self.uptime


def note_heads(work: Work, messages: Iterable[Opened]) -> None:
    """Remember the heads of a batch: each bounds the times of the records that come with it."""
    for message in messages:
        head = message.content
        if isinstance(head, Head):
            place = message.device, head.boot
            work.heard[place] = max(head.uptime, work.heard.get(place, 0))


def put(work: Work, row: DeviceRow, fresh: Mapping[int, Record], said: Mapping[int, Scan]) -> None:
    """Say of each fresh record of a device when it was captured, and how that is known.

    `said` is what those of them say that can be read. Stored ones whose time is now known better are put right.
    """
    known: dict[int, Timed] = {}
    unsure: dict[int, Timed] = {}
    before = row.newest_at
    for seq, scan in sorted(said.items()):
        one = Timed(seq, scan.boot, scan.uptime, int(scan.clock), scan.captured_at, work.now)
        was_put_back = seq > row.newest and one.captured_at < before - SKEW_MS
        if one.clock == Clock.NEVER_SET or was_put_back or not _can_be(work, row, one):
            unsure[seq] = one
        else:
            known[seq] = one._replace(at=one.captured_at, by=GIVEN)
            before = one.captured_at if seq > row.newest else before
    if unsure or (known and row.adrift):
        stored = _all_timed(times.unplaced(work.connection, row.id)) if row.adrift else {}
        placed = _Placing(work, row, known).place(stored | unsure)
        _store(work, row, (one for seq, one in placed.items() if seq not in unsure))
        known |= {seq: placed[seq] for seq in unsure}
        for seq in unsure:
            metrics.times.labels(placed[seq].by).inc()
    for seq, one in sorted(known.items()):
        fresh[seq].corrected_at, fresh[seq].corrected_by = one.at, one.by
        if seq > row.newest and one.by in FIRM:
            row.newest_at = one.at


def heard(work: Work, row: DeviceRow, head: Head) -> None:
    """A head of this device was stored: by it, times of its boot and of the one before may be known better."""
    row.head_at = work.now
    before = times.start_heard(work.connection, row.id, head.boot, but=head.uptime)
    better = before is None or work.now - head.uptime < before - _GRAIN_MS
    rows = times.unplaced(work.connection, row.id) if row.adrift else []
    if better:
        found = _all_timed(times.by_uptime(work.connection, row.id))
        these = {seq: one for seq, one in found.items() if one.boot == head.boot}
    else:
        these = {}
    these |= _all_timed(rows)
    if these:
        _store(work, row, _Placing(work, row, {}).place(these).values())


def captured(record: Record | TargetRow) -> int:
    """When a record was captured, ms UTC, as far as the bridge knows; when it came, where it does not."""
    corrected = record.corrected_at if isinstance(record, Record) else None
    at = record.captured_at if corrected is None else corrected
    return at if at is not None and _is_time(at) else record.received_at


def _is_time(at: int) -> bool:
    return EARLIEST_MS <= at < LATEST_MS


def _can_be(work: Work, row: DeviceRow, one: Timed) -> bool:
    """Whether a record can have been captured when it says, by what was heard of its boot, or of a later one.

    It was captured before it came; and before a head came that was made later.
    """
    latest = one.received_at
    newest = work.heard.get((row.id, one.boot))
    if newest is not None:
        latest = min(latest, _when(one.uptime, newest, work.now))
    if row.head_at and row.head_boot == one.boot:
        latest = min(latest, _when(one.uptime, row.head_uptime, row.head_at))
    elif row.head_at and row.head_boot > one.boot:
        latest = min(latest, row.head_at - row.head_uptime)
    return _is_time(one.captured_at) and one.captured_at <= latest + SKEW_MS


def _when(uptime: int, other: int, at: int) -> int:
    """The latest that `uptime` can have been, where `other` was at `at` or before."""
    return at + uptime - other + abs(uptime - other) // _DRIFT


class _Placing:
    """Finds times of one device's records; `known` are fresh ones that have theirs."""

    def __init__(self, work: Work, row: DeviceRow, known: Mapping[int, Timed]) -> None:
        self._work = work
        self._row = row
        self._known = dict(known)

    def place(self, unsure: Mapping[int, Timed]) -> dict[int, Timed]:
        """These with their times, boot by boot: all records of a boot hang together by their uptime."""
        placed: dict[int, Timed] = {}
        self._row.adrift = 0
        in_order = sorted(unsure.values(), key=lambda one: one.seq)
        for boot, group in groupby(in_order, key=lambda one: one.boot):
            these = list(group)
            last = these[-1].seq
            before, after = self._beside(these[0].seq, -1), self._beside(last, 1)
            start = self._start(these, before, after)
            if start is not None:
                found = [_by_start(one, start) for one in these]
            else:
                later = self._next_start(boot)
                found = _bounded(these, before, after, later)
                is_followed = last + 1 in unsure or (after is not None and after.seq == last + 1)
                if later is None or not is_followed:
                    self._row.adrift = last  # more may come to be known
            for one in found:
                placed[one.seq] = one
                if one.by != RECEIPT:
                    self._known[one.seq] = one
        return placed

    def _start(self, these: Sequence[Timed], before: Timed | None, after: Timed | None) -> int | None:
        """When a boot began, ms UTC: by a synchronised clock, else by its heads, else by a clock that ran on."""
        work, row, boot, here = self._work, self._row, these[0].boot, these[0].uptime
        claims = [one for one in (before, after) if one is not None and one.boot == boot and one.by == GIVEN]
        claims += [one for one in these if _can_be(work, row, one) and not _lags(one, before)]
        sure = [one for one in claims if one.clock == Clock.SYNCHRONISED]
        if sure:  # of clocks that disagree, who lags least is right: none is ahead of what was heard
            latest = max(one.began for one in sure)
            agreed = [one for one in sure if one.began >= latest - SKEW_MS]
            return min(agreed, key=lambda one: abs(one.uptime - here)).began
        found = [times.start_heard(work.connection, row.id, boot)]
        newest = work.heard.get((row.id, boot))
        found.append(None if newest is None else work.now - newest)
        starts = [one for one in found if one is not None]
        if starts:
            return min(starts)
        return max((one.began for one in claims if one.clock == Clock.KEPT), default=None)

    def _next_start(self, boot: int) -> int | None:
        """The latest that the next boot after this one can have begun, as far as its heads are here."""
        work, row = self._work, self._row
        stored = times.next_boot(work.connection, row.id, boot)
        coming = [one for device, one in work.heard if device == row.id and one > boot]
        boots = [*coming, *([] if stored is None else [stored])]
        if not boots:
            return None
        following = min(boots)
        starts = [times.start_heard(work.connection, row.id, following)] if following == stored else []
        starts += [work.now - work.heard[row.id, following]] if following in coming else []
        return min(one for one in starts if one is not None)

    def _beside(self, seq: int, way: int) -> Timed | None:
        """The next record downwards (-1) or upwards (1) that has a time."""
        stored = times.beside(self._work.connection, self._row.id, seq, way)
        there = [one for one in self._known.values() if (one.seq - seq) * way > 0 and (way < 0 or one.by in FIRM)]
        if stored is not None and stored.seq not in self._known:
            there += _all_timed([stored]).values()
        return min(there, key=lambda one: abs(one.seq - seq), default=None)


def _lags(one: Timed, before: Timed | None) -> bool:
    """Whether a record says that it was captured before an earlier boot's, whose time is sure."""
    if before is None or before.boot == one.boot or before.by not in FIRM:
        return False
    return not (before.by == GIVEN and before.clock == Clock.KEPT) and one.captured_at < before.at - SKEW_MS


def _by_start(one: Timed, start: int) -> Timed:
    at = start + one.uptime
    if one.clock == Clock.SYNCHRONISED and abs(at - one.captured_at) <= SKEW_MS:
        return one._replace(at=one.captured_at, by=GIVEN)
    return one._replace(at=max(0, min(at, one.received_at)), by=UPTIME)


def _bounded(these: Sequence[Timed], before: Timed | None, after: Timed | None, later: int | None) -> list[Timed]:
    """Times of a boot of which nothing was heard: behind the record before it, and before what came next."""
    if before is None or (after is None and later is None):
        return [one._replace(at=one.received_at, by=RECEIPT) for one in these]
    last = max(one.uptime for one in these)
    ends = [one.received_at - one.uptime for one in these]
    ends += [later - last] if later is not None else []
    ends += [after.at - last] if after is not None else []
    latest = min(ends)
    floors = [one.began for one in these if one.clock == Clock.NEVER_SET and one.captured_at >= EARLIEST_MS]
    earliest = max([before.at, *(floor for floor in floors if floor <= latest)])  # its clock began at a floor
    start = earliest + max(0, latest - earliest) // 2
    return [one._replace(at=max(0, min(start + one.uptime, one.received_at)), by=NEIGHBOURS) for one in these]


def _all_timed(rows: Iterable[times.Row]) -> dict[int, Timed]:
    """Stored records by seq; one from before there were corrected times has the time that it says."""
    found: dict[int, Timed] = {}
    for row in rows:
        at = row.captured_at if row.corrected_at is None else row.corrected_at
        by = row.corrected_by or (GIVEN if _is_time(at) else RECEIPT)
        boot, uptime, clock = (_number(peek(row.message, key)) for key in (_BOOT, _UPTIME, _CLOCK))
        found[row.seq] = Timed(row.seq, boot, uptime, clock, row.captured_at, row.received_at, at, by)
    return found


def _number(value: int | bytes | None) -> int:
    return value if isinstance(value, int) else 0


def _store(work: Work, row: DeviceRow, placed: Iterable[Timed]) -> None:
    times.correct(work.connection, row.id, [(one.seq, one.at, one.by) for one in placed])
