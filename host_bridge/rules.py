"""The decision: what is known of this code, this operation, this session -> outcome, reason and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from host_bridge.rules_tables import FIRST, REFUSED, TABLES, Alarm, Effect, Row
from host_bridge.wire_types import Operation, Outcome, Reason

CODELESS = frozenset({Operation.VOID, Operation.SESSION_END})  # operations whose data names no box
SOFT_REPEATS = 2  # of a sale at the same site, before a person has to look into it


class Standing(Enum):
    """Where a code stands, seen from one site."""

    FREE = auto()
    HERE = auto()
    ELSEWHERE = auto()


class SessionState(Enum):
    """How far the session got that a record names."""

    NONE = auto()  # it names none
    UNKNOWN = auto()  # never opened, or for another terminal
    IN_FORCE = auto()
    OVER = auto()  # its time was over when the box was read; nobody closed it
    CLOSED = auto()


class Place(Enum):
    """Where a box stands among the lines of its session."""

    NONE = auto()  # no line is of its product, or what it is of is not known
    WHOLE = auto()  # a line has room for the box
    PART = auto()  # a line has room for a part of it
    FULL = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of the record that a void names, or of the sale that a return takes back."""

    operation: int | None
    session: str | None
    session_closed: bool
    voided: bool
    outcome: int  # of its verdict today
    attempts: int | None  # of its submission
    submission: str | None  # state of its outbox row, None where it has none


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, what follows from it, and the rule in docs/rules.md that gave it."""

    outcome: Outcome
    reason: int = Reason.NONE
    effect: Effect = Effect.NOTHING
    alarm: Alarm | None = None
    rule: str = ""


@dataclass(slots=True, kw_only=True)
class Known:
    """All that a decision may look at."""

    operation: int | None
    session: str | None = None
    malformed: bool = False
    suspended: bool = False
    revoked: bool = False  # or retired
    code: Standing = Standing.FREE
    opened: bool = False  # the box, parts of which are dispensed
    used_up: bool = False  # no part of it is left
    repeats: int = 0  # sales refused as sold here before
    in_stock: bool = False  # at this site
    exempt: bool = False
    recalled: bool = False
    expired: bool = False
    level: int = 1
    relative_held: bool = False  # a package that it lies in, or what lies in it, is sold
    session_state: SessionState = SessionState.NONE
    expects: bool = False  # the session's lines are all that it may dispense
    place: Place = Place.NONE
    split_lines: bool = False  # the session has a line for parts of this product
    announced: bool = False
    counted: bool = False  # in its delivery, by a scan of its own
    differs: bool = False  # batch or date, from what was announced
    relative_counted: bool = False  # in the same delivery: its package, or what lies in it
    delivery_open: bool = False
    other_kind: bool = False  # the session was opened for something else
    target: Target | None = None
    moved_on: bool = False  # what the target did to a code can't be undone any more
    late: bool = False  # the return, after its sale
    requires_session: bool = False
    requires_receipt: bool = False
    refuses_offline: bool = False
    sales_level: int = 1
    platform_down: bool = False


def _next_part(known: Known) -> bool:
    return known.opened and known.split_lines


def _nothing_to_void(known: Known) -> bool:
    target = known.target
    if target is None or target.operation not in _VOIDABLE or target.session != known.session:
        return True
    if target.voided or target.session_closed or known.session_state is SessionState.OVER:
        return True
    settling = target.operation in _SETTLING and target.submission is None and target.outcome != Outcome.EXEMPT
    return settling or target.outcome not in _STANDS


def _never_sent(known: Known) -> bool:
    target = known.target
    return target is not None and target.submission in _UNCLAIMED and target.attempts == 0


def _void_of(*operations: Operation) -> Callable[[Known], bool]:
    def test(known: Known) -> bool:
        target = known.target
        return target is not None and target.operation in operations and target.outcome != Outcome.EXEMPT

    return test


_UNCLAIMED = frozenset({"waiting", "held", "parked"})
_SETTLING = frozenset({Operation.SALE, Operation.RETURN})  # the platform is told of them
_VOIDABLE = frozenset(Operation) - CODELESS
_STANDS = frozenset({Outcome.ACCEPTED, Outcome.PENDING, Outcome.EXEMPT})


WORDS: dict[str, tuple[Callable[[Known], bool], str]] = {
    "malformed": (lambda k: k.malformed, "something is wrong with the record; its signature is good"),
    "device revoked": (lambda k: k.revoked, "the registry has revoked or retired the terminal"),
    "device suspended": (lambda k: k.suspended, "the registry has suspended the terminal"),
    "session named": (lambda k: k.session is not None, "the record names a session"),
    "session in force": (
        lambda k: k.session_state is SessionState.IN_FORCE,
        "it was opened for this terminal, is not closed, and its time was not over when the box was read",
    ),
    "session not closed": (
        lambda k: k.session_state in (SessionState.IN_FORCE, SessionState.OVER),
        "it was opened for this terminal, and nobody closed it",
    ),
    "session of another kind": (
        lambda k: k.other_kind, "the session it names was opened for this terminal to do something else in it",
    ),
    "site requires session": (lambda k: k.requires_session, "`require_session` of the site"),
    "exempt": (lambda k: k.exempt, "the catalogue says that the product carries no code that counts"),
    "held here": (lambda k: k.code is Standing.HERE, "a sale of this site has the code, settled or not, or opened it"),
    "held elsewhere": (lambda k: k.code is Standing.ELSEWHERE, "a sale of another site has the code"),
    "opened": (lambda k: k.opened, "parts of the box are dispensed"),
    "next part": (_next_part, "the box is opened, and the session has a line for parts of its product"),
    "used up": (lambda k: k.used_up, "as many parts of it are dispensed as it holds"),
    "repeated twice": (lambda k: k.repeats >= SOFT_REPEATS, "two sales of it were refused so before"),
    "above sales level": (lambda k: k.level > k.sales_level, "its packaging level is above the site's `sales_level`"),
    "relative held": (lambda k: k.relative_held, "a package that it lies in, or something in it, is sold"),
    "recalled": (lambda k: k.recalled, "a recall of its product or batch is in force"),
    "expired": (lambda k: k.expired, "the day of reading is after the last day that code or catalogue give"),
    "site requires receipt": (lambda k: k.requires_receipt, "`require_receipt` of the site"),
    "in stock here": (lambda k: k.in_stock, "it was received at this site, and neither sold nor sent on since"),
    "session expects": (lambda k: k.expects, "the session's lines are all that it may dispense"),
    "on lines": (lambda k: k.place is not Place.NONE, "a line of the session is of its product"),
    "lines full": (lambda k: k.place is Place.FULL, "no line of its product has room"),
    "split line": (lambda k: k.place is Place.PART, "the line that it counts on is for parts"),
    "platform out of reach": (lambda k: k.platform_down, "the platform's last call brought no answer"),
    "site refuses offline sales": (lambda k: k.refuses_offline, '`offline_sales` of the site is `"refused"`'),
    "no sale to return": (
        lambda k: k.target is None or k.target.voided, "the sale is not in the ledger, or is being taken back already",
    ),
    "returned too late": (lambda k: k.late, "more than the site's `return_hours` after the sale was read"),
    "announced": (lambda k: k.announced, "an open delivery of the site in this direction announces the code"),
    "counted": (lambda k: k.counted, "this very code was scanned for the delivery before"),
    "package or content counted": (
        lambda k: k.relative_counted, "in the same delivery its package was scanned, or something that lies in it",
    ),
    "differs": (lambda k: k.differs, "its batch or last day is not the announced one"),
    "delivery open": (lambda k: k.delivery_open, "some delivery of the site in this direction is open"),
    "nothing to void": (
        _nothing_to_void,
        "no scan of a box by the same terminal in the same session that stands: unknown, refused, taken back, or the "
        "session closed or over",
    ),
    "moved on": (
        lambda k: k.moved_on,
        "of a return: sold again, sent on, received elsewhere, its package sold, or its line full since; of a scan "
        "at a dock: anything that it moved is sold, or another scan placed it since, or its delivery is closed",
    ),
    "never sent": (_never_sent, "its submission was never claimed for a call"),
    "void of a sale": (_void_of(Operation.SALE), "the record that it names is a sale, not an exempt one"),
    "void of a return": (_void_of(Operation.RETURN), "the record that it names is a return"),
    "void at the dock": (
        _void_of(Operation.RECEIVE, Operation.DISPATCH), "the record that it names received or dispatched",
    ),
}  # fmt: skip
"""The words of the tables: what each looks at, and what it means."""


def decide(known: Known) -> Decision:
    """First verdict on one record; pure."""
    for tests, decision in _COMPILED.get(known.operation or 0, _FIRST):
        for test, wanted in tests:
            if test(known) is not wanted:
                break
        else:
            return decision
    return _MALFORMED


def standing(state: str | None, holder_site: str | None, site: str | None) -> Standing:
    """Where a code stands for `site`; a claim counts as a sale until it is given back."""
    if state is None or state == "free":
        return Standing.FREE
    return Standing.HERE if holder_site == site else Standing.ELSEWHERE


def unanswered(submission: str | None, trouble: int | None) -> int:
    """Why a verdict is still pending: the state of its submission, and what kept the last call from an answer."""
    if submission in ("sending", "unknown"):
        return trouble or Reason.PLATFORM_UNKNOWN
    return Reason.PLATFORM_UNREACHABLE


def refusal(reason: int) -> Decision:
    """The final verdict for a platform's refusal."""
    return _REFUSED.get(reason) or Decision(Outcome.REJECTED, reason or Reason.PLATFORM_REFUSED)


_Test = tuple[Callable[[Known], bool], bool]
_NOT = "not "


def _test(word: str) -> _Test:
    wanted = not word.startswith(_NOT) or word in WORDS
    return WORDS[word if wanted else word.removeprefix(_NOT)][0], wanted


def _decision(row: Row) -> Decision:
    return Decision(row.outcome, int(row.reason), row.effect, row.alarm, row.rule)


def _compiled(rows: tuple[Row, ...]) -> list[tuple[tuple[_Test, ...], Decision]]:
    return [(tuple(map(_test, row.when)), _decision(row)) for row in rows]


_FIRST = _compiled(FIRST)
_MALFORMED = next(decision for _, decision in _FIRST if decision.reason == Reason.MALFORMED)
_COMPILED = {int(operation): _FIRST + _compiled(rows) for operation, rows in TABLES.items()}
_REFUSED = {int(row.reason): _decision(row) for row in REFUSED}
