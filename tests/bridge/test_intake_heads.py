"""Heads: which are believed, what they show of a journal or ledger gone back, and what is asked for again."""

from host_bridge.wire import digest
from tests.bridge.world import CODES, World

ACCEPTED = 0


def test_same_head_again_is_ignored(world: World) -> None:
    till = world.terminal()
    head = till.head()
    world.deliver(till, head, head, kind="head")
    assert len(till.receipts()) == 1
    assert len(world.acked) == 2


def test_head_that_does_not_grow_is_refused(world: World) -> None:
    till = world.terminal()
    till.boot, till.connection = 3, 2
    world.deliver(till, till.head(), kind="head")
    for changed in ({"boot": 2, "connection": 9}, {"connection": 1}, {"uptime": 5}):
        world.deliver(till, till.head(**changed), kind="head")  # type: ignore[arg-type]
    assert len(till.receipts()) == 1
    world.deliver(till, till.head(boot=4, connection=1, uptime=1), kind="head")
    assert len(till.receipts()) == 2


def test_head_altered_by_one_bit_is_not_answered(world: World) -> None:
    till = world.terminal()
    head = till.head()
    world.deliver(till, head[:-1] + bytes([head[-1] ^ 1]), kind="head")
    assert world.outlet.sent == []
    assert world.alerts() == [("quarantine", 0, 0)]


def test_journal_that_ends_before_the_ledger_raises_an_alert(world: World) -> None:
    till = world.terminal()
    world.sell(till, *CODES[:5])
    world.deliver(till, till.head(newest=2, digest=digest(till.messages[2])), kind="head")
    assert world.alerts() == [("went-back", 3, 5)]
    assert till.receipts()[-1].upto == 5


def test_journal_with_other_bytes_than_the_ledger_raises_an_alert(world: World) -> None:
    till = world.terminal()
    world.sell(till, *CODES[:2])
    world.deliver(till, till.head(digest=bytes(range(32))), kind="head")
    assert world.alerts() == [("chain", 2, 2)]


def test_head_overtaken_by_a_later_record_raises_no_alert(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[0])
    head = till.head()
    world.deliver(till, till.scan(CODES[1]))
    world.deliver(till, head, kind="head")
    assert world.alerts() == []
    assert till.receipts()[-1].head == digest(head)


def test_records_that_only_a_head_names_are_asked_for_after_a_minute(world: World) -> None:
    till = world.terminal()
    for code in CODES[:5]:
        till.scan(code)
    world.deliver(till, till.messages[1], till.messages[2])
    world.deliver(till, till.head(), kind="head")
    world.later(55_000)
    assert till.commands() == []
    world.later(15_000)
    (command,) = till.commands()
    assert (command.name, dict(command.arguments)) == ("resend", {"from": 3})
    assert world.alerts() == []
    world.later(120_000)
    assert world.alerts() == [("behind", 3, 5)]
    world.deliver(till, till.messages[3], till.messages[4], till.messages[5])
    world.later(600_000)
    assert len(till.commands()) == 2
    assert world.alerts() == []


def test_a_bridge_that_starts_amid_a_drain_asks_only_who_is_silent_for_a_minute_of_its_own(world: World) -> None:
    busy, silent = world.terminal(), world.terminal("d-window-02")
    for till in (busy, silent):
        till.scan(CODES[0])
        till.scan(CODES[1])
        world.deliver(till, till.head(), kind="head")
    world.clock.ms += 300_000  # nobody ran
    world.start()
    world.intake.connected()
    world.later(30_000)
    world.deliver(busy, busy.messages[1])
    world.later(29_000)
    assert busy.commands() == silent.commands() == []
    world.later(15_000)
    assert busy.commands() == [], "its records are coming"
    assert [(one.name, dict(one.arguments)) for one in silent.commands()] == [("resend", {"from": 1})]


def test_gap_that_stays_is_asked_for_ever_more_rarely(world: World) -> None:
    till = world.terminal()
    till.scan()
    world.deliver(till, till.head(), kind="head")
    world.later(3_600_000)
    counters = [command.counter for command in till.commands()]
    assert counters == list(range(1, len(counters) + 1))
    assert 6 <= len(counters) <= 10


def test_restored_ledger_gets_its_records_back(world: World) -> None:
    till = world.terminal()
    for code in CODES[:4]:
        till.scan(code)
    world.deliver(till, till.head(oldest=1), kind="head")
    assert till.receipts()[-1].upto == 0
    world.later(70_000)
    assert [dict(command.arguments) for command in till.commands()] == [{"from": 1}]
    world.deliver(till, *till.messages.values())
    world.settle()
    assert sorted(till.outcomes()) == [(seq, ACCEPTED, 0) for seq in (1, 2, 3, 4)]


def test_empty_journal_of_a_new_device_is_receipted_at_0(world: World) -> None:
    till = world.terminal()
    world.deliver(till, till.head(), kind="head")
    (receipt,) = till.receipts()
    assert (receipt.upto, receipt.digest) == (0, bytes(32))
    assert world.alerts() == []
