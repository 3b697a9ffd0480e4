"""An update as a person sees it: a bundle's facts, and how far a rollout is."""

import re
import time
from collections import Counter

from rich.table import Table

from host_bridge.bundle import Bundle, unpacked
from host_bridge.ledger import rollouts
from host_bridge.rollout_plan import Status
from scanlatch_tools.texts import N_, _, n_

_STATES = {
    rollouts.RUNNING: N_("runs"),
    rollouts.WAITING: N_("waits for a word: run the same command again"),
    rollouts.STOPPED: N_("is stopped"),
    rollouts.DONE: N_("is done"),
    rollouts.DROPPED: N_("was given up"),
}
KEPT = {  # what host_bridge/rollout_plan.py and rollout_answers.py write into the ledger
    r"by hand": N_("by hand"),
    r"another took its place": N_("another took its place"),
    r"another update took its place": N_("another update took its place"),
    r"every terminal was come to": N_("every terminal was come to"),
    r"group (?P<part>\d+) is through": N_("group {part} is through"),
    r"group (?P<part>\d+): (?P<failed>\d+) of (?P<total>\d+) failed, (?P<borne>\d+) are borne": N_(
        "group {part}: {failed} of {total} failed, {borne} are borne"
    ),
    r"group (?P<part>\d+): (?P<failed>\d+) of (?P<total>\d+) failed, (?P<least>\d+)% must succeed": N_(
        "group {part}: {failed} of {total} failed, {least}% must succeed"
    ),
    r"other family: (?P<family>.*)": N_(
        "other family: {family}; `scanlatch update build --family {family}` makes theirs"
    ),
    r"went back to (?P<version>.*): the new firmware did not prove itself": N_(
        "went back to {version}: the new firmware did not prove itself"
    ),
    r"it is not enrolled any more": N_("it is not enrolled any more"),
    r"not heard of since it was to restart": N_("not heard of since it was to restart"),
    r"did not answer for a day": N_("did not answer for a day"),
    r"was short of memory, or busy, for a day": N_("was short of memory, or busy, for a day"),
    r"did not have it all within a week": N_("did not have it all within a week"),
}
_REASONS = 5  # why an update is not for terminals
_LISTED = 50  # terminals that did not take it


def bundle(of: Bundle) -> Table:
    """What is in a bundle."""
    told = of.manifest
    table = Table(show_header=False, box=None)
    size = n_("{count} file, {size} bytes", "{count} files, {size} bytes", told.files)
    for name, value in (
        (_("version"), told.version),
        (_("counter"), str(told.counter)),
        (_("for"), told.family),
        (_("made"), time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(told.made_at / 1000))),
        (_("content"), size.format(count=told.files, size=told.size)),
        (_("SHA-256"), told.content.hex()),
        (_("bundle"), of.digest.hex()),
    ):
        table.add_row(name, value)
    return table


def files(of: Bundle) -> Table:
    """Its files."""
    table = Table(_("file"), _("bytes"))
    for path, data in unpacked(of.content).items():
        table.add_row(path, str(len(data)))
    return table


def rollout(status: Status) -> tuple[str, Table, list[str]]:
    """Where a rollout stands: a line, its groups, and the terminals that did not take it."""
    row = status.rollout
    why = f" ({_said(row.why)})" if row.why else ""
    line = _("the update to {version} {state}{why}").format(
        version=status.package.version, state=_(_STATES[row.state]), why=why
    )
    table = Table(_("group"), _("terminals"), _("have it"), _("failed"), _("under way"), _("not for them"))
    for part in range(1, row.part + 1):
        count = Counter(one.state for one in status.places.values() if one.part == part)
        failed = count[rollouts.FAILED] + count[rollouts.SILENT]
        going = count[rollouts.QUEUED] + count[rollouts.SENDING] + count[rollouts.TRIAL]
        figures = count.total(), count[rollouts.DONE], failed, going, count[rollouts.SKIPPED]
        table.add_row(str(part), *map(str, figures))
    bad = [one for one in status.places.values() if one.state in (rollouts.FAILED, rollouts.SILENT)]
    others = Counter(one.detail or "" for one in status.places.values() if one.state == rollouts.SKIPPED)
    not_for = [
        n_("not for {count} terminal: {why}", "not for {count} terminals: {why}", count).format(
            count=count, why=_said(_plain(detail))
        )
        for detail, count in others.most_common(_REASONS)
    ]
    return line, table, [*(f"{one.device}: {_said(_plain(one.detail or ''))}" for one in bad[:_LISTED]), *not_for]


def _said(told: str) -> str:
    """A sentence that the bridge keeps in English, as the reader says it; itself where it is none of these."""
    for form, sentence in KEPT.items():
        if found := re.fullmatch(form, told):
            return _(sentence).format(**found.groupdict())
    return told


def _plain(said: str) -> str:
    """A terminal's words for a screen: nothing that moves its cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in said)
