"""The audit of a ledger: nothing is found where nothing is wrong, and each kind of damage is, by its name and place."""

import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from host_bridge.audit.findings import MOST
from host_bridge.audit.run import audit
from host_bridge.errors import LedgerBroken, UnknownDevice
from host_bridge.ledger import devices as rows
from host_bridge.ledger.schema import codes, conflicts, devices, outbox, scans
from host_bridge.wire import Operation, digest
from tests.bridge import shop
from tests.bridge.audited import DEVICE, a_day, audited, change, found, of
from tests.bridge.shop import pieces
from tests.bridge.world import CODES, Terminal, World


@pytest.fixture
def till(world: World) -> Terminal:
    return a_day(world)


def test_nothing_is_found_where_nothing_is_wrong(world: World, till: Terminal) -> None:
    findings = audited(world)
    assert findings.clean, findings.lines()
    assert findings.codes == 1
    (told,) = findings.devices
    assert (told.records, told.decided, told.waiting, told.unbroken, told.head) == (7, 7, 0, 7, 7)
    assert (told.final, told.pending) == (6, 0)
    assert findings.lines()[-1] == "nothing is wrong"


def test_split_packs_a_return_that_was_voided_and_open_submissions_are_explained(world: World) -> None:
    shop.product(world, content=3)
    till = world.terminal()
    session = shop.session(world, till, "S-1", pieces(3))
    for _ in range(2):
        world.deliver(till, till.scan(CODES[0], session=session))
        world.settle()
    world.deliver(till, till.scan(CODES[0], Operation.RETURN, session=session))
    world.settle()
    world.deliver(till, till.scan(CODES[1]))
    world.settle()
    world.deliver(till, till.scan(CODES[1], Operation.RETURN))
    world.settle()
    world.deliver(till, till.void(5))
    assert audited(world).clean
    world.settle()
    world.platform.reachable = False
    world.deliver(till, till.scan(CODES[2]), till.scan(CODES[2], Operation.RETURN))
    world.deliver(till, till.void(8))
    world.settle()
    findings = audited(world)
    assert findings.clean, findings.lines()
    assert findings.devices[0].pending > 0
    assert findings.devices[0].head is None


@pytest.mark.parametrize("alert", [True, False], ids=["with an alert", "without an alert"])
def test_a_missing_record_is_named_with_whether_an_alert_covers_it(world: World, till: Terminal, alert: bool) -> None:
    lost = [till.scan(CODES[5]), till.scan(CODES[6])]
    assert lost
    world.deliver(till, till.scan(CODES[7]))
    world.deliver(till, till.head(missing=((8, 9),)), kind="head")
    world.settle()
    if not alert:
        change(world, sa.text("DELETE FROM alerts"))
    (finding,) = audited(world).listed
    assert (finding.kind, finding.where) == ("lost", f"{DEVICE} 8 to 9")
    assert ("an open alert" in finding.what) == alert


def test_a_record_that_was_taken_out_of_the_ledger_is_a_gap_that_no_alert_covers(world: World, till: Terminal) -> None:
    change(world, sa.delete(scans).where(of(scans, 3)))
    (finding,) = audited(world).listed
    assert (finding.kind, finding.first, finding.last) == ("gap", 3, 3)
    assert "no open alert" in finding.what
    assert audited(world).devices[0].unbroken == 2


def test_what_is_on_its_way_is_a_finding_only_once_it_is_late(world: World, till: Terminal) -> None:
    till.scan(CODES[5])
    world.deliver(till, till.scan(CODES[6]))
    assert found(world, later=1_000) == []
    assert audited(world, later=1_000).devices[0].waiting == 1
    assert found(world) == [("gap", DEVICE, 8, 8)]
    till.scan(CODES[7])
    world.deliver(till, till.head(), kind="head")
    assert found(world) == [("gap", DEVICE, 8, 8), ("gap", DEVICE, 10, 10)]


def sealed_again(world: World, till: Terminal, seq: int, prev: bytes) -> sa.Executable:
    """Another record in the place of one, signed by the terminal's own key."""
    till.seq, till.last = seq - 1, prev
    message = till.scan(CODES[0])
    values = {"message": message, "digest": digest(message), "prev": prev}
    return sa.update(scans).where(of(scans, seq)).values(**values)


def test_a_chain_that_forks_is_named_where_it_does(world: World, till: Terminal) -> None:
    change(world, sealed_again(world, till, 3, bytes(31) + b"\1"))
    kinds = [(one.kind, one.first) for one in audited(world).listed]
    assert kinds[0] == ("chain", 3)
    assert ("chain", 4) in kinds
    assert audited(world).devices[0].unbroken == 2


def test_a_newest_record_that_is_not_the_one_that_the_head_signed_is_a_fork(world: World, till: Terminal) -> None:
    change(world, sealed_again(world, till, 7, digest(till.messages[6])))
    kinds = [(one.kind, one.first) for one in audited(world).listed]
    assert ("fork", 7) in kinds
    assert ("receipt", 7) in kinds


def test_two_records_under_one_seq_are_a_fork(sqlite_world: World) -> None:
    world, till = sqlite_world, a_day(sqlite_world)
    till.seq, till.last = 2, till.messages[2]
    till.last = digest(till.last)
    world.deliver(till, till.scan(CODES[9]))
    assert found(world) == [("fork", DEVICE, 3, 3)]
    assert "chain unbroken to 7" in audited(world).lines()[0]
    change(world, sa.update(conflicts).values(message=b"\0", digest=digest(b"\0")))
    assert found(world) == [("signature", DEVICE, 3, 3)]


