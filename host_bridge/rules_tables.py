"""The decision tables: for each operation the rows in the order in which they are tried; the first that holds decides.

docs/rules.md is written from here by tools/scripts/rules_page.py.
"""

from dataclasses import dataclass
from enum import Enum, auto

from host_bridge.wire_types import Operation, Outcome, Reason, UnsaidReason


class Effect(Enum):
    """What follows from a decision, in the same transaction; the values are for people."""

    NOTHING = "nothing changes"
    CLAIM = "the code is this sale's, its line is one fuller; the platform is told"
    PART = "the box counts as opened, one part of it is dispensed; the platform is told"
    REPEAT = "the repeat is counted"
    ASK = "the platform is asked"
    CANCEL = "the submission is cancelled; code, stock and line are as before"
    REVERSE = (
        "the platform is told once it is known to have the sale; code, stock and line are as before once it agrees"
    )
    RESTORE = (
        "the platform is told of the sale anew once it is known to have the return; code, stock and line are the "
        "sale's again, where it refuses the return's"
    )
    UNDO = "what the scan counted was not seen, what it moved lies where it lay before"
    MARK = "the scan does not count any more"
    COUNT = "the item is seen, and all that lies in it; the stock moves with it"
    STOCK = "the stock moves, and all that lies in the package with it"
    EXTRA = "noted with the delivery as not announced"
    DIFFERS = "noted with the delivery's item, if it has one that was not counted"
    CLOSE_SESSION = "the session is closed"


class Alarm(Enum):
    """What a person has to look into."""

    SOLD_ELSEWHERE = auto()
    REPEATED = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where every word of `when` holds ("not" before one turns it round), this is the answer."""

    rule: str  # its heading in docs/rules.md
    when: tuple[str, ...]
    outcome: Outcome
    reason: Reason | UnsaidReason = Reason.NONE
    effect: Effect = Effect.NOTHING
    alarm: Alarm | None = None


_ACCEPTED, _REJECTED, _DUPLICATE = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.DUPLICATE_HERE
_PENDING, _UNTIL_ANSWERED = Outcome.PENDING, Reason.PLATFORM_UNREACHABLE

FIRST: tuple[Row, ...] = (
    Row("Revoked device", ("device revoked",), Outcome.ERROR, UnsaidReason.DEVICE_REVOKED),
    Row("Malformed record", ("malformed",), Outcome.ERROR, Reason.MALFORMED),
    Row("Suspended device", ("device suspended",), Outcome.ERROR, Reason.DEVICE_SUSPENDED),
)
"""Tried before every operation's own rows."""

_HELD = (
    Row(
        "Sold elsewhere", ("held elsewhere",),
        _REJECTED, Reason.SOLD_ELSEWHERE, Effect.DIFFERS, Alarm.SOLD_ELSEWHERE,
    ),
    Row("Sold box at the dock", ("held here",), _REJECTED, Reason.SOLD_HERE, Effect.DIFFERS),
)  # fmt: skip
_UNFIT_AT_DOCK = (
    Row("Recalled", ("recalled",), _REJECTED, Reason.RECALLED, Effect.DIFFERS),
    Row("Expired", ("expired",), _REJECTED, Reason.EXPIRED, Effect.DIFFERS),
)
_UNFIT = (
    Row("Recalled", ("recalled",), _REJECTED, Reason.RECALLED),
    Row("Expired", ("expired",), _REJECTED, Reason.EXPIRED),
)
_AGAINST_DELIVERY = (
    Row("Batch or date differs", ("announced", "differs"), _REJECTED, Reason.BATCH_DIFFERS, Effect.DIFFERS),
    Row("Parent and child", ("package or content counted",), _REJECTED, Reason.PARENT_AND_CHILD),
    Row("Counted before", ("counted",), _ACCEPTED),
)
_ON_DELIVERY = (
    Row("Announced", ("announced",), _ACCEPTED, effect=Effect.COUNT),
    Row("Not announced", ("delivery open",), _REJECTED, Reason.NOT_ANNOUNCED, Effect.EXTRA),
    Row("Without announcement", (), _ACCEPTED, effect=Effect.STOCK),
)

