"""Vectors of the scan engines' protocols, from manuals and drivers: what is sent, and what must come."""

from typing import Any

# How sure a vector is, as our collection of facts marks it: V recomputed or made by the verified rule of frames, M in a
# manual or a maker's own software, C in somebody's code only, mem from memory. A reply marked so may be wrong on the
# hardware; a request marked so may be refused there.
V, M, C, MEM = "V", "M", "C", "mem"
ANY = "…"  # whatever comes here

Row = tuple[str, str, str, str]  # how sure, what, request, reply; "(…)" in front of what: asked before


def _ascii(text: str) -> str:
    return text.encode("latin-1").hex(" ")


def _newland(text: str, data: str = "", status: str = "06") -> str:
    return f"02 01 30 30 30 30 {_ascii(text)} {_ascii(data)} {status} 3B 03"


ACK = "02 00 00 01 00 33 31"
GROW: list[Row] = [
    (V, "read 000A", "7E 00 07 01 00 0A 01 EE 8A", "02 00 00 01 3E E4 AC"),
    (V, "write 000A", "7E 00 08 01 00 0A 3E 4C CF", ACK),
    (V, "save", "7E 00 09 01 00 00 00 DE C8", ACK),
    (V, "read baud", "7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
    (V, "read baud, fast", "7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 1A 00 82 D8"),
    (V, "baud 115200", "7E 00 08 02 00 2A 1A 00 E4 7E", ACK),
    (V, "baud 9600", "7E 00 08 02 00 2A 39 01 A7 EA", ACK),
    (V, "baud 57600", "7E 00 08 02 00 2A 34 00 C1 97", ACK),
    (V, "D9 = D3", "7E 00 08 01 00 D9 D3 20 38", ACK),
    (V, "read 0000", "7E 00 07 01 00 00 01 01 41", f"02 00 00 01 {ANY}"),
    (V, "read 000D", "7E 00 07 01 00 0D 01 77 1D", f"02 00 00 01 {ANY}"),
    (V, "read 0060", "7E 00 07 01 00 60 01 0A 6B", f"02 00 00 01 {ANY}"),
    (V, "model", "7E 00 07 01 00 E0 01 11 F3", "02 00 00 01 05 63 94"),
    (V, "hardware version", "7E 00 07 01 00 E1 01 22 C2", "02 00 00 01 64 1F 13"),
    (V, "software version", "7E 00 07 01 00 E2 01 77 91", "02 00 00 01 69 CE BE"),
    (V, "E1 to E5", "7E 00 07 01 00 E1 05 62 46", "02 00 00 05 64 6E 10 04 0C 66 78"),
    (V, "command mode", "7E 00 08 01 00 00 D1 AF C5", ACK),
    (V, "manual mode", "7E 00 08 01 00 00 D0 BF E4", ACK),
    (V, "continuous mode", "7E 00 08 01 00 00 D6 DF 22", ACK),
    (V, "sensor mode", "7E 00 08 01 00 00 D7 CF 03", ACK),
    (V, "trigger", "7E 00 08 01 00 02 01 02 DA", ACK),
    (V, "trigger, manual's form", "7E 00 08 01 00 02 01 AB CD", ACK),
    (V, "trigger off", "7E 00 08 01 00 02 00 12 FB", ACK),
    (V, "read time 5 s", "7E 00 08 01 00 06 32 C8 2E", ACK),
    (V, "read time endless", "7E 00 08 01 00 06 00 DE 3F", ACK),
    (V, "serial output", "7E 00 08 01 00 0D A0 B7 2F", ACK),
    (V, "suffix CR", "7E 00 08 01 00 60 01 6F 92", ACK),
    (V, "suffix CR LF", "7E 00 08 01 00 60 21 4B F0", ACK),
    (V, "suffix CR and code id", "7E 00 08 01 00 60 05 2F 16", ACK),
    (V, "Code 128", "7E 00 08 01 00 33 01 34 7E", ACK),
    (V, "Data Matrix", "7E 00 08 01 00 54 01 A6 C3", ACK),
    (V, "QR", "7E 00 08 01 00 3F 01 71 13", ACK),
    (V, "EAN-13", "7E 00 08 01 00 2E 01 41 51", ACK),
    (V, "forbid all", "7E 00 08 01 00 2C 01 27 33", ACK),
    (V, "allow all", "7E 00 08 01 00 2C 03 07 71", ACK),
    (V, "reset D9 = 55", "7E 00 08 01 00 D9 55 D1 76", ""),
    (V, "reset D9 = 50", "7E 00 08 01 00 D9 50 81 D3", ""),
    (V, "light sleep", "7E 00 08 01 00 D9 A0 6E CC", ACK),
    (V, "deep sleep", "7E 00 08 01 00 D9 A5 3E 69", ACK),
    (V, "wake", "7E 00 08 01 00 D9 00 DB 26", ACK),
    (V, "GM60's defaults", "7E 00 09 01 00 00 FF C0 38", ACK),
    (C, "heartbeat", "7E 00 0A 01 00 00 00 30 1A", "03 00 00 01 00 33 31"),
    (M, "EM2000: wrong CRC", "7E 00 08 01 00 02 01 02 DB", "02 00 01 01 00 04 01"),
    (M, "EM2000: unknown", "7E 00 0C 01 00 00 00 AB CD", "02 00 03 01 00 6A 61"),
    (V, "reset with its ACK", "7E 00 08 01 00 D9 55 D1 76", ACK),
    (C, "published with a wrong CRC", "7E 00 09 01 00 00 00 31 1A", ""),
]

_N = "7E 01 30 30 30 30"
_DFM = "44 46 4D 41 44 44 30 36 39 39 39 30 30 33 39 39 39 39 46 31 34 31"
NEWLAND: list[Row] = [
    (M, "DFMADD", f"{_N} 40 {_DFM} 3B 03", f"02 01 30 30 30 30 40 {_DFM} 06 3B 03"),
    (V, "start", f"{_N} 23 53 43 4E 54 52 47 31 3B 03", "02 01 30 30 30 30 23 53 43 4E 54 52 47 31 06 3B 03"),
    (V, "stop", f"{_N} 23 53 43 4E 54 52 47 30 3B 03", "02 01 30 30 30 30 23 53 43 4E 54 52 47 30 06 3B 03"),
    (V, "command mode", f"{_N} 40 53 43 4E 4D 4F 44 30 3B 03", "02 01 30 30 30 30 40 53 43 4E 4D 4F 44 30 06 3B 03"),
    (V, "sense", f"{_N} 40 53 43 4E 4D 4F 44 32 3B 03", _newland("@SCNMOD2")),
    (V, "continuous", f"{_N} 40 53 43 4E 4D 4F 44 33 3B 03", _newland("@SCNMOD3")),
    (V, "pulse", f"{_N} 40 53 43 4E 4D 4F 44 34 3B 03", _newland("@SCNMOD4")),
    (
        V,
        f"({_N} 40 53 43 4E 4D 4F 44 30 3B 03) mode",
        f"{_N} 23 53 43 4E 4D 4F 44 2A 3B 03",
        "02 01 30 30 30 30 23 53 43 4E 4D 4F 44 30 06 3B 03",
    ),
    (V, "read time", f"{_N} 40 4F 52 54 53 45 54 35 30 30 30 3B 03", _newland("@ORTSET5000")),
    (V, "suffix on", f"{_N} 40 54 53 55 45 4E 41 31 3B 03", _newland("@TSUENA1")),
    (V, "suffix CR", f"{_N} 40 54 53 55 53 45 54 30 44 3B 03", _newland("@TSUSET0D")),
    (V, "suffix CR LF", f"{_N} 40 54 53 55 53 45 54 30 44 30 41 3B 03", _newland("@TSUSET0D0A")),
    (C, "AIM identifier", f"{_N} 40 41 49 44 45 4E 41 31 3B 03", _newland("@AIDENA1")),
    (C, "AIM identifier, volatile", f"{_N} 23 41 49 44 45 4E 41 31 3B 03", _newland("#AIDENA1")),
    (V, "defaults", f"{_N} 40 46 41 43 44 45 46 3B 03", "02 01 30 30 30 30 40 46 41 43 44 45 46 06 3B 03"),
    (V, "out of range", f"{_N} 40 53 43 4E 4D 4F 44 39 3B 03", "02 01 30 30 30 30 40 53 43 4E 4D 4F 44 39 15 3B 03"),
    (V, "unknown", f"{_N} 40 58 58 58 45 4E 41 31 3B 03", "02 01 30 30 30 30 40 58 58 58 45 4E 41 31 05 3B 03"),
    (M, "SDK's start", "01 54 04", ""),
    (MEM, "SDK's stop", "01 50 04", ""),
]

M14: list[Row] = [
    (M, "start", "32 75 01", ""),
    (M, "stop", "32 75 02", "33 75 02 00 00"),
    *[(M, f"mode {mode}", f"21 61 41 0{mode}", f"22 61 41 0{mode} 00") for mode in (0, 1, 2, 4, 5)],
    (M, "which mode", "23 61 41", f"24 61 41 {ANY}"),
    *[(M, f"time {place}", f"21 61 {place} 13 88", f"22 61 {place} 00 00") for place in ("8A", "82", "85", "8C")],
    (M, "sensitivity", "21 61 44 03", "22 61 44 00"),
    *[(M, f"light {n}", f"21 62 41 0{n}", f"22 62 41 0{n} 00") for n in (0, 2, 3)],
    (M, "brightness", "21 62 48 3C", "22 62 48 3C 00"),
    *[(M, f"aimer {n}", f"21 62 42 0{n}", f"22 62 42 0{n} 00") for n in (0, 1, 2)],
    (M, "startup tone", "21 63 45 00", "22 63 45 00"),
    (M, "beeps", "21 63 42 00", "22 63 42 00"),
    (M, "same code", "21 64 82 03 E8", "22 64 82 00 00"),
    (M, "different code", "21 64 81 03 E8", "22 64 81 00 00"),
    (M, "same code at once", "21 64 43 01", "22 64 43 01 00"),
    *[(M, f"output {n}", f"21 51 43 0{n}", "22 51 43 00") for n in (0, 1, 2, 3)],
    (M, "version", "43 02 C1", f"44 02 C1 {ANY}"),
    (M, "factory reset", "32 76 01", ""),
]

_H = "16 4D 0D"
HONEYWELL: list[Row] = [
    (
        M,
        "CBR?",
        f"{_H} {_ascii('CBR?.')}",
        _ascii("CBRENA1\x06,SSX0\x06,CK20\x06,CCT1\x06,MIN2\x06,MAX60\x06,DFT\x06."),
    ),
    (M, "cbrena*", f"{_H} {_ascii('cbrena*.')}", _ascii("CBRENA0-1\x06.")),
    (M, "trigger", "16 54 0D", ""),
    (M, "trigger off", "16 55 0D", ""),
    (M, "beep", "16 07 0D", ""),
    (V, "host trigger", f"{_H} 50 41 50 48 48 46 2E", "50 41 50 48 48 46 06 2E"),
    (V, "TRGMOD0", f"{_H} 54 52 47 4D 4F 44 30 2E", "54 52 47 4D 4F 44 30 06 2E"),
    (V, "trigger's time", f"{_H} 54 52 47 53 54 4F 35 30 30 30 2E", "54 52 47 53 54 4F 35 30 30 30 06 2E"),
    (V, "light off", f"{_H} 53 43 4E 4C 45 44 30 2E", _ascii("SCNLED0\x06.")),
    (V, "aimer off", f"{_H} 53 43 4E 41 49 4D 30 2E", _ascii("SCNAIM0\x06.")),
    (V, "Data Matrix", f"{_H} 49 44 4D 45 4E 41 31 2E", _ascii("IDMENA1\x06.")),
    (V, "defaults", f"{_H} 44 45 46 41 4C 54 2E", "44 45 46 41 4C 54 06 2E"),
    (V, "version", f"{_H} 52 45 56 49 4E 46 2E", f"{ANY} 06 2E"),
    (V, "baud 9600", f"{_H} 32 33 32 42 41 44 35 2E", _ascii("232BAD5\x06.")),
    (V, "suffix CR", f"{_H} 53 55 46 42 4B 32 39 39 30 44 2E", _ascii("SUFBK2990D\x06.")),
    (C, "suffix CR TAB", f"{_H} {_ascii('SUFBK2990D09.')}", _ascii("SUFBK2990D09\x06.")),
    (MEM, "AIM identifier", f"{_H} {_ascii('PREBK2995C81.')}", _ascii("PREBK2995C81\x05.")),
]

YES, _DENIED = "04 D0 00 00 FF 2C", "05 D1 00 00 06 FF 24"
_HOST_MODE = "07 C6 04 00 FF 8A 08 FD 9E"
_AIM, _PACKETED = "07 C6 04 00 FF 2D 01 FE 02", "07 C6 04 00 FF EE 01 FD 41"
SSI: list[Row] = [
    (V, "host's ACK", "04 D0 04 00 FF 28", ""),
    (V, "host's NAK resend", "05 D1 04 00 01 FF 25", ""),
    (V, "host's NAK cancel", "05 D1 04 00 0A FF 1C", ""),
    (V, "decoder's NAK resend", "04 E5 04 00 FF 14", "05 D1 00 00 01 FF 29"),
    (V, "decoder's NAK bad context", "04 77 04 00 FF 81", "05 D1 00 00 02 FF 28"),
    (V, "decoder's NAK denied", "04 E4 04 00 FF 14", _DENIED),
    (V, f"({_HOST_MODE}) start", "04 E4 04 00 FF 14", YES),
    (V, "stop", "04 E5 04 00 FF 13", YES),
    (V, "scan enable", "04 E9 04 00 FF 0F", YES),
    (V, "scan disable", "04 EA 04 00 FF 0E", YES),
    (V, "aim on", "04 C5 04 00 FF 33", YES),
    (V, "aim off", "04 C4 04 00 FF 34", YES),
    (V, "light on", "04 C1 04 00 FF 37", YES),
    (V, "light off", "04 C0 04 00 FF 38", YES),
    (V, "LED on", "05 E7 04 00 01 FF 0F", YES),
    (V, "LED off", "05 E8 04 00 01 FF 0E", YES),
    (V, "beep", "05 E6 04 00 00 FF 11", YES),
    (V, "sleep", "04 EB 04 00 FF 0D", YES),
    (V, "flush", "04 D2 04 00 FF 26", YES),
    (
        V,
        "revision",
        "04 A3 04 00 FF 55",
        "1D A4 00 00 50 41 41 42 4C 53 30 30 2D 30 30 35 2D 52 30 30 20 30 20 39 20 32 41 30 46 F9 D9",
    ),
    (V, "capabilities", "04 D3 04 00 FF 25", f"{ANY}"),
    (V, "defaults", "04 C8 04 00 FF 30", YES),
    (V, "host mode", _HOST_MODE, YES),
    (V, "host mode, permanent", "07 C6 04 08 FF 8A 08 FD 96", YES),
    (V, "level mode", "07 C6 04 00 FF 8A 00 FD A6", YES),
    (V, "packeted", _PACKETED, YES),
    (V, "packeted, permanent", "07 C6 04 08 FF EE 01 FD 39", YES),
    (V, "session 5 s", "07 C6 04 00 FF 88 32 FD 76", YES),
    (V, "AIM identifier", _AIM, YES),
    (V, "AIM identifier, permanent", "07 C6 04 08 FF 2D 01 FD FA", YES),
    (V, "Code 128", "07 C6 04 00 FF 08 01 FE 27", YES),
    (V, "GS1-128", "07 C6 04 00 FF 0E 01 FE 21", YES),
    (MEM, "Data Matrix", "08 C6 04 00 FF F0 24 01 FD 1A", YES),
    (MEM, "QR", "08 C6 04 00 FF F0 25 01 FD 19", YES),
    (V, "all parameters", "05 C7 04 00 FE FE 32", f"{ANY}"),
    (V, f"({_HOST_MODE}) parameter 8A", "05 C7 04 00 8A FE A6", "07 C6 00 00 FF 8A 08 FD A2"),
    (C, "parameter 318, a word", "06 C7 04 00 F0 3E FE 01", "0A C6 00 00 FF F4 F0 3E 04 FF FB 0C"),
    (
        C,
        "(09 C6 04 00 FF 01 00 9C 07 FD 8A) parameters 01, 9C",
        "06 C7 04 00 01 9C FE 92",
        "09 C6 00 00 FF 01 00 9C 07 FD 8E",
    ),
]

SSI_LITE: list[Row] = [
    (V, "wake", "00", ""),
    (V, "(07 C6 04 08 00 8A 08 FE 95) start", "04 E4 04 00 FF 14", YES),
    (V, "stop", "04 E5 04 00 FF 13", YES),
    (V, "host mode", "07 C6 04 08 00 8A 08 FE 95", YES),
    (V, "key mode", "07 C6 04 08 00 8A 00 FE 9D", YES),
    (V, "pulse mode", "07 C6 04 08 00 8A 02 FE 9B", YES),
    (V, "auto mode", "07 C6 04 08 00 8A 04 FE 99", YES),
    (V, "motion mode", "07 C6 04 08 00 8A 09 FE 94", YES),
    (V, "packeted", "07 C6 04 08 00 EE 01 FE 38", YES),
    (V, "defaults", "08 C6 04 08 00 F2 FF 00 FD 35", YES),
    (C, "ACK of another GM67", "04 E5 04 00 FF 13", "04 D0 04 00 FF 28"),
]

DE2120: list[Row] = [
    (V, "scan", "5E 5F 5E 53 43 41 4E 2E", "06"),
    (V, "stop", "5E 5F 5E 53 4C 45 45 50 2E", "06"),
    (V, "defaults", "5E 5F 5E 44 45 46 41 4C 54 2E", "06"),
    (V, "version", "5E 5F 5E 44 53 50 59 46 57 2E", f"{ANY} 06"),
    (V, "manual", "5E 5F 5E 53 43 4D 4D 41 4E 2E", "06"),
    (V, "continuous", "5E 5F 5E 53 43 4D 43 4E 54 2E", "06"),
    (V, "motion", f"5E 5F 5E {_ascii('SCMMDH')} 2E", "06"),
    (V, "light off", "5E 5F 5E 4C 41 4D 45 4E 41 30 2E", "06"),
    (V, "aimer off", "5E 5F 5E 41 49 4D 45 4E 41 30 2E", "06"),
    (V, "baud 9600", "5E 5F 5E 32 33 32 42 41 44 35 2E", "06"),
    (V, "code id", "5E 5F 5E 43 49 44 45 4E 41 31 2E", "06"),
    (V, "unknown", f"5E 5F 5E {_ascii('XXXXXX')} 2E", "15"),
]

# What of an engine is not as its stand-in is by default.
KNOBS: dict[str, dict[str, Any]] = {
    "read baud, fast": {"baud": 115200},
    "E1 to E5": {"software": 0x6E},
    "EM2000: wrong CRC": {"newland_errors": True},
    "EM2000: unknown": {"newland_errors": True},
    "reset with its ACK": {"acks_reset": True},
    "ACK of another GM67": {"acks_as_host": True},
}
TABLES = {
    "grow": GROW, "newland": NEWLAND, "m14": M14, "honeywell": HONEYWELL, "ssi": SSI, "ssi_lite": SSI_LITE,
    "de2120": DE2120,
}  # fmt: skip
ROWS = [(name, *row) for name, table in TABLES.items() for row in table]

# What an engine sends of a symbol: how sure, family, asked before, data, AIM identifier, what comes.
DATA = b"010415099999999410ABC\x1d21XYZ"
SYMBOLS = [
    (V, "ssi", [_PACKETED, _AIM, _HOST_MODE], b"4006381333931", "]E0",
     "15 F3 00 00 0B 5D 45 30 34 30 30 36 33 38 31 33 33 33 39 33 31 FB 7F"),
    (V, "ssi", [_PACKETED, _AIM, "08 C6 04 00 FF F0 24 01 FD 1A", _HOST_MODE],
     b"01041509999999941726123110ABC\x1d21XYZ", "]d2",
     "2B F3 00 00 1B 5D 64 32 30 31 30 34 31 35 30 39 39 39 39 39 39 39 39 34 31 37 32 36 31 32 33 31 31 30 41 42 43 1D"
     " 32 31 58 59 5A F6 34"),
    (V, "ssi", [_PACKETED, _HOST_MODE], b"123456789", "]C0",
     "0E F3 00 00 03 31 32 33 34 35 36 37 38 39 FD 1F"),
    (V, "honeywell",
     [f"{_H} {_ascii('TRGMOD0;IDMENA1;DECHDR1;SUFBK2990D.')}"], DATA, "]d2",
     "16 FE 2A 00 00 00 0D 4D 53 47 47 45 54 30 30 32 38 77 64 32 1D 30 31 30 34 31 35 30 39 39 39 39 39 39 39 39 34 31"
     " 30 41 42 43 1D 32 31 58 59 5A 0D"),
]  # fmt: skip
START = {"ssi": "04 E4 04 00 FF 14", "honeywell": "16 54 0D"}
