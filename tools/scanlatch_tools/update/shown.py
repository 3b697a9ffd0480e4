"""An update as a person sees it: a bundle's facts, and how far a rollout is."""

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
    why = f" ({row.why})" if row.why else ""
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
    return line, table, [f"{one.device}: {_plain(one.detail or '')}" for one in bad[:_LISTED]]


def _plain(said: str) -> str:
    """A terminal's words for a screen: nothing that moves its cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in said)
