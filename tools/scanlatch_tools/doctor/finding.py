"""A finding: what was looked at, how bad it is, and the values that fill its sentences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scanlatch_tools.doctor.texts import FINDINGS
from scanlatch_tools.texts import _

OK, NOTE, WARN, BAD = "ok", "note", "warn", "bad"
WARNS, FAULTY = 7, 8  # exit status


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. key: of `texts.FINDINGS`, which says what was looked at, how bad it is, and what to do."""

    key: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def about(self) -> str:
        """What was looked at: the part of the key before its dot."""
        return self.key.partition(".")[0]

    @property
    def level(self) -> str:
        """ "ok", "note", "warn" or "bad"."""
        return FINDINGS[self.key].level

    @property
    def text(self) -> str:
        """What was found, in the reader's language."""
        return _(FINDINGS[self.key].text).format(**self.values)

    @property
    def advice(self) -> str:
        """What to do, in the reader's language; "" where nothing is to be done."""
        advice = FINDINGS[self.key].advice
        return _(advice).format(**self.values) if advice else ""


Tell = Callable[[Finding], None]


def status(found: Iterable[Finding]) -> int:
    """The command's exit status: the worst finding's."""
    levels = {one.level for one in found}
    return FAULTY if BAD in levels else WARNS if WARN in levels else 0
