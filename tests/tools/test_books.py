"""The books read beside a running bridge: what a record says, whether the chain is whole, and when all is final."""

from pathlib import Path

import pytest
from scanlatch_tools import site
from scanlatch_tools.books import Books

from host_bridge.ledger import open_ledger, scans
from host_bridge.ledger.scans import Record
from host_bridge.wire import Outcome, digest

DEVICE = "d-window-01"


def _record(seq: int, message: bytes, outcome: Outcome | None) -> Record:
    decided = None if outcome is None else 1
    fields = (None, None, 1, "8", "clinic-7", None, None, 1, 1)
    return Record(DEVICE, seq, message, digest(message), *fields, None if outcome is None else int(outcome), 0, decided)


def _books(folder: Path, *records: Record) -> Books:
    made = site.create(folder / "site", ["clinic-7"], port=1)
    ledger = open_ledger(made.ledger_url)
    with ledger.write() as connection:
        scans.insert(connection, records)
    ledger.close()
    return Books(made)


FIRST = b"one" + bytes(32)
SECOND = b"two" + digest(FIRST)


def test_a_whole_chain_is_unbroken(tmp_path: Path) -> None:
    with _books(tmp_path, _record(1, FIRST, Outcome.ACCEPTED), _record(2, SECOND, None)) as books:
        assert books.unbroken(DEVICE)
        assert [(one.seq, one.outcome) for one in books.entries(DEVICE)] == [(1, Outcome.ACCEPTED), (2, None)]


@pytest.mark.parametrize(("seq", "second"), [(3, SECOND), (2, b"two" + digest(b"other"))])
def test_a_gap_or_a_wrong_digest_breaks_the_chain(tmp_path: Path, seq: int, second: bytes) -> None:
    with _books(tmp_path, _record(1, FIRST, Outcome.ACCEPTED), _record(seq, second, Outcome.ACCEPTED)) as books:
        assert not books.unbroken(DEVICE)


def test_pending_and_undecided_are_not_final(tmp_path: Path) -> None:
    with _books(tmp_path, _record(1, FIRST, Outcome.PENDING), _record(2, SECOND, None)) as books:
        assert not books.wait_until_final(DEVICE, [1], 0)
        assert not books.wait_until_final(DEVICE, [2], 0)
        assert not books.wait_until_holds(DEVICE, [b"three"], 0)
        assert books.wait_until_holds(DEVICE, [b"one", b"two"], 0)
