"""A site's books, whatever was done to it: `balanced` holds ledger, terminals and platform against each other."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing

from scanlatch_tools.books import Books, Entry
from scanlatch_tools.stage import Stage

from host_bridge.audit.run import audit
from host_bridge.clock import SystemClock
from host_bridge.ledger import Ledger, devices, open_ledger, verdicts
from host_bridge.wire import Outcome
from tests.faults.site_with_terminals import Person
from tests.system.waiting import console, until, until_engine

_CODE = b"8101235"  # how every code of these tests begins
_ONCE, _AGAIN = Outcome.ACCEPTED, {Outcome.DUPLICATE_HERE, Outcome.REJECTED}  # a box, and whoever holds it up again


def balanced(
    site: Stage, *people: Person, within: float, lost: Mapping[str, range] | None = None, heads: bool = True
) -> None:
    """The books of these terminals balance within so many seconds, or the test fails.

    Every box that showed "kept" is in the ledger once, in the order of its terminal; every record has its final
    verdict, which the broker has taken; the platform sold each box once. The counts are those of the heads that the
    terminals sign, `scanlatch audit` finds nothing, and no flash was used against its rules.

    Args:
        site: all of it runs.
        people: who scanned at it; where all of its terminals are theirs, the whole ledger is audited.
        within: seconds.
        lost: by terminal, seqs that no ring held any more; an alert says so of each.
        heads: let every terminal start again, and hold the ledger against what it says first: where its chain ends.
    """
    deadline = time.monotonic() + within
    gone = {person.device: (lost or {}).get(person.device, range(0)) for person in people}
    with ExitStack() as stack:
        books = stack.enter_context(Books(site.site))
        ledger = stack.enter_context(closing(open_ledger(site.site.ledger_url)))
        for person in people:
            _await_records(books, person, gone[person.device], deadline)
        if heads:
            _sign_heads(ledger, people, deadline)
        _until_none(
            deadline, lambda: _unsaid(ledger, people if heads else ()), "verdicts that the broker has not taken"
        )
        accepted: Counter[str] = Counter()
        for person in people:
            accepted += _checked(person, books.entries(person.device), gone[person.device])
    assert accepted == {code: len(site.platform.sales(code)) for code in accepted}
    assert set(accepted.values()) <= {1}, "a box is sold twice"
    _audited(site, gone, heads=heads)
    assert {person.device: person.twin.violations() for person in people} == {one.device: [] for one in people}


def _until_none(deadline: float, left: Callable[[], object], what: str) -> None:
    """Wait until nothing is left."""
    last: list[object] = []

    def over() -> bool:
        last[:] = [left()]
        return not last[0]

    try:
        until(over, what, max(0.1, deadline - time.monotonic()))
    except AssertionError as error:
        raise AssertionError(f"{error}: {str(last[0])[:1000]}") from None


def _await_records(books: Books, person: Person, gone: range, deadline: float) -> None:
    device = person.device
    wanted = Counter(code for seq, code in enumerate(person.kept, start=1) if seq not in gone)
    _until_none(deadline, lambda: wanted - _codes(books.entries(device)), f"{device}'s records")
    _until_none(deadline, lambda: _undecided(books.entries(device)), f"{device}'s verdicts")


def _codes(entries: list[Entry]) -> Counter[str]:
    return Counter(map(_code, entries))


def _code(entry: Entry) -> str:
    at = entry.message.index(_CODE)
    return entry.message[at : at + 20].decode()


def _undecided(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries if entry.outcome in (None, Outcome.PENDING)]


def _sign_heads(ledger: Ledger, people: tuple[Person, ...], deadline: float) -> None:
    before = _boots(ledger)
    told = {person.device: len(console(person.twin, "engine")) for person in people}
    for person in people:
        person.twin.kill()
        person.twin.start()
    _until_none(deadline, lambda: [one for one, boot in _boots(ledger).items() if boot <= before[one]], "signed heads")
    for person in people:
        until_engine(person.twin, told[person.device])


def _boots(ledger: Ledger) -> dict[str, int]:
    """The boot in which each terminal signed its last head."""
    with ledger.read() as connection:
        return {row.id: row.head_boot for row in devices.every(connection)}


def _unsaid(ledger: Ledger, people: tuple[Person, ...]) -> list[verdicts.Final]:
    with ledger.read() as connection:
        again = [final for person in people for final in verdicts.after_head(connection, person.device)]
        return verdicts.due(connection, 1) + again


def _checked(person: Person, entries: list[Entry], gone: range) -> Counter[str]:
    """How often each box was accepted at this terminal; its records are held against what the person did and saw."""
    seqs = [entry.seq for entry in entries]
    assert seqs == [seq for seq in range(1, len(entries) + len(gone) + 1) if seq not in gone], "a seq is missing"
    assert not _codes(entries) - Counter(person.held), "there are records of boxes that nobody held up"
    found = map(_code, entries)
    kept = (code for seq, code in enumerate(person.kept, start=1) if seq not in gone)
    assert all(code in found for code in kept), "what was kept is not there in the order of its keeping"
    held = Counter(person.held)
    odd = [
        (one.seq, one.outcome, one.reason)
        for one in entries
        if not (one.outcome is _ONCE or (one.outcome in _AGAIN and held[_code(one)] > 1))
    ]
    assert not odd, f"{person.device}: {odd}"
    return Counter(_code(entry) for entry in entries if entry.outcome is _ONCE)


def _audited(site: Stage, gone: Mapping[str, range], *, heads: bool) -> None:
    every = set(site.terminals) <= set(gone)
    for device in [None] if every else gone:
        found = audit(site.site.ledger_url, {}, SystemClock().now(), device)
        assert set(found.counts) <= {(one, "lost") for one, seqs in gone.items() if seqs}, "\n".join(found.lines())
        for one in found.devices:
            count = one.records + len(gone[one.device])
            assert (one.newest, one.decided, one.waiting, one.pending) == (count, one.records, 0, 0), found.lines()
            assert not heads or one.head == count, f"{one.device} signed that it made {one.head} records, not {count}"
