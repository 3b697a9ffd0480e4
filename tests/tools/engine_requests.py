"""What each family of scan engines is told: to be set up, to read, to answer, and what would cost it its line."""

from scanlatch_tools.twin.engines import NAMES

TAKES_COMMANDS = [name for name in NAMES if name != "line"]


def newland(text: str) -> bytes:
    return b"\x7e\x010000" + text.encode() + b";\x03"


def honeywell(text: str) -> bytes:
    return b"\x16M\r" + text.encode()


def ssi(opcode: int, data: bytes = b"", status: int = 0) -> bytes:
    body = bytes([4 + len(data), opcode, 4, status]) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")


# Brings an engine as delivered to where it reads when told, with its identifier and all symbologies where it can; then
# how it is told to read.
SET_UP: dict[str, list[bytes]] = {
    "grow": [bytes.fromhex(one) for one in ("7E 00 08 01 00 00 D1 AB CD", "7E 00 08 01 00 54 01 AB CD")],
    "newland": [newland("@SCNMOD0;AIDENA1;TSUENA1;DMCENA1;GS1ENA1")],
    "honeywell": [honeywell("TRGMOD0;IDMENA1;GS1ENA1;DECHDR1;SUFBK2990D.")],
    "ssi": [b"\0", ssi(0xC6, bytes.fromhex("FF 8A 08 EE 01 2D 01 F0 24 01 F0 25 01 0E 01"), 8)],
    "ssi_lite": [b"\0", ssi(0xC6, bytes.fromhex("00 8A 08"), 8), ssi(0xC6, bytes.fromhex("00 EE 01"), 8)],
    "m14": [bytes.fromhex("21 51 43 01")],
    "de2120": [b"^_^AQRENA."],
    "line": [],
}
TRIGGER: dict[str, bytes] = {
    "grow": bytes.fromhex("7E 00 08 01 00 02 01 AB CD"),
    "newland": newland("#SCNTRG1"),
    "honeywell": b"\x16T\r",
    "ssi": ssi(0xE4),
    "ssi_lite": ssi(0xE4),
    "m14": bytes.fromhex("32 75 01"),
    "de2120": b"^_^SCAN.",
    "line": b"",
}
# A harmless request that is answered, and an unwanted one.
ASK: dict[str, bytes] = {
    "grow": bytes.fromhex("7E 00 07 01 00 E0 01 AB CD"),
    "newland": newland("#SCNMOD*"),
    "honeywell": honeywell("TRGMOD?."),
    "ssi": ssi(0xC7, b"\x8a"),
    "ssi_lite": ssi(0xC7, b"\x8a"),
    "m14": bytes.fromhex("43 02 C1"),
    "de2120": b"^_^LAMENA1.",
}
RUIN: dict[str, bytes] = {
    "grow": bytes.fromhex("7E 00 05 01 00 00 00 AB CD"),
    "newland": newland("@FACDEF"),
    "honeywell": honeywell("DEFALT."),
    "ssi": ssi(0xC8),
    "ssi_lite": ssi(0xC6, bytes.fromhex("00 F2 FF 00"), 8),
    "m14": bytes.fromhex("32 76 01"),
    "de2120": b"^_^DEFALT.",
}
# Switches a symbology off, Data Matrix where it is by itself; the other families have no such command.
OFF: dict[str, bytes] = {
    "grow": bytes.fromhex("7E 00 08 01 00 54 00 AB CD"),
    "newland": newland("#DMCENA0"),
    "honeywell": honeywell("IDMENA0!"),
    "ssi": ssi(0xC6, bytes.fromhex("FF F0 24 00")),
    "de2120": b"^_^AQRDIS.",
}
