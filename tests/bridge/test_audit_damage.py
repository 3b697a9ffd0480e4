"""Each kind of damage to a ledger is found, by its name and place."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from host_bridge.ledger.schema import codes, devices, heads, outbox, passed, quarantine, scans, verdicts
from host_bridge.wire import digest
from tests.bridge.audited import DEVICE, a_day, audited, change, of
from tests.bridge.world import CODES, Terminal, World


def flipped(table: sa.Table, seq: int, message: bytes, at: int) -> sa.Executable:
    broken = bytearray(message)
    broken[at] ^= 1
    return sa.update(table).where(of(table, seq)).values(message=bytes(broken))


DAMAGE: dict[str, tuple[Callable[[Terminal], list[sa.Executable]], set[tuple[str, int]]]] = {
    "a bit of a signature": (lambda till: [flipped(scans, 2, till.messages[2], -1)], {("bytes", 2), ("signature", 2)}),
    "a record of another's": (
        lambda till: [sa.update(scans).where(of(scans, 2)).values(message=till.messages[1])],
        {("bytes", 2), ("columns", 2), ("chain", 2)},
    ),
    "a digest": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(digest=bytes(32))], {("bytes", 3), ("chain", 4)},
    ),
    "a code in a column": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(code=CODES[9])], {("columns", 3)},
    ),
    "a session in a column": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(session="S-9")], {("columns", 3)},
    ),
    "a time in a column": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(captured_at=5)], {("columns", 3), ("time", 3)},
    ),
    "a corrected time": (lambda till: [sa.update(scans).where(of(scans, 3)).values(corrected_at=5)], {("time", 3)}),
    "how a time is known": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(corrected_by="guessed")], {("time", 3)},
    ),
    "a time after the receipt": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(corrected_at=1 << 42, corrected_by="uptime")],
        {("time", 3)},
    ),
    "a time without its reason": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(corrected_by=None)], {("time", 3)},
    ),
    "a verdict that is missing": (lambda till: [sa.delete(verdicts).where(of(verdicts, 7))], {("verdict", 7)}),
    "a first verdict that is missing": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(outcome=None)], {("undecided", 3)},
    ),
    "a verdict without a record": (
        lambda till: [sa.insert(verdicts).values(
            device=DEVICE, seq=99, outcome=0, reason=0, decided_at=1, repeat=False, sent=2
        )],
        {("verdict", 99)},
    ),
    "a refusal made a sale": (
        lambda till: [sa.update(scans).where(of(scans, 3)).values(outcome=0)], {("submission", 3)},
    ),
    "an answer made a refusal": (
        lambda till: [sa.update(verdicts).where(of(verdicts, 1)).values(outcome=1)], {("code", 1)},
    ),
    "a submission that is missing": (
        lambda till: [sa.delete(outbox).where(of(outbox, 1))], {("submission", 1), ("code", 1)},
    ),
    "a submission without a record": (
        lambda till: [sa.update(outbox).where(of(outbox, 7)).values(key=f"{DEVICE}/77", seq=77)],
        {("submission", 77), ("submission", 7)},
    ),
    "a submission that was answered made open": (
        lambda till: [sa.update(outbox).where(of(outbox, 1)).values(state="waiting")], {("verdict", 1), ("code", 1)},
    ),
    "a submission about another code": (
        lambda till: [sa.update(outbox).where(of(outbox, 7)).values(code=CODES[9])], {("submission", 7)},
    ),
    "a sold code made free": (
        lambda till: [sa.update(codes).where(codes.c.code == CODES[0]).values(state="free", device=None, seq=None)],
        {("code", 1)},
    ),
    "a code that nobody sold": (
        lambda till: [sa.update(codes).where(codes.c.code == CODES[1]).values(state="sold", device=DEVICE, seq=2)],
        {("code", 2)},
    ),
    "a sale hidden in quarantine": (
        lambda till: [
            sa.delete(scans).where(of(scans, 1)),
            sa.delete(verdicts).where(of(verdicts, 1)),
            sa.delete(outbox).where(of(outbox, 1)),
            sa.update(codes).where(codes.c.code == CODES[0]).values(state="free", device=None, seq=None),
            sa.insert(quarantine).values(
                digest=digest(till.messages[1]), device=DEVICE, kind="scan", message=till.messages[1], why="cbor",
                received_at=1,
            ),
            sa.insert(passed).values(
                device=DEVICE, first=1, last=1, how="quarantined", digest=digest(till.messages[1])
            ),
        ],
        {("quarantine", 1)},
    ),
    "a sale that the platform was never told of": (
        lambda till: [
            sa.update(outbox).where(of(outbox, 1)).values(state="cancelled"),
            sa.update(codes).where(codes.c.code == CODES[0]).values(state="free", device=None, seq=None),
        ],
        {("submission", 1)},
    ),
    "a void that never was": (
        lambda till: [sa.update(scans).where(of(scans, 1)).values(voided_by=f"{DEVICE}/3")], {("submission", 1)},
    ),
    "a receipt above what is held": (
        lambda till: [sa.update(devices).values(receipt_seq=9, receipt_digest=bytes(32))], {("receipt", 9)},
    ),
    "a receipt for other bytes": (lambda till: [sa.update(devices).values(receipt_digest=bytes(32))], {("receipt", 7)}),
    "the last head": (lambda till: [sa.delete(heads)], {("head", 7)}),
    "a head that is not the terminal's": (
        lambda till: [sa.update(heads).values(message=till.messages[1])], {("head", 0), ("head", 7)},
    ),
    "a device that is not in the registry": (
        lambda till: [sa.update(devices).values(id="d-other")],
        {("stranger", 0), ("head", 7), ("receipt", 7), ("gap", 1)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(sqlite_world: World, name: str) -> None:
    damage, wanted = DAMAGE[name]
    change(sqlite_world, *damage(a_day(sqlite_world)))
    findings = audited(sqlite_world)
    assert {(one.kind, one.first) for one in findings.listed} == wanted, findings.lines()
    for one in findings.listed:
        assert "\n" not in str(one)
        assert "To do: " in str(one)
