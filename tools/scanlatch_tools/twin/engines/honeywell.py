"""Honeywell N36xx, N4680, N56xx, N66xx, N67xx and HF: menu commands.

Not known, here as is harder for the host: it is delivered in presentation mode, with Data Matrix and GS1-128 off.
Nor whether BEPLVL0, which silences the beep at a read, silences the one on command: here not.
`sends_aim_prefix`: PREBK2 with 5C81 is taken for the AIM identifier, which is from memory; off, it is refused.
"""

import re

from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol
from scanlatch_tools.twin.engines.menu import ACK, ENQ, NAK, Menu, Setting, switch

_LONGEST = 512  # characters of a menu command
_REPLY_S = 0.002
_PRESENTATION = "3"
_VERSION = "Product Name: N3680 Series\r\nBoot Revision: 1.23\r\nSoftware Part Number: CA000064BBC\r\nSerial Number: 1"
_BAUDS = {"2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200, "7": 38400, "8": 57600, "9": 115200}
_QUERIES = {"?": "current", "^": "delivered", "*": "range"}
# our name of a symbology -> (enable command, Honeywell's own identifier)
_SYMBOLOGIES = {
    "code128": ("128ENA", "j"), "gs1_128": ("GS1ENA", "I"), "ean13": ("E13ENA", "d"), "ean8": ("EA8ENA", "D"),
    "qr": ("QRCENA", "s"), "gs1_qr": ("QRCENA", "s"), "datamatrix": ("IDMENA", "w"), "gs1_datamatrix": ("IDMENA", "w"),
    "pdf417": ("PDFENA", "r"), "aztec": ("AZTENA", "z"), "databar": ("RSSENA", "y"), "code39": ("C39ENA", "b"),
    "itf": ("I25ENA", "e"),
}  # fmt: skip
_OTHERS = ("ISBENA", "UPBENA", "RSLENA", "RSEENA", "COMENA")
_ENABLES = {
    **{tag: switch(tag not in ("IDMENA", "GS1ENA")) for tag, _ in _SYMBOLOGIES.values()},
    **{tag: switch(0) for tag in _OTHERS},
}
_SETTINGS = {
    "TRGMOD": Setting(_PRESENTATION, ("0", _PRESENTATION)),
    "TRGSTO": Setting("30000", high=300_000),
    "TRGPTO": Setting("5000", high=300_000),
    "DLYRRD": Setting("750", high=30_000),
    "SCNDLY": Setting("0", high=4000),
    "SCNLED": switch(1),
    "SCNAIM": Setting("2", ("0", "2")),
    "BEPLVL": Setting("2", ("0", "1", "2", "3")),
    "BEPPWR": switch(1),
    "SHWNRD": switch(0),
    "DECHDR": switch(0),
    "EANEMU": Setting("0", ("0", "1", "2", "3", "4")),
    "232BAD": Setting("9", tuple(_BAUDS)),
    "SUFBK2": Setting("", most=100),
    "PREBK2": Setting("", most=100),
    **_ENABLES,
    "CBRENA": switch(1),
    "CBRSSX": switch(0),
    "CBRCK2": Setting("0", ("0", "1", "2")),
    "CBRCCT": switch(1),
    "CBRMIN": Setting("2", low=2, high=60),
    "CBRMAX": Setting("60", low=2, high=60),
}
_ACTIONS = ("PAPHHF", "PAPPST", "PAP232", "REVINF", "REV_WA", "P_INFO", "DEFALT", "ALLENA0", "ALLENA1", "VSUFCR")


class Honeywell(Simulator):
    """One engine. For tests: `menu`, its settings by tag and sub-tag."""

    name = "honeywell"

    def __init__(
        self,
        *,
        sends_aim_prefix: bool = False,
        baud: int = 115200,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self.menu = Menu(_SETTINGS)
        code = next(code for code, speed in _BAUDS.items() if speed == baud)
        self.menu.put("232BAD", code, permanently=True)
        self._sends_aim_prefix = sends_aim_prefix
        self._head = b""
        self._text: str | None = None  # a menu command that is coming
        self._follow_mode(0.0)

    def _hear(self, byte: int, now: float) -> None:
        if self._text is not None and byte != 0x16:
            self._text += chr(byte)
            if byte in b".!":
                text, self._text = self._text, None
                self._serve(text, now + _REPLY_S)
            elif len(self._text) > _LONGEST:
                self._text = None
            return
        self._head = b"\x16" if byte == 0x16 else self._head + bytes([byte]) if self._head else b""
        if len(self._head) < 3:
            return
        head, self._head = self._head, b""
        if head == b"\x16M\r":
            self._text = ""
        elif head in (b"\x16T\r", b"\x16U\r") and self._mode() != _PRESENTATION:
            self.beam.turn(head[1:2] == b"T", now)
        elif head == b"\x16\x07\r":
            self.beeps += 1

    def _serve(self, text: str, at: float) -> None:
        permanently = text[-1] == "."
        answer = ""
        actions: list[tuple[str, str]] = []
        tag = ""
        for command, separator in re.findall(r"([^,;.!]*)([,;.!])", text.upper()):
            whole = tag + command
            told, status = self._obey(whole, permanently, actions)
            answer += told[len(tag) :] + status.decode() + separator
            tag = whole[:3] if separator == "," else ""
        sent = self.send(answer.encode("latin-1"), at)
        for name, value in actions:
            self._act(name, value, permanently, sent)

    def _obey(self, text: str, permanently: bool, actions: list[tuple[str, str]]) -> tuple[str, bytes]:
        """(what is echoed, status) of one command; what is to be done behind the answer is added to `actions`."""
        if text in _ACTIONS or text == "REVINF^":
            if text == "DEFALT" or text.startswith(("PAP", "ALL", "VSU")):
                actions.append((text, ""))
            return (text + _VERSION if text in ("REVINF", "REV_WA", "P_INFO") else text.replace("^", _VERSION)), ACK
        if text == "CBR?":
            told = ",".join(f"{sub}{self.menu.current['CBR' + sub]}\x06" for sub in ("ENA", "SSX", "CK2", "CCT", "MIN"))
            return f"CBR{told},MAX{self.menu.current['CBRMAX']}\x06,DFT", ACK
        found = self.menu.find(text)
        if found is None or (found[0] == "PREBK2" and found[1] and not self._sends_aim_prefix):
            return text, ENQ
        name, value = found
        if value in _QUERIES:
            return name + (self.menu.told(name, _QUERIES[value]) or ""), ACK
        if not self.menu.put(name, value, permanently=permanently):
            return text, NAK
        actions.append((name, value))
        return text, ACK

    def _act(self, name: str, value: str, permanently: bool, at: float) -> None:
        if name in ("PAPHHF", "PAPPST"):
            self.menu.put("TRGMOD", "0" if name == "PAPHHF" else _PRESENTATION, permanently=permanently)
        elif name == "VSUFCR":
            self.menu.put("SUFBK2", "990D", permanently=permanently)
        elif name in ("ALLENA0", "ALLENA1"):
            for tag in _ENABLES:
                self.menu.put(tag, name[-1], permanently=permanently)
        if name in ("PAPHHF", "PAPPST", "TRGMOD"):
            self._follow_mode(at)
        elif name == "232BAD":
            self.change_baud(_BAUDS[value], at)
        elif name == "DEFALT":
            self.forbidden.append("DEFALT")
            self.menu.deliver()
            self.after(at, self.reboot)

    def _follow_mode(self, at: float) -> None:
        self.beam.turn(False, at)
        self.beam.turn(self._mode() == _PRESENTATION, at)

    def _mode(self) -> str:
        return self.menu.current["TRGMOD"]

    def _frame(self, symbol: Symbol) -> bytes:
        data = self._fixed("PREBK2", symbol) + symbol.data + self._fixed("SUFBK2", symbol)
        if not self.menu.on("DECHDR"):
            return data
        own = _SYMBOLOGIES.get(symbol.kind, ("", "j"))[1]
        body = b"MSGGET%04d" % len(data) + own.encode() + symbol.aim[1:].encode() + b"\x1d" + data
        return b"\x16\xfe" + len(body).to_bytes(4, "little") + b"\r" + body

    def _fixed(self, name: str, symbol: Symbol) -> bytes:
        fixed = self.menu.current[name]
        if fixed[:2] != "99":  # it stands for all symbologies
            return b""
        return symbol.aim.encode() if fixed == "995C81" else bytes.fromhex(fixed[2:])

    def _enabled(self, symbol: Symbol) -> bool:
        tag = _SYMBOLOGIES.get(symbol.kind)
        return tag is None or self.menu.on(tag[0])

    def _limit_s(self) -> float | None:
        return None if self._mode() == _PRESENTATION else self.menu.number("TRGSTO") / 1000 or None

    def _same_s(self) -> float | None:
        return self.menu.number("DLYRRD") / 1000 if self._mode() == _PRESENTATION else 0.0

    def _again_s(self) -> float | None:
        return 0.05 if self._mode() == _PRESENTATION else None

    def _boot(self, now: float) -> None:
        self._head, self._text = b"", None
        self.menu.forget()
        self.baud = _BAUDS[self.menu.current["232BAD"]]
        self._follow_mode(now)
