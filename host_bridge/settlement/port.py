"""What any settlement platform must be able to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["sale", "reverse", "query"]
Payer = Literal["insured", "self-pay", "work-injury"]
PlatformOutcome = Literal["accepted", "refused", "unknown", "unseen"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One thing to be told to, or asked of, the platform. `key` is its identity there, for ever."""

    key: str  # idempotency key; the same key is never used for anything else
    kind: Kind
    code: str  # canonical trace code
    site: str
    device: str
    seq: int
    captured_at: int  # ms UTC
    session: str | None
    reverses: str | None = None  # key of the sale that a "reverse" takes back
    payer: Payer = "insured"  # of a reverse: as its sale's
    split: bool = False  # one part of an opened box, not the whole of it


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one submission.

    For a query: accepted 0 = known and unsold; refused 1 = sold once, by the asking site; refused 2 = sold
    once elsewhere; refused 24 = sold several times; refused 3 = unknown code.
    """

    key: str
    outcome: PlatformOutcome
    reason: int = 0  # WIRE.md "Verdict", reasons
    text: str | None = None  # for a display


class Platform(Protocol):
    """A settlement platform. Calls block, and end by themselves; the outbox makes them from a thread of its own.

    An item that the platform can't be told for its length or characters is refused by the adapter, alone.
    """

    batch_limit: int  # most items one call may carry
    code_limit: int  # most characters of a code; a longer one is refused by the adapter
    silence_s: float  # longest silence within a call, after which its items count as unknown

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        """Submit; one answer an item, in the same order.

        "unknown" says that no answer came, so the item may have been taken: it must be asked about under its
        key, never sent as something new. Network trouble is an answer, not an exception.
        """
        ...

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        """What became of these keys: accepted, refused, unseen (safe to send), or unknown (no answer yet)."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...
