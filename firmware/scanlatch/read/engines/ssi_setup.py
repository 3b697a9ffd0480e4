# Sets up an SSI engine: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

_SAVES = const(3)  # set-ups in one boot that may write the engine's flash: one that forgets must not wear it out

# What is set and asked for. It has a baud rate too: nothing here changes that, or resets anything.
_REVISION = const(0xA3)
_SEND = const(0xC6)
_REQUEST = const(0xC7)
_QUIET = b"\xff"  # the beep that goes with a change: none
_PERMANENT = const(0x08)

_MODE = b"\x8a\x08"  # reads when told
_PACKETS = b"\xee\x01"  # symbols in packets, with their type

# Parameter (F0 in front: from 256 on), value. The first three are needed.
_SETTINGS = (
    b"\x9f\x01",  # packets are acknowledged
    _MODE,
    _PACKETS,
    b"\xeb\x00",  # data as it is
    b"\x2d\x01",  # AIM identifier in front of it
    b"\x38\x00",  # no beep at a read; this number, and those of Data Matrix, QR and EAN, are not confirmed
    b"\x08\x01",  # Code 128
    b"\x0e\x01",  # GS1-128
    b"\xf0\x24\x01",  # Data Matrix
    b"\xf0\x25\x01",  # QR
    b"\x03\x01",  # EAN-13, EAN-8: to be told that they are the wrong ones
    b"\x04\x01",
)
# In 0.1 s, of one trigger: by button, and kept armed. The latter ends just before every third beat arms it anew, should
# arming not prolong it.
_READ_TIME = (b"\x88\x32", b"\x88\x58")


async def set_up(engine):
    """Bring an `ssi.Driver` from whatever state to that in which it serves. Returns its version; raises EngineLost."""
    revision = await setting_up.find(engine, packet(_REVISION, 0, b""))
    await engine.ask(engine.OFF)
    status = _PERMANENT if engine.saves < _SAVES else 0
    changed = False
    for setting in _SETTINGS + (_READ_TIME[engine.auto],):
        if (await engine.ask(packet(_REQUEST, 0, setting[:-1])))[1:] == setting:  # its beep stands first
            continue
        changed = True
        if not await engine.ask(packet(_SEND, status, _QUIET + setting)) and setting in _SETTINGS[:3]:
            raise EngineLost("refused parameter %02X" % setting[0])
    engine.saves += changed and status != 0
    return setting_up.text("ssi", revision)


def packet(opcode, status, data):
    """Bytes of a packet of the host: its length, then a checksum that makes the sum of all 0 (modulo 65,536)."""
    body = bytes((4 + len(data), opcode, 0x04, status)) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")
