"""What is said to each family and what comes back, byte for byte as published: on MicroPython."""

from collections.abc import Iterator

import pytest

from tests.firmware.engine_bench import Bench

_SETUP = """
import engine_desk
from scanlatch.read.engines import {0}, {0}_setup

def heard(sent, due=0, asked=b""):
    # (frames, replies, what was written, frames lost) of a driver that hears `sent`, in as many pieces as there are.
    line = engine_desk.Line()
    line.write = written.append
    engine = {0}.Driver(line, line, line.set_baud)
    frames, replies = [], []
    engine.tell = lambda identifier, data: frames.append((identifier, data))
    replied = engine.replied
    def one(reply):
        replies.append(reply)
        replied(reply)
    engine.replied = one
    engine.due, engine.asked = due, asked
    for piece in sent:
        line.received.extend(piece)
        engine._listen()
        line.now += 300
        engine._listen()
    return frames, replies, list(written), engine.lost
"""
CODE = b"83386520001941653320"
GS1 = bytes.fromhex(
    "30 31 30 34 31 35 30 39 39 39 39 39 39 39 39 34 31 37 32 36 31 32 33 31 31 30 41 42 43 1D 32 31 58 59 5A"
)
NEWLAND = "7E 01 30 30 30 30"

# Family, expression on the device, the published bytes.
TOLD = [
    ("newland", "newland.Driver.ON", NEWLAND + "23 53 43 4E 54 52 47 31 3B 03"),
    ("newland", "newland.Driver.OFF", NEWLAND + "23 53 43 4E 54 52 47 30 3B 03"),
    ("newland", "newland.Driver.BEAT", NEWLAND + "23 53 43 4E 4D 4F 44 2A 3B 03"),
    ("newland", "newland_setup.frame('@', 'SCNMOD0')", NEWLAND + "40 53 43 4E 4D 4F 44 30 3B 03"),
    ("newland", "newland_setup.frame('@', 'ORTSET5000')", NEWLAND + "40 4F 52 54 53 45 54 35 30 30 30 3B 03"),
    ("newland", "newland_setup.frame('@', 'TSUENA1')", NEWLAND + "40 54 53 55 45 4E 41 31 3B 03"),
    ("newland", "newland_setup.frame('@', 'TSUSET0D')", NEWLAND + "40 54 53 55 53 45 54 30 44 3B 03"),
    ("newland", "newland_setup.frame('@', 'AIDENA1')", NEWLAND + "40 41 49 44 45 4E 41 31 3B 03"),
    ("honeywell", "honeywell.Driver.ON", "16 54 0D"),
    ("honeywell", "honeywell.Driver.OFF", "16 55 0D"),
    ("honeywell", "honeywell_setup.command('TRGMOD0.')", "16 4D 0D 54 52 47 4D 4F 44 30 2E"),
    ("honeywell", "honeywell_setup.command('TRGSTO5000.')", "16 4D 0D 54 52 47 53 54 4F 35 30 30 30 2E"),
    ("honeywell", "honeywell_setup.command('IDMENA1.')", "16 4D 0D 49 44 4D 45 4E 41 31 2E"),
    ("honeywell", "honeywell_setup.command('SUFBK2990D.')", "16 4D 0D 53 55 46 42 4B 32 39 39 30 44 2E"),
    ("honeywell", "honeywell_setup.command('REVINF.')", "16 4D 0D 52 45 56 49 4E 46 2E"),
    ("ssi", "ssi.Driver.ON", "04 E4 04 00 FF 14"),
    ("ssi", "ssi.Driver.OFF", "04 E5 04 00 FF 13"),
    ("ssi", "ssi.Driver.BEAT", "05 C7 04 00 8A FE A6"),
    ("ssi", "ssi_setup.packet(0xA3, 0, b'')", "04 A3 04 00 FF 55"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\x8a\x08')", "07 C6 04 00 FF 8A 08 FD 9E"),
    ("ssi", r"ssi_setup.packet(0xC6, 8, b'\xff\x8a\x08')", "07 C6 04 08 FF 8A 08 FD 96"),
    ("ssi", r"ssi_setup.packet(0xC6, 8, b'\xff\xee\x01')", "07 C6 04 08 FF EE 01 FD 39"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\x88\x32')", "07 C6 04 00 FF 88 32 FD 76"),
    ("ssi", r"ssi_setup.packet(0xC6, 8, b'\xff\x2d\x01')", "07 C6 04 08 FF 2D 01 FD FA"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\x08\x01')", "07 C6 04 00 FF 08 01 FE 27"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\x0e\x01')", "07 C6 04 00 FF 0E 01 FE 21"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\xf0\x24\x01')", "08 C6 04 00 FF F0 24 01 FD 1A"),
    ("ssi", r"ssi_setup.packet(0xC6, 0, b'\xff\xf0\x25\x01')", "08 C6 04 00 FF F0 25 01 FD 19"),
    ("ssi_lite", "ssi.Driver.ON", "04 E4 04 00 FF 14"),
    ("ssi_lite", "ssi.Driver.OFF", "04 E5 04 00 FF 13"),
    ("ssi_lite", r"ssi_setup.packet(0xC6, 8, b'\0\x8a\x08')", "07 C6 04 08 00 8A 08 FE 95"),
    ("ssi_lite", r"ssi_setup.packet(0xC6, 8, b'\0\xee\x01')", "07 C6 04 08 00 EE 01 FE 38"),
    ("m14", "m14.Driver.ON", "32 75 01"),
    ("m14", "m14.Driver.OFF", "32 75 02"),
    ("m14", "m14.Driver.BEAT", "23 61 41"),
    ("m14", "m14_setup._VERSION", "43 02 C1"),
    ("de2120", "de2120.Driver.ON", "5E 5F 5E 53 43 41 4E 2E"),
    ("de2120", "de2120.Driver.OFF", "5E 5F 5E 53 4C 45 45 50 2E"),
    ("de2120", "de2120_setup._VERSION", "5E 5F 5E 44 53 50 59 46 57 2E"),
    ("de2120", "de2120_setup._MODE", "5E 5F 5E 53 43 4D 4D 41 4E 2E"),
    ("grow", "grow.Driver.ON", "7E 00 08 01 00 02 01 02 DA"),
    ("grow", "grow.Driver.OFF", "7E 00 08 01 00 02 00 12 FB"),
    ("grow", "grow.Driver.BEAT", "7E 00 07 01 00 00 01 01 41"),
    ("grow", "grow_setup.request(grow_setup.READ, 0xE1, b'\\5')", "7E 00 07 01 00 E1 05 62 46"),
    ("grow", "grow_setup.request(grow_setup.WRITE, 0x2C, b'\\1')", "7E 00 08 01 00 2C 01 27 33"),
]  # fmt: skip

# Family, what it was asked (M14's replies are told by that), what comes, the reply: None where it is none.
REPLIED = [
    ("grow", "", "02 00 00 01 3E E4 AC", b"\x3e"),
    ("grow", "", "02 00 00 05 64 6E 10 04 0C 66 78", b"\x64\x6e\x10\x04\x0c"),
    ("grow", "", "02 00 00 02 1A 00 82 D8", b"\x1a\x00"),
    ("grow", "", "02 00 01 01 00 04 01", b""),
    ("grow", "", "02 00 00 01 D7 3A D2", None),
    ("newland", "", "02 01 30 30 30 30 23 53 43 4E 4D 4F 44 30 06 3B 03", b"SCNMOD0"),
    ("newland", "", "02 01 30 30 30 30 40 53 43 4E 4D 4F 44 39 15 3B 03", b""),
    ("newland", "", "02 01 30 30 30 30 40 58 58 58 45 4E 41 31 05 3B 03", b""),
    ("newland", "", "02 01 30 30 30 30 40 44 46 4D 41 44 44 30 36 39 39 39 30 30 33 39 39 39 39 46 31 34 31 06 3B 03",
     b"DFMADD0699900399" + b"99F141"),
    ("honeywell", "", "54 52 47 4D 4F 44 30 06 2E", b"TRGMOD0"),
    ("honeywell", "", "54 52 47 53 54 4F 35 30 30 30 06 2E", b"TRGSTO5000"),
    ("honeywell", "", "54 52 47 4D 4F 44 39 15 2E", b""),
    ("honeywell", "", "58 58 58 45 4E 41 05 2E", b""),
    ("ssi", "", "04 D0 00 00 FF 2C", b"\x06"),
    ("ssi", "", "05 D1 00 00 01 FF 29", None),
    ("ssi", "", "05 D1 00 00 02 FF 28", b""),
    ("ssi", "", "05 D1 00 00 06 FF 24", b""),
    ("ssi", "", "07 C6 00 00 FF 8A 08 FD A2", b"\xff\x8a\x08"),
    ("ssi", "", "0A C6 00 00 FF F4 F0 3E 04 FF FB 0C", b"\xff\xf4\xf0\x3e\x04\xff"),
    ("ssi", "", "09 C6 00 00 FF 01 00 9C 07 FD 8E", b"\xff\x01\x00\x9c\x07"),
    ("ssi", "", "1D A4 00 00 50 41 41 42 4C 53 30 30 2D 30 30 35 2D 52 30 30 20 30 20 39 20 32 41 30 46 F9 D9",
     b"PAABLS00-005-R00 0 9 2A0F"),
    ("ssi_lite", "", "04 D0 00 00 FF 2C", b"\x06"),
    ("ssi_lite", "", "04 D0 04 00 FF 28", b"\x06"),
    ("m14", "21 61 41 00", "22 61 41 00 00", b"\x00"),
    ("m14", "23 61 41", "24 61 41 05", b"\x05"),
    ("m14", "32 75 02", "33 75 02 00 00", b"\x00"),
    ("m14", "21 61 8A 00 00", "22 61 8A 00 00", b"\x00"),
    ("m14", "21 63 42 00", "22 63 42 00", b"\x00"),
    ("m14", "21 51 43 01", "22 51 43 00", b"\x00"),
    ("m14", "43 02 C1", "44 02 C1 00 03 31 2E 32", b"1.2"),
    ("m14", "43 02 C1", "44 02 C1 00 03 31 2E", None),
    ("de2120", "", "06", b"\x06"),
    ("de2120", "", "15", b""),
]  # fmt: skip

HEADER = (
    "16 FE 2A 00 00 00 0D 4D 53 47 47 45 54 30 30 32 38 77 64 32 1D 30 31 30 34 31 35 30 39 39 39 39 39 39 39 39 "
    "34 31 30 41 42 43 1D 32 31 58 59 5A 0D"
)
MATRIX = (
    "2B F3 00 00 1B 5D 64 32 30 31 30 34 31 35 30 39 39 39 39 39 39 39 39 34 31 37 32 36 31 32 33 31 31 30 41 42 "
    "43 1D 32 31 58 59 5A F6 34"
)
READ = [
    ("grow", CODE.hex() + "0D", "", CODE),
    ("newland", "5D 43 30" + CODE.hex() + "0D", "]C0", CODE),
    ("honeywell", HEADER, "]d2", b"0104150999999994" + b"10ABC\x1d21XYZ"),
    ("ssi", "15 F3 00 00 0B 5D 45 30 34 30 30 36 33 38 31 33 33 33 39 33 31 FB 7F", "]E0", b"4006381333931"),
    ("ssi", MATRIX, "]d2", GS1),
    ("ssi", "0E F3 00 00 03 31 32 33 34 35 36 37 38 39 FD 1F", "]C0", b"123456789"),
    ("ssi_lite", "0E F3 00 00 03 31 32 33 34 35 36 37 38 39 FD 1F", "]C0", b"123456789"),
    ("ssi_lite", "FF F4 00 0B F4 00 00 F1 61 62 63 FA F7", "", b"abc"),
    ("m14", "03 00 14" + CODE.hex(), "", CODE),
    ("de2120", CODE.hex() + "0D", "", CODE),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def heard(bench: Bench, kind: str, sent: list[bytes], due: int = 0, asked: bytes = b"") -> tuple[object, ...]:
    bench.do("written = []" + _SETUP.format(kind.split("_")[0]))
    if kind == "honeywell":
        bench.do("honeywell.Driver.ends = b''")
    return bench.value(f"heard({sent!r}, {due}, {asked!r})")


@pytest.mark.parametrize(("kind", "said", "wanted"), TOLD)
def test_each_is_told_the_published_bytes(bench: Bench, kind: str, said: str, wanted: str) -> None:
    bench.do("written = []" + _SETUP.format(kind.split("_")[0]))
    assert bench.value(said) == bytes.fromhex(wanted)


@pytest.mark.parametrize(("kind", "asked", "sent", "reply"), REPLIED)
def test_each_published_reply_is_understood(
    bench: Bench, kind: str, asked: str, sent: str, reply: bytes | None
) -> None:
    whole = bytes.fromhex(sent)
    wanted = [] if reply is None else [reply]
    _, replies, _, _ = heard(bench, kind, [whole], 1, bytes.fromhex(asked))
    assert replies == wanted
    _, replies, _, _ = heard(bench, kind, [whole], 0, bytes.fromhex(asked))
    assert not replies, "none was due"


@pytest.mark.parametrize(("kind", "sent", "identifier", "data"), READ)
def test_each_published_symbol_is_read(bench: Bench, kind: str, sent: str, identifier: str, data: bytes) -> None:
    whole = bytes.fromhex(sent)
    frames, _, written, lost = heard(bench, kind, [whole, whole])
    assert (frames, lost) == ([(identifier, data)] * 2, 0)
    assert written == ([bytes.fromhex("04 D0 04 00 FF 28")] * 2 if kind.startswith("ssi") else [])


@pytest.mark.parametrize(("kind", "sent"), [row[:2] for row in READ if row[0] in ("honeywell", "ssi", "ssi_lite")])
def test_a_symbol_with_one_byte_damaged_is_never_another(bench: Bench, kind: str, sent: str) -> None:
    whole = bytes.fromhex(sent)
    checked = len(whole) if kind != "honeywell" else 21  # its header has two lengths, its data no checksum
    for at in range(checked):
        damaged = whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :]
        frames, _, _, lost = heard(bench, kind, [damaged])
        data = {data for _, data in frames}
        assert data <= {b""} or (kind == "honeywell" and at in (17, 18, 19)), at
        assert lost <= 1


@pytest.mark.parametrize(("kind", "sent"), [row[:2] for row in READ])
def test_a_symbol_cut_short_is_none(bench: Bench, kind: str, sent: str) -> None:
    whole = bytes.fromhex(sent)
    for end in range(1, len(whole)):
        frames, _, written, lost = heard(bench, kind, [whole[:end]])
        assert {data for _, data in frames} <= {b""}, end
        assert lost == 1
        if kind.startswith("ssi"):
            assert written == [bytes.fromhex("05 D1 04 00 01 FF 25")]