def test_a_box_that_two_sales_hold_is_found(world: World, till: Terminal) -> None:
    other = world.terminal("d-window-02")
    world.sell(other, CODES[9])
    with world.ledger.write() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.key == "d-window-02/1").values(code=CODES[0]))
        connection.execute(sa.delete(codes).where(codes.c.code == CODES[9]))
    kinds = {(one.kind, one.device, one.first) for one in audited(world).listed}
    assert ("holders", "d-window-02", 1) in kinds
    assert {one.kind for one in audited(world, DEVICE).listed} == set()


def test_parts_that_do_not_add_up_are_found(world: World) -> None:
    shop.product(world, content=3)
    till = world.terminal()
    session = shop.session(world, till, "S-1", pieces(3))
    for _ in range(2):
        world.deliver(till, till.scan(CODES[0], session=session))
    world.settle()
    assert audited(world).clean
    change(world, sa.update(codes).values(parts=1))
    assert found(world) == [("code", DEVICE, 2, 2)]


def test_what_stands_in_quarantine_is_listed_and_no_finding(world: World, till: Terminal) -> None:
    world.deliver(till, b"\xd2\x84junk")
    findings = audited(world)
    assert findings.clean
    assert any("in quarantine" in note for note in findings.notes)


def test_a_message_that_could_not_be_read_is_part_of_its_chain_where_the_next_record_names_it(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    till.keep(b"\xd2 garbage")
    world.deliver(till, b"\xd2 garbage")
    world.sell(till, CODES[1])
    findings = audited(world)
    assert findings.clean, findings.lines()
    assert findings.devices[0].unbroken == 3
    change(world, sa.text("DELETE FROM quarantine"))
    assert found(world) == [("quarantine", DEVICE, 2, 2)]


def test_findings_of_one_kind_are_counted_beyond_a_limit(world: World) -> None:
    till = world.terminal()
    world.deliver(till, *(till.scan(CODES[number % 50]) for number in range(MOST + 5)))
    world.settle()
    change(world, sa.update(scans).values(site="pharmacy-3"))
    findings = audited(world)
    assert len(findings.listed) == MOST
    assert f"{DEVICE}: 5 more [columns]" in findings.lines()[-2]
    assert findings.lines()[-1] == f"{MOST + 5} findings"


def test_an_audit_runs_beside_a_bridge_and_sees_one_moment(world: World, till: Terminal) -> None:
    from host_bridge.ledger.audit import opened

    with opened(world.url) as books:
        before = sum(1 for _ in books.records(DEVICE))
        world.sell(till, CODES[11])
        assert sum(1 for _ in books.records(DEVICE)) == before
    assert audited(world).devices[0].records == before + 1


def test_an_audit_changes_nothing_and_may_not(world: World, till: Terminal) -> None:
    from host_bridge.errors import BridgeError
    from host_bridge.ledger.audit import opened

    before = world.dump()
    audited(world)
    assert world.dump() == before
    with pytest.raises(BridgeError), opened(world.url) as books:
        books.connection.execute(sa.update(devices).values(status="revoked"))


def test_what_is_no_ledger_of_this_version_is_refused(tmp_path: Path, world: World) -> None:
    with pytest.raises(LedgerBroken, match="no file"):
        audit(f"sqlite:///{tmp_path / 'nothing.sqlite'}", {}, 0)
    (tmp_path / "text.sqlite").write_text("nothing")
    with pytest.raises(LedgerBroken):
        audit(f"sqlite:///{tmp_path / 'text.sqlite'}", {}, 0)
    with pytest.raises(UnknownDevice):
        audited(world, "d-nobody")


def test_memory_does_not_grow_with_the_ledger(sqlite_world: World) -> None:
    world = sqlite_world
    till = world.terminal()

    def peak() -> int:
        tracemalloc.start()
        try:
            audited(world)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def sell(count: int) -> None:
        for _ in range(count // 500):
            world.deliver(till, *(till.scan(CODES[0], Operation.STOCK_TAKE) for _ in range(500)))

    sell(1_000)
    small = peak()
    sell(3_000)
    assert peak() < small * 1.2
    assert audited(world).devices[0].records == 4_000


def test_archived_months_are_read_too_and_named_once_they_are_gone(tmp_path: Path, emptied_database: str) -> None:
    with closing(World(tmp_path, url=emptied_database)) as world:
        till = world.terminal()
        world.sell(till, CODES[0], CODES[1], CODES[2])
        with world.ledger.write() as connection:
            connection.execute(sa.text("CREATE SCHEMA archive"))
            connection.execute(sa.text("CREATE TABLE archive.scans_2026_09 AS SELECT * FROM scans WHERE seq <= 2"))
            connection.execute(sa.text("DELETE FROM scans WHERE seq <= 2"))
            rows.change(connection, DEVICE, archived=2)
        try:
            findings = audited(world)
            assert findings.clean, findings.lines()
            assert "read too: archive.scans_2026_09" in findings.notes
            assert findings.devices[0].records == 3
        finally:
            change(world, sa.text("DROP SCHEMA archive CASCADE"))
        findings = audited(world)
        assert findings.clean, findings.lines()
        assert findings.devices[0].archived == 2
        assert f"{DEVICE}: records 1 to 2 were archived, and are not in the database any more: not audited" in (
            findings.notes
        )
