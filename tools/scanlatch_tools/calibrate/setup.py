"""What a driver's set-up found otherwise in its engine and set: read out of the commands that it sent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Asked = Sequence[tuple[bytes, bytes]]  # (command, reply; empty where it was refused)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting. key: of `texts.SETTINGS`; done: the engine took it; known: it was asked first, and was otherwise."""

    key: str
    done: bool
    known: bool = True


_GROW = {
    0x00: "trigger", 0x03: "codes", 0x06: "time", 0x0D: "interface", 0x0E: "beep", 0x13: "same", 0x60: "suffix",
    0x2C: "symbologies", 0x2E: "ean", 0x2F: "ean", 0x30: "ean", 0x33: "code128", 0x3F: "qr", 0x54: "datamatrix",
}  # fmt: skip
_TEXT = {
    "SCNMOD": "trigger", "TSUENA": "suffix", "TSUSET": "suffix", "AIDENA": "aim", "GRBENA": "beep", "ORTSET": "time",
    "TRGMOD": "trigger", "SUFBK2": "suffix", "DECHDR": "aim", "BEPLVL": "beep", "SHWNRD": "noread", "TRGSTO": "time",
    "128ENA": "code128", "GS1ENA": "gs1_128", "DMCENA": "datamatrix", "IDMENA": "datamatrix", "QRCENA": "qr",
    "E13ENA": "ean", "EA8ENA": "ean", "UPBENA": "ean",
}  # fmt: skip
_SSI = {
    b"\x8a": "trigger", b"\x9f": "handshake", b"\xee": "packets", b"\xeb": "format", b"\x2d": "aim", b"\x38": "beep",
    b"\x08": "code128", b"\x0e": "gs1_128", b"\xf0\x24": "datamatrix", b"\xf0\x25": "qr", b"\x03": "ean",
    b"\x04": "ean", b"\x88": "time",
}  # fmt: skip
_M14 = {b"\x61\x41": "trigger", b"\x51\x43": "format", b"\x63\x42": "beep", b"\x61\x8a": "time"}
_DE2120 = {b"SCMMAN": "trigger", b"BEPSUC": "beep", b"CIDENA": "code_id", b"ODCENA": "code128", b"AQRENA": "datamatrix"}
_SEND = 0xC6


def changes(family: str, asked: Asked) -> list[Change]:
    """What was set, each setting once, in the order in which it was."""
    read = _READERS.get(family)
    found: dict[str, Change] = {}
    for change in read(asked) if read else ():
        before = found.get(change.key)
        found[change.key] = Change(change.key, change.done and (before is None or before.done), change.known)
    return list(found.values())


def _grow(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        if command[:3] == b"\x7e\x00\x08" and len(command) >= 7 and command[5] in _GROW and command[3] == 1:
            yield Change(_GROW[command[5]], bool(reply))


def _newland(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        text = command[7:-2].decode("latin-1")
        if text[:6] in _TEXT and not text.endswith("*"):
            yield Change(_TEXT[text[:6]], bool(reply))


def _honeywell(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        text = command[3:-1].decode("latin-1")
        if text[:6] in _TEXT and not text.endswith("?"):
            yield Change(_TEXT[text[:6]], bool(reply))


def _ssi(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        if len(command) > 7 and command[1] == _SEND:
            name = command[5:7] if command[5] == 0xF0 else command[5:6]
            if name in _SSI:
                yield Change(_SSI[name], bool(reply))


def _m14(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        if command[:1] == b"\x21" and command[1:3] in _M14:
            key = _M14[command[1:3]]
            yield Change(key, bool(reply), key == "trigger")  # of the others nothing can be asked


def _de2120(asked: Asked) -> Iterator[Change]:
    for command, reply in asked:
        if command[3:9] in _DE2120:
            yield Change(_DE2120[command[3:9]], bool(reply), known=False)


_READERS: dict[str, Callable[[Asked], Iterator[Change]]] = {
    "grow": _grow, "newland": _newland, "honeywell": _honeywell, "ssi": _ssi, "ssi_lite": _ssi, "m14": _m14,
    "de2120": _de2120,
}  # fmt: skip
