"""The contract's messages as typed values: what each table of the wire contract holds, by its names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Operation(IntEnum):
    """What the person does with the box."""

    SALE = 1
    RETURN = 2
    RECEIVE = 3
    STOCK_TAKE = 4
    QUERY = 5
    DISPATCH = 6
    VOID = 7
    SESSION_END = 8


class Family(IntEnum):
    """Which kind of code was read."""

    TWENTY_DIGIT = 1
    GS1 = 2
    MAKERS_OWN = 3
    LINK = 4
    CONTROL = 5


class Clock(IntEnum):
    """How far the device's time can be trusted."""

    NEVER_SET = 0
    KEPT = 1
    SYNCHRONISED = 2


class Outcome(IntEnum):
    """What the terminal is to show."""

    ACCEPTED = 0
    REJECTED = 1
    DUPLICATE_HERE = 2
    PENDING = 3
    EXEMPT = 4
    ERROR = 5


class Reason(IntEnum):
    """Why. 26 to 63 are reserved, 64 and above are the site's own."""

    NONE = 0
    SOLD_HERE = 1
    SOLD_ELSEWHERE = 2
    UNKNOWN_CODE = 3
    NOT_RECEIVED = 4
    RECALLED = 5
    EXPIRED = 6
    SUBSTITUTION = 7
    NOT_A_SALES_UNIT = 8
    PARENT_AND_CHILD = 9
    BATCH_DIFFERS = 10
    RETURN_REFUSED = 11
    NOT_ANNOUNCED = 12
    PLATFORM_REFUSED = 13
    PLATFORM_UNREACHABLE = 14
    PLATFORM_UNKNOWN = 15
    SESSION_MISSING = 16
    DEVICE_SUSPENDED = 17
    CLOCK_IMPLAUSIBLE = 18
    QUANTITY_EXCEEDED = 19
    MALFORMED = 20
    SEQUENCE_CONFLICT = 21
    NOTHING_TO_VOID = 22
    VOIDED = 23
    SOLD_SEVERAL_TIMES = 24


class UnsaidReason(IntEnum):
    """Of the ledger and of evidence alone, from the contract's reserved numbers: no terminal is told."""

    DEVICE_REVOKED = 63


SITES_OWN_REASONS = 64  # the first of them

COMMANDS = frozenset(
    {
        "identify",
        "session",
        "acknowledge",
        "settings",
        "bridge-key",
        "health",
        "restart",
        "resend",
        "update-begin",
        "update-chunk",
        "update-commit",
        "retire",
    }
)


@dataclass(frozen=True, slots=True)
class Scan:
    """One record of a device. Times in ms: `captured_at` since 1970 UTC, `uptime` since its boot."""

    seq: int
    prev: bytes
    captured_at: int
    clock: Clock
    boot: int
    uptime: int
    operation: Operation
    symbology: str
    data: bytes
    family: Family
    session: str | None
    operator: str | None
    offline: bool
    site: str
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a device's chain ends. `missing` are ranges, both ends included, lowest first."""

    boot: int
    connection: int
    uptime: int
    newest: int
    digest: bytes
    oldest: int
    missing: tuple[tuple[int, int], ...]
    firmware: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to the record whose bytes have `digest`. `decided_at` in ms since 1970 UTC."""

    seq: int
    digest: bytes
    outcome: Outcome
    reason: int
    decided_at: int
    final: bool
    kept: bool
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """All records up to `upto`, whose bytes have `digest`, are safe. `head`: digest of the head it answers."""

    upto: int
    digest: bytes
    sent_at: int
    head: bytes | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A person's credential, never to be stored or logged. `boot` and `counter` come from the nonce."""

    captured_at: int
    data: bytes = field(repr=False)
    boot: int
    counter: int


@dataclass(frozen=True, slots=True)
class Command:
    """What a device is told to do, at most until `not_after` (ms since 1970 UTC)."""

    counter: int
    name: str
    arguments: Mapping[str, object]
    not_after: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A device's answer to command `counter`; `last` is the highest counter that it has accepted."""

    counter: int
    result: str
    last: int
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OpenedScan:
    """A message that claims (device, `seq`).

    `scan` is None where something else is wrong with it: `fault` then says what, and the record is evidence
    that claims no code. `prev` is None only where even that could not be read.
    """

    seq: int
    prev: bytes | None
    digest: bytes
    scan: Scan | None
    fault: str | None
