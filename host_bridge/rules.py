"""The decision: what is known of this code, this operation, this session -> outcome, reason and what to do."""

from dataclasses import dataclass
from enum import Enum, auto

from host_bridge.wire_types import Operation, Outcome, Reason

CODELESS = frozenset({Operation.VOID, Operation.SESSION_END})  # operations whose data names no box


class Effect(Enum):
    """What follows from a decision, in the same transaction."""

    NOTHING = auto()
    CLAIM = auto()  # the code is this sale's; submit it
    ASK = auto()  # ask the platform
    CANCEL = auto()  # take the target's row back before it left, free its code
    REVERSE = auto()  # have the platform take the target's sale back, once it is known to have it
    CLOSE_SESSION = auto()


class Standing(Enum):
    """Where a code stands, seen from one site."""

    FREE = auto()
    HERE = auto()
    ELSEWHERE = auto()


class TargetStanding(Enum):
    """How far the record got that is to be taken back."""

    NONE = auto()  # nothing there that could be
    UNSENT = auto()  # its submission was never claimed
    SENT = auto()  # the platform may have it, or has it


@dataclass(frozen=True, slots=True)
class Decision:
    outcome: Outcome
    reason: int = Reason.NONE
    effect: Effect = Effect.NOTHING


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of the record that a void names, or of the sale that a return takes back."""

    operation: int | None
    session: str | None
    session_closed: bool
    voided: bool
    outcome: int  # of its verdict today
    attempts: int | None  # of its submission, None where it has none
    submission: str | None  # state of its outbox row


@dataclass(frozen=True, slots=True)
class Known:
    """All that a decision may look at."""

    operation: int | None
    session: str | None
    suspended: bool
    malformed: bool
    code: Standing = Standing.FREE
    target: Target | None = None
    session_open: bool = False


_ACCEPT = Decision(Outcome.ACCEPTED)
_SOLD_HERE = Decision(Outcome.DUPLICATE_HERE, Reason.SOLD_HERE)
_SOLD_ELSEWHERE = Decision(Outcome.REJECTED, Reason.SOLD_ELSEWHERE)
_NOT_SOLD_HERE = Decision(Outcome.REJECTED, Reason.RETURN_REFUSED)
_PENDING = Outcome.PENDING
_MALFORMED = Decision(Outcome.ERROR, Reason.MALFORMED)

_BY_CODE: dict[tuple[int, Standing], Decision] = {
    (Operation.SALE, Standing.FREE): Decision(_PENDING, Reason.PLATFORM_UNREACHABLE, Effect.CLAIM),
    (Operation.SALE, Standing.HERE): _SOLD_HERE,
    (Operation.SALE, Standing.ELSEWHERE): _SOLD_ELSEWHERE,
    (Operation.QUERY, Standing.FREE): Decision(_PENDING, Reason.PLATFORM_UNREACHABLE, Effect.ASK),
    (Operation.QUERY, Standing.HERE): _SOLD_HERE,
    (Operation.QUERY, Standing.ELSEWHERE): _SOLD_ELSEWHERE,
    (Operation.RETURN, Standing.FREE): _NOT_SOLD_HERE,
    (Operation.RETURN, Standing.HERE): Decision(_PENDING, Reason.PLATFORM_UNREACHABLE, Effect.REVERSE),
    (Operation.RETURN, Standing.ELSEWHERE): _NOT_SOLD_HERE,
    **{
        (kind, standing): _ACCEPT
        for kind in (Operation.RECEIVE, Operation.STOCK_TAKE, Operation.DISPATCH)
        for standing in Standing
    },
}
_BY_TARGET: dict[TargetStanding, Decision] = {
    TargetStanding.NONE: Decision(Outcome.REJECTED, Reason.NOTHING_TO_VOID),
    TargetStanding.UNSENT: Decision(Outcome.ACCEPTED, Reason.NONE, Effect.CANCEL),
    TargetStanding.SENT: Decision(_PENDING, Reason.PLATFORM_UNREACHABLE, Effect.REVERSE),
}
_BY_SESSION = {
    True: Decision(Outcome.ACCEPTED, Reason.NONE, Effect.CLOSE_SESSION),
    False: Decision(Outcome.REJECTED, Reason.SESSION_MISSING),
}


def decide(known: Known) -> Decision:
    """First verdict on one record; pure."""
    if known.malformed:
        return _MALFORMED
    if known.suspended:
        return Decision(Outcome.ERROR, Reason.DEVICE_SUSPENDED)
    if known.operation == Operation.VOID:
        return _BY_TARGET[_target_standing(known)]
    if known.operation == Operation.SESSION_END:
        return _BY_SESSION[known.session_open]
    if known.operation == Operation.RETURN and known.target and known.target.voided:
        return _NOT_SOLD_HERE
    return _BY_CODE.get((known.operation or 0, known.code), _MALFORMED)


def _target_standing(known: Known) -> TargetStanding:
    target = known.target
    if target is None or target.operation != Operation.SALE or target.session != known.session:
        return TargetStanding.NONE
    taken = target.outcome in (Outcome.ACCEPTED, Outcome.PENDING)
    if not taken or target.voided or target.session_closed or target.submission is None:
        return TargetStanding.NONE
    unsent = target.submission == "waiting" and target.attempts == 0
    return TargetStanding.UNSENT if unsent else TargetStanding.SENT


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
    if reason == Reason.SOLD_HERE:
        return _SOLD_HERE
    return Decision(Outcome.REJECTED, reason or Reason.PLATFORM_REFUSED)
