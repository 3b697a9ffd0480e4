# Finds out which engine is there, by questions that every family either answers or takes for noise. Loaded for `auto`.
import asyncio
import sys

from micropython import const

import scanlatch

_POLL_MS = const(10)
_ANSWER_MS = const(300)
_SLOW_MS = const(600)  # DE2120's version
_GAP_MS = const(250)  # a question of one family may begin like a packet of another: after this much it is forgotten
_WAKE_MS = const(50)
_MOST = const(256)  # bytes of one answer, among whatever else comes
_ROUNDS = const(2)  # an engine may still be booting

_ROOM = "scanlatch.read.engines."

_SLOW = const(9600)  # and of an engine that answers nobody: one at another speed is `line` in the board file
_FAST = const(115200)

# SSI, for telling Zebra's from the others.
_MODE = const(b"\x05\xc7\x04\x00\x8a\xfe\xa6")  # asks for the trigger mode
_TOLD = const(0xC6)
_REVISION = const(0xA4)
_ACK = const(0xD0)

# Family, question; the bauds to ask at, the likelier first. None of them changes anything, save that the dialect of SSI
# is told to stop reading.
_QUESTIONS = (
    ("grow", b"\x7e\x00\x07\x01\x00\x0d\x01\x77\x1d", (_SLOW, _FAST)),
    ("newland", b"\x7e\x010000#SCNMOD*;\x03", (_SLOW, _FAST)),
    ("ssi", b"\x04\xa3\x04\x00\xff\x55", (_SLOW, _FAST)),
    ("honeywell", b"\x16M\rREVINF.", (_FAST, _SLOW)),
    ("de2120", b"^_^DSPYFW.", (_FAST, _SLOW)),
    ("ssi_lite", b"\x04\xe5\x04\x00\xff\x13", (_SLOW, _FAST)),
    ("m14", b"\x43\x02\xc1", (_FAST, _SLOW)),
)


async def found(auto):
    """The driver of the engine that answers `auto`; where none does, of one that answers nobody."""
    for name in tuple(sys.modules):  # the driver of an engine that is gone
        if name.startswith(_ROOM) and name[len(_ROOM) :] != "commanded":
            scanlatch.forget(sys.modules[name])
    answered = await _detect(auto.wired[0], auto.wired[2])
    if answered:
        made = scanlatch.load("read.engines.choice").driver(answered[0], *auto.wired)
        made.baud = answered[1]
    else:
        auto.wired[2](_SLOW)
        made = scanlatch.load("read.engines.mute").Driver(*auto.wired)
        made.wait_ms = auto.wait_ms
    made.wired = auto.wired
    return made


async def _detect(uart, set_baud):
    # (kind, baud) of the engine that answers, or None.
    for _ in range(_ROUNDS):
        for kind, question, bauds in _QUESTIONS:
            for baud in bauds:
                set_baud(baud)
                heard = await _ask(uart, kind, question)
                if kind == "ssi" and _packet(heard, _REVISION):
                    told = _packet(await _ask(uart, kind, _MODE), _TOLD)
                    return ("ssi_lite" if told[4:5] == b"\x00" else "ssi"), baud
                if _answers(kind, heard) and (kind != "de2120" or _answers(kind, await _ask(uart, kind, question))):
                    return kind, baud
    return None


async def _ask(uart, kind, question):
    await _hear(uart, _GAP_MS)
    if kind[:3] == "ssi":
        uart.write(b"\x00")  # it may sleep
        await _hear(uart, _WAKE_MS)
    uart.write(question)
    return await _hear(uart, _SLOW_MS if kind == "de2120" else _ANSWER_MS)


async def _hear(uart, ms):
    heard = b""
    chunk = bytearray(64)
    for _ in range(0, ms, _POLL_MS):
        await asyncio.sleep_ms(_POLL_MS)
        while uart.any() and len(heard) < _MOST:
            heard += chunk[: uart.readinto(chunk)]
    return heard


def _answers(kind, heard):
    if kind == "grow":
        at = heard.find(b"\x02\x00\x00\x01")
        if at < 0 or len(heard) < at + 7:
            return False
        crc16 = scanlatch.load("read.engines.grow", True).crc16  # likely the driver that is needed next
        return crc16(heard[at + 2 : at + 5]) == heard[at + 5] << 8 | heard[at + 6]
    if kind == "newland":
        return b"\x02\x010000#SCNMOD" in heard
    if kind == "honeywell":
        return b"\x06." in heard
    if kind == "ssi_lite":
        return bool(_packet(heard, _ACK))
    if kind == "de2120":
        return b"\x06" in heard
    return b"\x44\x02\xc1" in heard and kind == "m14"


def _packet(heard, opcode):
    # The SSI packet in it, or b"".
    for at in range(len(heard) - 5):
        size = heard[at] + 2
        packet = heard[at : at + size]
        if 6 <= size == len(packet) and packet[1] == opcode and not _checksum(packet):
            return packet
    return b""


def _checksum(packet):
    return sum(packet[:-2]) + (packet[-2] << 8 | packet[-1]) & 0xFFFF
