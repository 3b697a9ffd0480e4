"""`scanlatch monitor`: a terminal at work, line by line."""

import json
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.text import Text

from scanlatch_tools.errors import ToolError
from scanlatch_tools.monitor import texts
from scanlatch_tools.talk import People
from scanlatch_tools.texts import N_, _

_STYLES = {"ok": "green", "note": "", "warn": "yellow", "bad": "red"}
_OUTCOMES = {
    "accepted": ("ok", N_("accepted")),
    "rejected": ("warn", N_("rejected, reason {reason}")),
    "duplicate_here": ("warn", N_("sold before here")),
    "pending": ("note", N_("pending: the platform's answer follows")),
    "exempt": ("ok", N_("exempt")),
    "error": ("bad", N_("error, reason {reason}")),
}


def app(
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    device: Annotated[str | None, typer.Option(help="Its id, to follow it through the bridge; needs --site.")] = None,
    site: Annotated[Path | None, typer.Option(help="The site's folder, for --device.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every line raw, as one JSON line.")] = False,
) -> None:
    """Show a terminal at work, line by line, until Ctrl-C; the terminal goes on."""
    talk = People(said)

    def tell(name: str, **facts: Any) -> None:
        if as_json:
            print(json.dumps({"at": round(time.time() * 1000), "what": name, **facts}, ensure_ascii=False), flush=True)
        else:
            talk.event(name, **facts)

    try:
        if device is not None:
            from scanlatch_tools.monitor import over_bridge

            if site is None or port is not None:
                raise ToolError(_("--device goes through the bridge: name the site's folder with --site, and no port"))
            over_bridge.follow(site, device, tell)
        else:
            from scanlatch_tools.flash import ports
            from scanlatch_tools.monitor import over_cable

            over_cable.listen(ports.chosen(port, talk.ask), tell)
    except KeyboardInterrupt:  # the ordinary way to leave
        raise typer.Exit from None


def said(name: str, facts: dict[str, Any]) -> Text | None:
    """An event as a person reads it."""
    level, text = _told(name, facts)
    return Text.assemble((time.strftime("%H:%M:%S  "), "dim"), (text, _STYLES[level]))


def _told(name: str, facts: dict[str, Any]) -> tuple[str, str]:
    if name == "log":
        return texts.said(facts["told"])
    if name == "line":
        text = str(facts["text"])
        return ("bad" if "Error" in text or text.startswith("Traceback") else "note"), text
    if name == "cable":
        if facts["there"]:
            return "note", _("listening; Ctrl-C ends, and the terminal goes on")
        return "warn", _("the cable is gone: put it in again, this goes on by itself")
    if name == "status":
        return _status(facts["told"])
    if name == "health":
        return "note", _health(facts["told"])
    level, text = _OUTCOMES.get(facts["outcome"], ("note", str(facts["outcome"])))
    return level, _("record {seq}: {outcome}").format(seq=facts["seq"], outcome=_(text).format(**facts))


def _status(told: dict[str, Any]) -> tuple[str, str]:
    if told.get("online"):
        values = {"boot": told.get("boot", "?"), "engine": told.get("engine") or "-"}
        return "ok", _("connected; start number {boot}, scan engine {engine}").format(**values)
    return "warn", _("not connected any more")


def _health(told: dict[str, Any]) -> str:
    counters: Any = told.get("counters")
    counted = cast("dict[str, Any]", counters) if isinstance(counters, dict) else dict[str, Any]()
    values = {name: counted.get(name, "?") for name in ("read", "kept", "accepted", "rejected")}
    free = told.get("heap_free")
    return _(
        "health: {read} read, {kept} kept, {accepted} accepted, {rejected} rejected; {queue} wait; heap {heap} KiB; "
        "Wi-Fi {rssi} dBm"
    ).format(
        **values, queue=told.get("queue", "?"), heap=free >> 10 if isinstance(free, int) else "?", rssi=told.get("rssi")
    )
