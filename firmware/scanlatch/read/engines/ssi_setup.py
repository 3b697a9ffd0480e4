# Sets up an SSI engine, of Zebra's or of the dialect: finds its speed and configures it. Loaded to bring one up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

_SAVES = const(3)  # set-ups in one boot that may write the engine's flash: one that forgets must not wear it out

# What is set and asked for. There is a baud rate among it, and defaults: nothing here touches those.
_REVISION = const(0xA3)
_SEND = const(0xC6)
_REQUEST = const(0xC7)
_PERMANENT = const(0x08)

_MODE = b"\x8a\x08"  # reads when told
_MODE_NADAMOO = const(b"\x8a\x07")  # of some of the dialect
_PACKETS = const(b"\xee\x01")  # symbols in packets, with their type
_AS_IT_IS = const(b"\xeb\x00")  # data without prefix and suffix
_NO_BEEP = const(b"\x38\x00")  # of Zebra's this number is not confirmed, nor are those of Data Matrix, QR and EAN

# Parameter (F0 in front: from 256 on), value.
_ZEBRA = (
    _MODE,
    b"\x9f\x01",  # packets are acknowledged
    _PACKETS,
    _AS_IT_IS,
    b"\x2d\x01",  # AIM identifier in front of it
    _NO_BEEP,
    b"\x08\x01",  # Code 128
    b"\x0e\x01",  # GS1-128
    b"\xf0\x24\x01",  # Data Matrix
    b"\xf0\x25\x01",  # QR
    b"\x03\x01",  # EAN-13, EAN-8: to be told that they are the wrong ones
    b"\x04\x01",
)
_LITE = (_MODE, _PACKETS, _AS_IT_IS, _NO_BEEP)  # no more of its parameters is known
_NEEDED = (_PACKETS, b"\x9f\x01")
# In 0.1 s, of one trigger: by button, and kept armed. The latter ends just before every third beat arms it anew, should
# arming not prolong it.
_READ_TIME = const((b"\x88\x32", b"\x88\x58"))


async def set_up(engine):
    """Bring an `ssi.Driver` from whatever state to that in which it serves. Returns its version; raises EngineLost."""
    lite = engine.kind == "ssi_lite"
    version = await setting_up.find(engine, engine.OFF if lite else packet(_REVISION, 0, b""))
    if not lite:
        await engine.ask(engine.OFF)
    engine.BEAT = packet(_REQUEST, 0, _MODE[:1])
    engine.IS = _MODE
    saves = engine.saves
    for setting in (_LITE if lite else _ZEBRA) + (_READ_TIME[engine.auto],):
        done = await _set(engine, setting, lite, saves)
        if not done and setting == _MODE:
            done = lite and await _set(engine, _MODE_NADAMOO, lite, saves)
            engine.IS = _MODE_NADAMOO
        if not done and (setting == _MODE or setting in _NEEDED):
            raise EngineLost("refused parameter %02X" % setting[0])
    if engine.BEAT == engine.OFF:
        engine.IS = b"\x06"
    return setting_up.text(engine.kind, b"" if lite else version)


async def _set(engine, setting, lite, saves):
    # Whether the parameter has this value now. Whether the dialect's can be asked for is not known of all engines:
    # where not, it is written, and the beat is the end of a session, behind which it is armed anew.
    if engine.BEAT != engine.OFF:
        try:
            reply = await engine.ask(packet(_REQUEST, 0, setting[:-1]))
        except EngineLost:
            if not lite:
                raise
            reply = b""
        if reply[1:] == setting:  # a beep's code stands first
            return True
        if lite and not reply and setting == _MODE:
            engine.BEAT = engine.OFF
    kept = saves < _SAVES
    if kept:
        engine.saves = saves + 1
    return await engine.ask(packet(_SEND, _PERMANENT if kept else 0, (b"\x00" if lite else b"\xff") + setting))


def packet(opcode, status, data):
    """Bytes of a packet of the host: its length, then a checksum that makes the sum of all 0 (modulo 65,536)."""
    body = bytes((4 + len(data), opcode, 0x04, status)) + data
    return body + (-sum(body) & 0xFFFF).to_bytes(2, "big")
