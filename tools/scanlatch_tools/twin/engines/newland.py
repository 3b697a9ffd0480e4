"""Newland EM3080, EM3096, FM430, N1 and Sunmi's serial heads: the Unified Command Set.

Not known, here as is harder for the host: it is delivered in sense mode, without suffix, and with Data Matrix and
GS1-128 off; a command that begins within 50 ms of the one before it is not heard; 232BAD's values are from memory.
AIDENA is taken for the AIM identifier's prefix (`aidena_is_aimer`: for the aimer, so nothing is prefixed).
"""

import re

from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol
from scanlatch_tools.twin.engines.menu import ACK, ENQ, NAK, Menu, Setting, switch

_HEAD = b"\x7e\x010000"
_ANSWER = b"\x02\x010000"
_TAIL = b";\x03"
_GAP_S = 0.05
_LONGEST = 512  # bytes of a frame; the SDK sends 200
_REPLY_S = 0.002
_VERSION = "Product Name: EM3080-W\r\nFirmware Version: V1.01.07.G\r\nHardware Version: V1.1"
_BAUDS = {"4": 4800, "5": 9600, "6": 19200, "7": 38400, "8": 57600, "9": 115200}
_QUERIES = {"*": "current", "&": "delivered", "%": "delivered", "^": "range"}
_ENABLES = {
    "code128": "128ENA", "gs1_128": "GS1ENA", "ean13": "E13ENA", "ean8": "EA8ENA", "qr": "QRCENA", "gs1_qr": "QRCENA",
    "datamatrix": "DMCENA", "gs1_datamatrix": "DMCENA", "pdf417": "PDFENA", "databar": "RSSENA",
}  # fmt: skip
_SETTINGS = {
    "SCNTRG": Setting("0", ("0", "1")),
    "SCNMOD": Setting("2", ("0", "2", "3", "4")),
    "SCNENA": switch(1),
    "ORTSET": Setting("3000", high=3_600_000),
    "RRDDUR": Setting("1000", high=3_600_000),
    "SENIST": Setting("300", high=3_600_000),
    "TSUENA": switch(0),
    "TSUSET": Setting("0D", most=24),
    "AIDENA": switch(0),
    "GRBENA": switch(1),
    "GRBVLL": Setting("10", ("20", "10", "2")),
    "PWBENA": switch(1),
    "AMLENA": switch(1),
    "ILLSCN": switch(1),
    "EXPLVL": Setting("3", high=9),
    "232BAD": Setting("5", tuple(_BAUDS)),
    "DFMADD": Setting("", most=200),
    "CPTENA": switch(0),
    **{tag: switch(tag not in ("DMCENA", "GS1ENA")) for tag in _ENABLES.values()},
    "128MIN": Setting("1", high=127),
    "128MAX": Setting("127", high=127),
}


