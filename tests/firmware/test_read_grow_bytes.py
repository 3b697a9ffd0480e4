"""What is said to a GROW engine, and its replies told from what it scanned."""

import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read.engines import grow  # noqa: E402
from scanlatch.read.engines.grow_setup import READ, SAVE, WRITE, request  # noqa: E402

ACK = bytes.fromhex("02000001003331")
CODES = [f"8338652000194165{i:04}".encode() for i in range(2)]


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        (request(READ, 0x0A, b"\x01"), "7E 00 07 01 00 0A 01 EE 8A"),
        (request(READ, 0x2A, b"\x02"), "7E 00 07 01 00 2A 02 D8 0F"),
        (request(READ, 0x0D, b"\x01"), "7E 00 07 01 00 0D 01 77 1D"),
        (request(READ, 0x60, b"\x01"), "7E 00 07 01 00 60 01 0A 6B"),
        (request(READ, 0xE1, b"\x05"), "7E 00 07 01 00 E1 05 62 46"),
        (request(WRITE, 0x0A, b"\x3e"), "7E 00 08 01 00 0A 3E 4C CF"),
        (request(WRITE, 0x00, b"\xd1"), "7E 00 08 01 00 00 D1 AF C5"),
        (request(WRITE, 0x02, b"\x01"), "7E 00 08 01 00 02 01 02 DA"),
        (request(WRITE, 0x02, b"\x00"), "7E 00 08 01 00 02 00 12 FB"),
        (request(WRITE, 0x06, b"\x00"), "7E 00 08 01 00 06 00 DE 3F"),
        (request(WRITE, 0x2A, b"\x1a\x00"), "7E 00 08 02 00 2A 1A 00 E4 7E"),
        (request(WRITE, 0x60, b"\x01"), "7E 00 08 01 00 60 01 6F 92"),
        (request(SAVE, 0, b"\x00"), "7E 00 09 01 00 00 00 DE C8"),
    ],
)
def test_grow_requests_are_the_manuals_bytes(frame: bytes, wanted: str) -> None:
    assert frame == bytes.fromhex(wanted)


class Line:
    """A line on which nothing happens, and a clock that stands."""

    def any(self) -> int:
        return 0

    def ms(self) -> int:
        return 0


def split(stream: bytes, due: int) -> tuple[bytes, bytes, int]:
    """(scanned bytes, last reply, replies still due)."""
    engine = grow.Driver(Line(), Line(), None)
    scanned = bytearray()
    engine.put = scanned.append
    engine.due = due
    for byte in stream:
        engine.take(byte)
    return bytes(scanned) + engine.held, engine.reply, engine.due


@pytest.mark.parametrize(
    ("stream", "due", "scanned", "left"),
    [
        (ACK + CODES[0] + b"\r", 1, CODES[0] + b"\r", 0),
        (CODES[0] + b"\r" + ACK, 1, CODES[0] + b"\r", 0),
        (CODES[0] + b"\r" + ACK + CODES[1] + b"\r", 1, CODES[0] + b"\r" + CODES[1] + b"\r", 0),
        (ACK + ACK + CODES[0], 2, CODES[0], 0),
        (ACK + ACK, 1, ACK, 0),
        (ACK, 0, ACK, 0),
        (b"\x02" + ACK, 1, b"\x02", 0),
        (b"\x02\x00\x00\x01" + ACK, 1, b"\x02\x00\x00\x01", 0),
        (ACK[:-1] + b"\x32", 1, ACK[:-1] + b"\x32", 1),
        (ACK[:4], 1, ACK[:4], 1),
    ],
    ids=["ACK, scan", "scan, ACK", "scan, ACK, scan", "late ACK", "barcode like an ACK", "none due", "noise before",
         "cut off before", "wrong CRC", "cut off"],
)  # fmt: skip
def test_grow_replies_are_told_from_scans(stream: bytes, due: int, scanned: bytes, left: int) -> None:
    out, reply, still_due = split(stream, due)
    assert (out, still_due) == (scanned, left)
    assert (reply == b"\0") == (left < due)


@pytest.mark.parametrize("refusal", ["02 00 01 01 00 04 01", "02 00 03 01 00 6A 61"])
def test_grow_takes_newlands_errors_for_refusals(refusal: str) -> None:
    assert split(bytes.fromhex(refusal), 1) == (b"", b"", 0)
