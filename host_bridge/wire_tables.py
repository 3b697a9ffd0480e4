"""The tables of the wire contract, version 1: which key holds what, within which limits."""

from typing import Final

from host_bridge import wire_types as types
from host_bridge.wire_fields import (
    BOOL,
    DIGEST,
    MAP,
    RANGES,
    SEQ,
    UINT,
    Field,
    Rule,
    Table,
    matching,
    member,
    octets,
    text,
    uint,
)

_NONE_YET: Final = bytes(32)  # stands for the digest of no record
_MAX_DATA: Final = 512
_MAX_TEXT: Final = 64  # bytes of a text for a display, and of texts that the contract sets no limit for
_MAX_RESULT: Final = 256
_MAX_COUNTER: Final = 1 << 53  # of commands: far beyond any terminal's life, and room for more in the ledger above it
_NAME: Final = matching("[A-Za-z0-9-]{1,32}")
ID: Final = matching("[a-z0-9-]{1,32}")  # of a site and of a device


def _scan_agrees(scan: types.Scan) -> str | None:
    if (scan.target is not None) != (scan.operation is types.Operation.VOID):
        return "target must be there exactly with operation 7"
    return None


def _head_agrees(head: types.Head) -> str | None:
    if head.oldest > head.newest + 1:
        return "oldest must be at most newest + 1"
    if head.newest == 0 and head.digest != _NONE_YET:
        return "digest must be zero where there is no record"
    if head.missing and (head.missing[0][0] < head.oldest or head.missing[-1][1] > head.newest):
        return "missing must lie between oldest and newest"
    return None


def _verdict_agrees(verdict: types.Verdict) -> str | None:
    if verdict.final == (verdict.outcome == types.Outcome.PENDING):
        return "final must be false exactly where outcome is pending"
    if verdict.seq == 0 and verdict.kept:
        return "kept must be false for seq 0"
    return None


def _receipt_agrees(receipt: types.Receipt) -> str | None:
    if (receipt.upto == 0) != (receipt.digest == _NONE_YET):
        return "digest must be zero exactly where upto is"
    return None


def _command_agrees(command: types.Command) -> str | None:
    return None if command.name in types.COMMANDS else "no such command"


def _reason() -> Rule:
    known, own = uint(0, max(types.Reason)), uint(types.SITES_OWN_REASONS)

    def holds(value: object) -> bool:
        return known.holds(value) or own.holds(value)

    return Rule(holds, f"{known.says}, or {types.SITES_OWN_REASONS} and above", unmake=known.unmake)


def _credential(captured_at: int, data: bytes) -> tuple[int, bytes]:
    return captured_at, data


SCAN: Final = Table(
    "scan",
    types.Scan,
    [
        Field(2, "seq", SEQ),
        Field(3, "prev", DIGEST),
        Field(4, "captured_at", UINT),
        Field(5, "clock", member(types.Clock)),
        Field(6, "boot", UINT),
        Field(7, "uptime", UINT),
        Field(8, "operation", member(types.Operation)),
        Field(9, "symbology", text(0, _MAX_TEXT)),
        Field(10, "data", octets(1, _MAX_DATA)),
        Field(11, "family", member(types.Family)),
        Field(12, "session", _NAME, optional=True),
        Field(13, "operator", _NAME, optional=True),
        Field(14, "offline", BOOL),
        Field(15, "site", ID),
        Field(16, "target", SEQ, optional=True),
    ],
    _scan_agrees,
)

HEAD: Final = Table(
    "head",
    types.Head,
    [
        Field(2, "boot", UINT),
        Field(3, "connection", uint(1)),
        Field(4, "uptime", UINT),
        Field(5, "newest", UINT),
        Field(6, "digest", DIGEST),
        Field(7, "oldest", SEQ),
        Field(8, "missing", RANGES),
        Field(9, "firmware", text(1, _MAX_TEXT)),
    ],
    _head_agrees,
)

VERDICT: Final = Table(
    "verdict",
    types.Verdict,
    [
        Field(2, "seq", UINT),
        Field(3, "digest", DIGEST),
        Field(4, "outcome", member(types.Outcome)),
        Field(5, "reason", _reason()),
        Field(6, "decided_at", UINT),
        Field(7, "final", BOOL),
        Field(8, "kept", BOOL),
        Field(9, "text", text(1, _MAX_TEXT), optional=True),
    ],
    _verdict_agrees,
)

RECEIPT: Final = Table(
    "receipt",
    types.Receipt,
    [
        Field(2, "upto", UINT),
        Field(3, "digest", DIGEST),
        Field(4, "sent_at", UINT),
        Field(5, "head", DIGEST, optional=True),
    ],
    _receipt_agrees,
)

CREDENTIAL: Final = Table(
    "credential",
    _credential,
    [Field(2, "captured_at", UINT), Field(3, "data", octets(1, _MAX_DATA))],
)

COMMAND: Final = Table(
    "command",
    types.Command,
    [
        Field(2, "counter", SEQ),
        Field(3, "name", text(1, _MAX_TEXT)),
        Field(4, "arguments", MAP),
        Field(5, "not_after", UINT),
    ],
    _command_agrees,
)

REPLY: Final = Table(
    "reply",
    types.Reply,
    [
        Field(2, "counter", UINT),
        Field(3, "result", text(1, _MAX_RESULT)),
        Field(4, "last", uint(0, _MAX_COUNTER)),
        Field(5, "details", MAP),
    ],
)