class Newland(Simulator):
    """One engine. For tests: `menu`, its settings by tag and sub-tag."""

    name = "newland"

    def __init__(
        self,
        *,
        aidena_is_aimer: bool = False,
        baud: int = 9600,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self.menu = Menu(_SETTINGS)
        self.menu.put("232BAD", _code(baud), permanently=True)
        self._prefixes = not aidena_is_aimer
        self._heard = bytearray()
        self._heard_at = 0.0  # when the command before was complete
        self._deaf = False  # the one that comes began too early
        self._follow_mode(0.0)

    def _hear(self, byte: int, now: float) -> None:
        heard = self._heard
        if not heard:
            self._deaf = now - self._heard_at < _GAP_S
        heard.append(byte)
        if heard[0] == 0x01:  # the SDK's short frames: SOH T EOT starts, SOH P EOT stops
            if len(heard) == 3:
                if not self._deaf and bytes(heard) in (b"\x01T\x04", b"\x01P\x04"):
                    self._trigger("1" if heard[1] == 0x54 else "0", now)
                self._complete(now)
            return
        while heard and not heard.startswith(_HEAD[: len(heard)]):
            del heard[0]
        if heard.endswith(_TAIL):
            frame = bytes(heard[heard.rfind(_HEAD) + len(_HEAD) : -len(_TAIL)])
            deaf = self._deaf
            self._complete(now)
            if not deaf and frame[:1] in (b"@", b"#"):
                self._serve(frame, now + _REPLY_S)
        elif len(heard) > _LONGEST:
            heard.clear()

    def _complete(self, now: float) -> None:
        self._heard.clear()
        self._heard_at = now

    def _serve(self, frame: bytes, at: float) -> None:
        permanently = frame[:1] == b"@"
        answer = b""
        actions: list[tuple[str, str]] = []
        tag = ""
        for separator, command in re.findall(r"([,;]?)([^,;]*)", frame[1:].decode("latin-1")):
            if not (separator or command):
                continue
            whole = tag + command if separator == "," else command
            tag = whole[:3]
            told, status = self._obey(whole, permanently, actions)
            shown = told[3:] if separator == "," else told
            answer += separator.encode() + shown.encode("latin-1") + status
        sent = self.send(_ANSWER + frame[:1] + answer + _TAIL, at)
        for name, value in actions:
            self._act(name, value, sent)

    def _obey(self, text: str, permanently: bool, actions: list[tuple[str, str]]) -> tuple[str, bytes]:
        """(what is echoed, status) of one command; what is to be done behind the answer is added to `actions`."""
        if text in ("QRYSYS", "DEVQRY*"):
            return (text + _VERSION if text == "QRYSYS" else "DEVQRY0"), ACK
        if text in ("FACDEF", "REBOOT") or text.startswith("INTERF"):
            actions.append((text[:6], text[6:]))
            return text, ACK
        found = self.menu.find(text)
        if found is None or text != text.upper():
            return text, ENQ
        name, value = found
        if value in _QUERIES:
            return name + (self.menu.told(name, _QUERIES[value]) or ""), ACK
        if name != "DFMADD" and not self.menu.put(name, value, permanently=permanently and name != "SCNTRG"):
            return text, NAK
        actions.append((name, value))
        return text, ACK

    def _act(self, name: str, value: str, at: float) -> None:
        if name == "SCNTRG":
            self._trigger(value, at)
        elif name in ("SCNMOD", "SCNENA"):
            self._follow_mode(at)
        elif name == "232BAD":
            self.change_baud(_BAUDS[value], at)
        elif name == "REBOOT":
            self.after(at, self.reboot)
        elif name == "FACDEF":
            self.forbidden.append("FACDEF")
            self.menu.deliver()
            self.after(at, self.reboot)
        elif name == "INTERF":  # leads away from the serial line
            self.forbidden.append("INTERF")
            self.dead = True

    def _trigger(self, on: str, at: float) -> None:
        if self.menu.on("SCNENA") and self._mode() in (0, 4):
            self.beam.turn(on == "1", at)

    def _follow_mode(self, at: float) -> None:
        self.beam.turn(False, at)
        self.beam.turn(self._mode() in (2, 3) and self.menu.on("SCNENA"), at)

    def _mode(self) -> int:
        return self.menu.number("SCNMOD")

    def _frame(self, symbol: Symbol) -> bytes:
        prefix = symbol.aim.encode() if self.menu.on("AIDENA") and self._prefixes else b""
        suffix = bytes.fromhex(self.menu.current["TSUSET"]) if self.menu.on("TSUENA") else b""
        return prefix + symbol.data + suffix

    def _enabled(self, symbol: Symbol) -> bool:
        tag = _ENABLES.get(symbol.kind)
        return tag is None or self.menu.on(tag)

    def _limit_s(self) -> float | None:
        return self.menu.number("ORTSET") / 1000 or None if self._mode() in (0, 4) else None

    def _same_s(self) -> float | None:
        return self.menu.number("RRDDUR") / 1000 if self._mode() in (2, 3) else 0.0

    def _again_s(self) -> float | None:
        return self.menu.number("SENIST") / 1000 if self._mode() in (2, 3) else None

    def _went_out(self) -> None:
        self.menu.current["SCNTRG"] = "0"

    def _boot(self, now: float) -> None:
        self._heard.clear()
        self.menu.forget()
        self.baud = _BAUDS[self.menu.current["232BAD"]]
        self._follow_mode(now)


def _code(baud: int) -> str:
    return next(code for code, speed in _BAUDS.items() if speed == baud)
