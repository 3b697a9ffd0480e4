"""What an audit finds: each thing in one line, with where it is and what to do about it."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from host_bridge.late import LATE_MS
from host_bridge.texts import N_, _, told

MOST = 20  # findings of one kind listed for one device; the rest are counted

# What to do, by kind.
ADVICE = {
    "gap": N_("compare with the newest backup; a terminal sends again what its flash still holds"),
    "lost": N_("the terminal's flash had it no more: count the boxes of that time by hand"),
    "chain": N_("somebody changed the ledger, or the terminal was copied: compare with a backup, suspend the terminal"),
    "fork": N_("the terminal or its key was copied: revoke it, give the terminal in hand a new id"),
    "bytes": N_("the ledger's row was changed: put the record back from a backup"),
    "signature": N_("it is not the terminal's own: find out who wrote to the ledger, put it back from a backup"),
    "columns": N_("the ledger's row was changed: what the signed bytes say counts"),
    "time": N_(
        "the ledger's row was changed: put it back from a backup; the terminal's own time is in its signed bytes"
    ),
    "head": N_("heads were changed or taken away: compare with a backup"),
    "receipt": N_("the terminal may have freed what the ledger does not hold: put a backup back beside, and compare"),
    "undecided": N_("is a bridge running? It decides what is due every 10 s"),
    "turn": N_("it was decided before its turn: compare with a backup"),
    "verdict": N_("compare with a backup; `scanlatch bridge outbox list` shows what still waits"),
    "submission": N_("compare with a backup, and with the platform's statement of these keys"),
    "code": N_("compare with a backup, and with the platform's statement of this code"),
    "holders": N_("two sales stand for one box: compare with the platform's statement of this code, void one"),
    "quarantine": N_("the ledger's row was changed: put it back from a backup"),
    "stranger": N_("no such terminal was enrolled: put the registry back from a backup"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be; seqs from `first` to `last`, 0 where it is about none."""

    kind: str
    device: str
    first: int
    last: int
    what: str

    @property
    def where(self) -> str:
        """Device and seqs, for people."""
        seqs = f" {self.first}" if self.first else ""
        return f"{self.device}{seqs}" + (_(" to {last}").format(last=self.last) if self.last > self.first else "")

    def __str__(self) -> str:
        said = _("{where}: {what} [{kind}]. To do: {advice}")
        return said.format(where=self.where, what=told(self.what), kind=self.kind, advice=_(ADVICE[self.kind]))


@dataclass(slots=True)
class Told:
    """One device, as far as it was walked."""

    device: str
    status: str
    records: int = 0
    decided: int = 0
    waiting: int = 0  # for a lower seq, or for the bridge's next round
    final: int = 0  # verdicts after a pending one
    pending: int = 0  # submissions without an answer
    times: dict[str, int] = field(default_factory=dict[str, int])  # records whose time is not the terminal's, by how
    revoked: int = 0  # records that were taken after it was revoked or retired
    late: int = 0  # records that came long after they were read, see late.py
    came_late: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])  # from and to; the last MOST
    archived: int = 0  # records that were taken out of the ledger and are not in the database any more
    newest: int = 0
    head: int | None = None  # newest record as the last signed head has it; None: there was none
    unbroken: int = 0  # every seq up to this is there, or the ledger says why not, and names the one before it

    def add_late(self, seq: int) -> None:
        """Note that a record came late; lowest seq first."""
        self.late += 1
        first = self.came_late.pop()[0] if self.came_late and self.came_late[-1][1] == seq - 1 else seq
        self.came_late.append((first, seq))
        del self.came_late[:-MOST]


@dataclass(slots=True)
class Findings:
    """All that one audit found."""

    devices: list[Told] = field(default_factory=list[Told])
    listed: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])
    codes: int = 0  # not free
    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def add(self, kind: str, device: str, what: str, first: int = 0, last: int = 0) -> None:
        """Note one thing."""
        self.counts[device, kind] += 1
        if self.counts[device, kind] <= MOST:
            self.listed.append(Finding(kind, device, first, max(first, last), what))

    def lines(self) -> list[str]:
        """All of it for people: devices, notes, then one line for each finding."""
        said = [_line(one) for one in self.devices]
        said += [_("note: {note}").format(note=told(note)) for note in self.notes]
        said += [_("finding: {finding}").format(finding=finding) for finding in self.listed]
        said += [
            _("finding: {device}: {count} more [{kind}]").format(device=device, count=count - MOST, kind=kind)
            for (device, kind), count in self._more()
        ]
        count = sum(self.counts.values())
        said.append(_("{count} findings").format(count=count) if count else _("nothing is wrong"))
        return said

    def plain(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "ok": self.clean,
            "devices": [asdict(one) for one in self.devices],
            "codes": self.codes,
            "notes": self.notes,
            "findings": [{**asdict(one), "do": ADVICE[one.kind]} for one in self.listed],
            "more": [{"device": device, "kind": kind, "count": count - MOST} for (device, kind), count in self._more()],
        }

    def _more(self) -> list[tuple[tuple[str, str], int]]:
        return [(which, count) for which, count in sorted(self.counts.items()) if count > MOST]


def _line(one: Told) -> str:
    away = _(", {count} archived and not here").format(count=one.archived) if one.archived else ""
    return _(
        "{device}: {records} records{away}, chain unbroken to {unbroken}, {head}; {decided} decided, {waiting} wait "
        "for their turn, {final} final verdicts, {pending} without the platform's answer{more}"
    ).format(
        device=one.device, records=one.records, away=away, unbroken=one.unbroken, head=_head(one), decided=one.decided,
        waiting=one.waiting, final=one.final, pending=one.pending, more=_times(one) + _late(one) + _revoked(one),
    )  # fmt: skip


def _head(one: Told) -> str:
    if one.head is None:
        return _("no signed head yet")
    return _("its last signed head names {head}").format(head=one.head)


def _times(one: Told) -> str:
    if not one.times:
        return ""
    times = ", ".join(_("{count} by {how}").format(count=count, how=how) for how, count in sorted(one.times.items()))
    return _("; times worked out: {times}").format(times=times)


def _late(one: Told) -> str:
    if not one.late:
        return ""
    several = _("{first} to {last}")
    runs = [(several if last > first else "{first}").format(first=first, last=last) for first, last in one.came_late]
    return _("; {count} came over {seconds} s late: {ranges}").format(
        count=one.late, seconds=LATE_MS // 1000, ranges=", ".join(runs)
    )


def _revoked(one: Told) -> str:
    if not one.revoked:
        return ""
    return _("; {count} taken after it was {status}: evidence only").format(count=one.revoked, status=one.status)
