"""Tries a stopped terminal's parts: light, tone and button with a person, then the way to its broker."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from scanlatch_tools.cable import Cable, DeviceError
from scanlatch_tools.doctor import asked, judge
from scanlatch_tools.doctor.finding import Finding, Tell
from scanlatch_tools.texts import _

UP_MS = 20_000  # Wi-Fi, or the network's cable
BUTTON_MS = 15_000
_WEAK_DBM = -75


def at_parts(cable: Cable, given: dict[str, Any], ask: Callable[[str], bool | None], tell: Tell) -> None:
    """Try them, as far as somebody is there: ask gives True, False, or None where nobody is."""
    try:
        free, every = _run(cable, asked.PARTS)
    except DeviceError as error:
        tell(Finding("parts.wrong", {"why": error.last}))
        return
    tell(judge.heap(free, every))
    board = given["board"]
    tell(_seen(cable, "light", asked.LIGHT, bool(board.get("light")), _("did the light show red, green, blue?"), ask))
    sounds = board.get("buzzer", {}).get("kind", "engine") != "engine"
    tell(_seen(cable, "tone", asked.TONE, sounds, _("did you hear two tones?"), ask))
    tell(_button(cable, bool(board.get("button")), ask))
    for found in _network(cable, given):
        tell(found)


def _seen(cable: Cable, what: str, code: str, there: bool, question: str, ask: Callable[[str], bool | None]) -> Finding:
    if not there:
        return Finding(f"{what}.none")
    _run(cable, code)
    answer = ask(question)
    return Finding(f"{what}.skipped" if answer is None else f"{what}.is" if answer else f"{what}.not")


def _button(cable: Cable, there: bool, ask: Callable[[str], bool | None]) -> Finding:
    if not there:
        return Finding("button.none")
    answer = ask(
        _("a button is to be pressed within {seconds} s of your answer: ready?").format(seconds=BUTTON_MS // 1000)
    )
    if not answer:
        return Finding("button.skipped")
    found = _run(cable, asked.BUTTON.format(limit_ms=BUTTON_MS))
    return Finding(f"button.{found}", {"seconds": BUTTON_MS // 1000})


def _network(cable: Cable, given: dict[str, Any]) -> Iterator[Finding]:
    """Each step of the way to the broker, up to the one that fails."""
    now = time.gmtime()
    told: dict[str, Any] = _run(cable, asked.LINK.format(now=(*now[:3], now.tm_wday, *now[3:6], 0), limit_ms=UP_MS))
    wifi = given["board"].get("network", {}).get("kind") == "wifi"
    values = {"ssid": given.get("wifi", {}).get("ssid", "-"), "rssi": told.get("rssi"), "seconds": UP_MS // 1000}
    if not told["up"]:
        yield Finding("wifi.not" if wifi else "cable.not", values)
        return
    yield strength(str(values["ssid"]), told.get("rssi")) if wifi else Finding("cable.is")
    broker = {"host": given["broker"]["host"], "port": given["broker"]["port"]}
    if "name" in told:
        yield Finding("dns.not", {**broker, "why": told["name"]})
        return
    yield Finding("dns.is", {**broker, "address": told.get("address", broker["host"])})
    if "broker" in told:
        yield Finding("broker.not", {**broker, "why": told["broker"]})
        return
    yield Finding("broker.is", broker)
    yield Finding("tls.not", {"why": told["tls"]}) if "tls" in told else Finding("tls.is")


def strength(ssid: str, rssi: int | None) -> Finding:
    """How strong the Wi-Fi is, dBm."""
    if rssi is None:
        return Finding("wifi.untold")
    return Finding("wifi.weak" if rssi < _WEAK_DBM else "wifi.is", {"ssid": ssid, "rssi": rssi})


def _run(cable: Cable, code: str) -> Any:
    return json.loads(cable.run(code).strip().rpartition("\n")[2])
