"""What is known of the terminals: by the registry, by what each said last of itself, by the broker's files."""

import time
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from host_bridge.devices import Registry
from host_bridge.ledger import Ledger, alerts, hints
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.hints import Hint
from scanlatch_tools.texts import N_, _

_DAY_MS = 86_400_000
_WORDS_MOST = 200  # signs of what a terminal says of itself; nobody vouches for it
_STATUS = {
    "enrolled": N_("enrolled"), "suspended": N_("suspended"), "revoked": N_("revoked"), "retired": N_("retired"),
}  # fmt: skip
_SHEET = {
    "site": N_("site"), "status": N_("status"), "shut_out": N_("shut out of the broker"),
    "enrolled_at": N_("enrolled on"),
    "upto": N_("records complete to"), "newest": N_("newest record"), "last_record_at": N_("last record on"),
    "firmware": N_("firmware"), "board": N_("board"), "engine": N_("engine"), "online": N_("online, it says"),
    "health_at": N_("last health message on"), "waiting": N_("records waiting in it"),
    "certificate_days": N_("days left of its certificate"), "update": N_("update"), "alerts": N_("open alerts"),
}  # fmt: skip


def status(word: str) -> str:
    """A status in the reader's language."""
    return _(_STATUS.get(word, word))


def rows(ledger: Ledger, registry: Registry, shut_out: set[str]) -> list[dict[str, Any]]:
    """All terminals, for programs; times are ms UTC, what is not known is None."""
    found = registry.listed()
    with ledger.read() as connection:
        health, birth = hints.every(connection, "health"), hints.every(connection, "status")
        opened = alerts.listed(connection)
    counted = [one.device for one in opened]
    return [_plain(row, health, birth, counted.count(row.id), row.id in shut_out) for row in found]


def row(ledger: Ledger, registry: Registry, shut_out: set[str], device: str) -> dict[str, Any]:
    """One terminal. Raises UnknownDevice."""
    found = registry.find(device)
    with ledger.read() as connection:
        said = hints.of_device(connection, device)
        opened = alerts.listed(connection, device)
    health = {device: said["health"]} if "health" in said else {}
    birth = {device: said["status"]} if "status" in said else {}
    return _plain(found, health, birth, len(opened), device in shut_out)


def table(found: list[dict[str, Any]]) -> Table:
    """All terminals, for people."""
    drawn = Table(
        _("device"), _("site"), _("status"), _("records to"), _("last record (UTC)"), _("waiting"), _("certificate"),
        _("alerts"),
    )  # fmt: skip
    wide = [[one["device"] for one in found], [one["site"] for one in found], [_standing(one) for one in found]]
    for column, texts in zip(drawn.columns, wide, strict=False):  # what tells them apart is never cut
        column.no_wrap, column.min_width = True, max(map(len, texts), default=0)
    for one in found:
        drawn.add_row(
            one["device"],
            one["site"],
            _standing(one),
            str(one["upto"]),
            _day(one["last_record_at"]),
            Text(_known(one["waiting"])),
            Text("" if (days := _known(one["certificate_days"])) == "" else _("{days} days").format(days=days)),
            str(one["alerts"] or ""),
        )
    return drawn


def sheet(one: dict[str, Any]) -> Table:
    """One terminal, for people."""
    drawn = Table(title=one["device"], show_header=False, title_justify="left")
    for key, name in _SHEET.items():
        value = one[key]
        if key == "status":
            said = status(value)
        elif isinstance(value, bool):
            said = _("yes") if value else _("no")
        elif key.endswith("_at"):
            said = _day(value)
        else:
            said = _known(value)
        drawn.add_row(_(name), Text(said))
    return drawn


def _standing(one: dict[str, Any]) -> str:
    """Its status; what the broker's files say where that is something else."""
    is_out = one["status"] in ("revoked", "retired")
    if is_out == one["shut_out"]:
        return status(one["status"])
    how = _("not shut out of the broker here") if is_out else _("shut out of the broker")
    return f"{status(one['status'])}, {how}"


def _plain(
    row: DeviceRow, health: Mapping[str, Hint], birth: Mapping[str, Hint], opened: int, shut_out: bool
) -> dict[str, Any]:
    said, born = health.get(row.id), birth.get(row.id)
    words, name = said.told if said else {}, born.told if born else {}
    until = row.certificate_until
    now = int(time.time() * 1000)
    return {
        "device": row.id,
        "site": row.site,
        "status": row.status,
        "shut_out": shut_out,
        "enrolled_at": row.enrolled_at,
        "upto": row.upto,
        "newest": row.newest,
        "last_record_at": row.last_record_at or None,
        "firmware": name.get("fw"),
        "board": name.get("board"),
        "engine": name.get("engine"),
        "online": name.get("online"),
        "health_at": said.received_at if said else None,
        "waiting": words.get("queue"),
        "certificate_days": words.get("certificate_days") if until is None else (until - now) // _DAY_MS,
        "update": words.get("update"),
        "alerts": opened,
    }


def _day(at_ms: int | None) -> str:
    return "" if not at_ms else time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at_ms / 1000))


def _known(value: object) -> str:
    """For a screen: nothing that moves its cursor or is without end."""
    said = "" if value is None else str(value)[:_WORDS_MOST]
    return "".join(sign if sign.isprintable() else "?" for sign in said)