TABLES: dict[Operation, tuple[Row, ...]] = {
    Operation.SALE: (
        Row("Session", ("session named", "not session in force"), _REJECTED, Reason.SESSION_MISSING),
        Row("Session", ("site requires session", "not session named"), _REJECTED, Reason.SESSION_MISSING),
        Row("Session of another kind", ("session of another kind",), _REJECTED, Reason.SESSION_MISSING),
        Row("Exempt", ("exempt",), Outcome.EXEMPT),
        Row("Sold elsewhere", ("held elsewhere",), _REJECTED, Reason.SOLD_ELSEWHERE, alarm=Alarm.SOLD_ELSEWHERE),
        Row(
            "Duplicate here",
            ("held here", "not next part", "repeated twice"),
            _DUPLICATE, Reason.SOLD_HERE, Effect.REPEAT, Alarm.REPEATED,
        ),
        Row("Duplicate here", ("held here", "not next part"), _DUPLICATE, Reason.SOLD_HERE, Effect.REPEAT),
        Row("Split packs", ("opened", "used up"), _REJECTED, Reason.QUANTITY_EXCEEDED),
        Row("Case at a window", ("above sales level",), _REJECTED, Reason.NOT_A_SALES_UNIT),
        Row("Parent and child", ("relative held",), _REJECTED, Reason.PARENT_AND_CHILD),
        *_UNFIT,
        Row(
            "Not received here", ("site requires receipt", "not in stock here", "not opened"),
            _REJECTED, Reason.NOT_RECEIVED,
        ),
        Row("Substitution", ("session expects", "not on lines"), _REJECTED, Reason.SUBSTITUTION),
        Row("Quantity", ("lines full",), _REJECTED, Reason.QUANTITY_EXCEEDED),
        Row(
            "Offline policy", ("platform out of reach", "site refuses offline sales"),
            _REJECTED, Reason.PLATFORM_UNREACHABLE,
        ),
        Row("Split packs", ("split line",), _PENDING, _UNTIL_ANSWERED, Effect.PART),
        Row("Sale once", (), _PENDING, _UNTIL_ANSWERED, Effect.CLAIM),
    ),
    Operation.RETURN: (
        Row("Exempt", ("exempt", "not held here", "not held elsewhere"), Outcome.EXEMPT),
        Row("Return", ("not held here",), _REJECTED, Reason.RETURN_REFUSED),
        Row("Return", ("no sale to return",), _REJECTED, Reason.RETURN_REFUSED),
        Row("Return in time", ("returned too late",), _REJECTED, Reason.RETURN_REFUSED),
        Row("Return", (), _PENDING, _UNTIL_ANSWERED, Effect.REVERSE),
    ),
    Operation.RECEIVE: (*_HELD, *_UNFIT_AT_DOCK, *_AGAINST_DELIVERY, *_ON_DELIVERY),
    Operation.DISPATCH: (
        *_HELD,
        *_AGAINST_DELIVERY,
        Row("Not received here", ("site requires receipt", "not in stock here"), _REJECTED, Reason.NOT_RECEIVED),
        *_ON_DELIVERY,
    ),
    Operation.STOCK_TAKE: (
        Row("Session of another kind", ("session of another kind",), _REJECTED, Reason.SESSION_MISSING),
        Row("Stock-take", (), _ACCEPTED),
    ),
    Operation.QUERY: (
        Row("Query", ("held here",), _DUPLICATE, Reason.SOLD_HERE),
        Row("Query", ("held elsewhere",), _REJECTED, Reason.SOLD_ELSEWHERE),
        Row("Query", (), _PENDING, _UNTIL_ANSWERED, Effect.ASK),
    ),
    Operation.VOID: (
        Row("Void", ("nothing to void",), _REJECTED, Reason.NOTHING_TO_VOID),
        Row("Void of what moved on", ("moved on",), _REJECTED, Reason.NOTHING_TO_VOID),
        Row("Void", ("never sent",), _ACCEPTED, effect=Effect.CANCEL),
        Row("Void", ("void of a sale",), _PENDING, _UNTIL_ANSWERED, Effect.REVERSE),
        Row("Void of a return", ("void of a return",), _PENDING, _UNTIL_ANSWERED, Effect.RESTORE),
        Row("Void at the dock", ("void at the dock",), _ACCEPTED, effect=Effect.UNDO),
        Row("Void of what changed nothing", (), _ACCEPTED, effect=Effect.MARK),
    ),
    Operation.SESSION_END: (
        Row("Session end", ("session not closed",), _ACCEPTED, effect=Effect.CLOSE_SESSION),
        Row("Session end", (), _REJECTED, Reason.SESSION_MISSING),
    ),
}  # fmt: skip

REFUSED: tuple[Row, ...] = (
    Row("Sold here, says the platform", ("platform: sold here",), _DUPLICATE, Reason.SOLD_HERE),
    Row(
        "Sold elsewhere, says the platform", ("platform: sold elsewhere",),
        _REJECTED, Reason.SOLD_ELSEWHERE, alarm=Alarm.SOLD_ELSEWHERE,
    ),
    Row(
        "Sold several times, says the platform", ("platform: sold several times",),
        _REJECTED, Reason.SOLD_SEVERAL_TIMES, alarm=Alarm.SOLD_ELSEWHERE,
    ),
    Row("Unknown code, says the platform", ("platform: unknown code",), _REJECTED, Reason.UNKNOWN_CODE),
    Row("Refused by the platform", (), _REJECTED, Reason.PLATFORM_REFUSED),
)  # fmt: skip
"""What the platform's refusal becomes; any other reason that it gives is passed on."""
