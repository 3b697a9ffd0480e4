"""DYScan DE2120: commands between `^_^` and a full stop, answered by one byte.

Not known, here as is harder for the host: its settings are gone with the power (`persists`: they are not), the 2D kinds
are off as delivered, and a version text comes before the acknowledgement of DSPYFW. It never tells the AIM identifier.
"""

from scanlatch_tools.twin.engines.base import Faults, Simulator
from scanlatch_tools.twin.engines.beam import Symbol
from scanlatch_tools.twin.engines.menu import ACK, NAK, Menu, Setting, switch

_HEAD = b"^_^"
_LONGEST = 16  # the library's commands have 13 characters at most
_REPLY_S = 0.005
_VERSION_S = 0.43
_SWITCH_S = 0.4  # a change of speed; 300 ms is too quick for it
_READ_S = 5.0  # a trigger ends by itself
_VERSION = b"DE2120 V1.2.6"
_BAUDS = {"2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200, "7": 38400, "8": 57600, "9": 115200}
_TWO = ("qr", "gs1_qr", "datamatrix", "gs1_datamatrix", "pdf417", "aztec")
_CODE_IDS = {"ean13": b"d", "ean8": b"d", "qr": b"Q", "gs1_qr": b"Q", "datamatrix": b"u", "gs1_datamatrix": b"u"}
_SETTINGS = {
    "SCM": Setting("MAN", ("MAN", "CNT", "MDH")),
    "LAMENA": switch(1),
    "AIMENA": switch(1),
    "CIDENA": switch(0),
    "BEPSUC": switch(1),
    "BEPPWR": switch(1),
    "BEPPWM": Setting("1", ("0", "1", "2", "3")),
    "CNTALW": Setting("0", ("0", "1", "2", "3")),
    "MDTTHR": Setting("20", low=15, high=100),
    "POR": Setting("232", ("232", "KBD", "HID", "VIC")),
    "ODC": Setting("ENA", ("ENA", "DIS")),
    "AQR": Setting("DIS", ("ENA", "DIS")),
    "232UTF": Setting("0", ("0", "1", "2", "3")),
    "MIRLRE": switch(0),
    "IMGREG": Setting("0", ("0", "1", "2", "3", "4")),
    "232BAD": Setting("9", tuple(_BAUDS)),
}


class De2120(Simulator):
    """One engine. For tests: `menu`, its settings by command."""

    name = "de2120"

    def __init__(
        self,
        *,
        persists: bool = False,
        baud: int = 115200,
        boot_s: float = 0.3,
        decode_s: float = 0.005,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(baud=baud, boot_s=boot_s, decode_s=decode_s, faults=faults)
        self.menu = Menu(_SETTINGS)
        code = next(code for code, speed in _BAUDS.items() if speed == baud)
        self.menu.put("232BAD", code, permanently=True)
        self._persists = persists
        self._heard = bytearray()
        self._deaf_until = 0.0  # while it changes its speed

    def _hear(self, byte: int, now: float) -> None:
        if now < self._deaf_until:
            return
        heard = self._heard
        heard.append(byte)
        if heard.endswith(_HEAD):
            heard[:] = _HEAD
        while heard and not (heard.startswith(_HEAD) or _HEAD.startswith(heard)):
            del heard[0]
        if len(heard) > len(_HEAD) and byte == ord("."):
            command = bytes(heard[len(_HEAD) : -1]).decode("latin-1")
            heard.clear()
            self._serve(command, now + _REPLY_S)
        elif len(heard) > len(_HEAD) + _LONGEST:
            heard.clear()

    def _serve(self, command: str, at: float) -> None:
        if command in ("SCAN", "SLEEP"):
            sent = self.send(ACK, at)
            if self.menu.current["SCM"] == "MAN":
                self.beam.turn(False, sent)
                self.beam.turn(command == "SCAN", sent)
        elif command == "DSPYFW":
            self.send(_VERSION + ACK, at + _VERSION_S)
        elif command == "DEFALT":  # its serial line is off by default
            self.send(ACK, at)
            self._lost("DEFALT")
        else:
            found = self.menu.find(command)
            if found is None or not self.menu.put(*found, permanently=self._persists):
                self.send(NAK, at)
                return
            self._act(*found, self.send(ACK, at))

    def _act(self, name: str, value: str, at: float) -> None:
        if name == "SCM":
            self._follow_mode(at)
        elif name == "POR" and value != "232":
            self._lost(name + value)
        elif name == "232BAD":
            self._deaf_until = at + _SWITCH_S
            self.change_baud(_BAUDS[value], at + _SWITCH_S)

    def _lost(self, command: str) -> None:
        self.forbidden.append(command)
        self.dead = True

    def _follow_mode(self, at: float) -> None:
        self.beam.turn(False, at)
        self.beam.turn(self.menu.current["SCM"] != "MAN", at)

    def _frame(self, symbol: Symbol) -> bytes:
        return (_CODE_IDS.get(symbol.kind, b"j") if self.menu.on("CIDENA") else b"") + symbol.data + b"\r"

    def _enabled(self, symbol: Symbol) -> bool:
        return self.menu.current["AQR" if symbol.kind in _TWO else "ODC"] == "ENA"

    def _limit_s(self) -> float | None:
        return _READ_S if self.menu.current["SCM"] == "MAN" else None

    def _same_s(self) -> float | None:
        return 0.0 if self.menu.current["SCM"] == "MAN" else 0.5

    def _again_s(self) -> float | None:
        return None if self.menu.current["SCM"] == "MAN" else 0.1

    def _boot(self, now: float) -> None:
        self._heard.clear()
        self._deaf_until = 0.0
        self.menu.forget()
        self.baud = _BAUDS[self.menu.current["232BAD"]]
        self._follow_mode(now)
