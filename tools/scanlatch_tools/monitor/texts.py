"""What each event of a terminal's console says to a person."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from scanlatch_tools.texts import N_, _

OK, NOTE, WARN, BAD = "ok", "note", "warn", "bad"


class Said(NamedTuple):
    """level: "ok", "note", "warn" or "bad"."""

    level: str
    text: str


_LINKS = {
    "network": N_("no link: no network, or nobody at the broker's address"),
    "name": N_("no link: the broker's name can't be found"),
    "refused": N_("no link: the broker refuses this terminal"),
    "certificate": N_("no link: one side does not accept the other's certificate"),
    "protocol": N_("no link: something answers that is not our broker"),
    "memory": N_("no link: no room in the heap; it tries again"),
    "files": N_("no link: a file of the program can't be read"),
}
_EVENTS = {
    "stopped": Said(WARN, N_("its program was stopped at the console; it starts again after ten minutes")),
    "restart": Said(NOTE, N_("it starts anew by itself, in a quiet moment")),
    "store": Said(BAD, N_("its store of keys fails: {error}")),
    "settings": Said(BAD, N_("its settings can't be used: {error}")),
    "broken": Said(BAD, N_("it can't be built: {error}; it tries again in a minute")),
    "report": Said(WARN, N_("no room for its health message: {error}")),
    "ntp": Said(WARN, N_("its time server is not asked: {error}")),
    "aside": Said(WARN, N_("a control code or credential was not taken: {error}")),
    "buzzer": Said(NOTE, N_("its buzzer stays silent: {engine} has no command for a beep")),
    "update": Said(NOTE, N_("update: {told}")),
}


def said(told: Mapping[str, Any]) -> Said:
    """What an event says; one that nobody foresaw is told as it is."""
    event = str(told.get("event", "?"))
    values = {"error": "?", "engine": "?", **{key: value for key, value in told.items() if key != "event"}}
    values["told"] = ", ".join(f"{key} {value}" for key, value in told.items() if key != "event")
    if event == "started":
        return _started(told)
    if event == "link":
        return _link(told)
    if event == "engine":
        return _engine(told)
    if event == "journal":
        back = "went back" in str(values["error"])
        text = _("the bridge has records that this journal has not: it refuses to scan") if back else _(
            "its journal fails, and it refuses to scan: {error}"
        )  # fmt: skip
        return Said(BAD, text.format(**values))
    if event in _EVENTS:
        return Said(_EVENTS[event].level, _(_EVENTS[event].text).format(**values))
    return Said(BAD if "error" in told else NOTE, f"{event}: {values['told']}")


def _started(told: Mapping[str, Any]) -> Said:
    values = {"device": told.get("device", "?"), "boot": told.get("boot", "?"), "fault": told.get("fault")}
    if values["fault"]:
        return Said(BAD, _("{device} started for the {boot}. time, and refuses to scan: {fault}").format(**values))
    return Said(OK, _("{device} started for the {boot}. time").format(**values))


def _link(told: Mapping[str, Any]) -> Said:
    if told.get("online"):
        return Said(OK, _("the link stands"))
    cause = str(told.get("cause") or "")
    return Said(WARN, _(_LINKS[cause]) if cause in _LINKS else _("no link: {cause}").format(cause=cause or "?"))


def _engine(told: Mapping[str, Any]) -> Said:
    detail = str(told.get("detail") or "")
    if told.get("state") == "ready":
        return Said(OK, _("its scan engine is ready: {detail}").format(detail=detail or "line"))
    return Said(WARN, _("its scan engine does not answer: {detail}").format(detail=detail))
