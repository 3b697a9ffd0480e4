# Sets up a GROW engine: finds its speed, configures it, makes it fast. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import EngineLost
from scanlatch.read.engines.grow import crc16

scanlatch.forget(setting_up)  # it is to go with this module

# What a request does (manual, parts 8 and 9). 0x05 erases the engine's firmware: nothing here may make such a frame.
READ = const(0x07)  # as many registers as its one byte of data says
WRITE = const(0x08)
SAVE = const(0x09)  # copies all registers to the engine's flash; its data is 00

_FAST = const(115200)  # baud; as delivered it is 9600
_SAVES = const(3)  # writes to the engine's flash in one boot: an engine that forgets must not wear it out
_FAST_FAILURES = const(2)  # after that the line is taken for too bad for 115200
_FAST_DIVISOR = const(b"\x1a\x00")  # 3,000,000 / baud, low byte first

# Registers (manual, part 10).
_MODE = const(0x0000)
_READ_TIME = const(0x0006)  # of one trigger, in 0.1 s; 0 without end
_OUTPUT = const(0x000D)
_BAUD = const(0x002A)
_DECODE = const(0x002C)  # bits 2 and 1: all symbologies off, on, or (1x) each by its own register
_MODEL = const(0x00E0)  # then versions of hardware and software, and the date of the latter: five bytes

_NEEDED = const(b"\x00\x60")  # an engine that refuses these can't be used
_ENDLESS = const(0)
_FIVE_SECONDS = const(50)

# Register, bits that matter, their value. The mode stands first: from then on the engine reads only when told.
_SETTINGS = (
    b"\x00\xff\xd5"  # LED on success, no mute, aimer and light while reading, mode 01: reads when told
    b"\x03\x02\x02"  # setup codes off: nobody reconfigures a terminal with a printed barcode
    b"\x0d\x03\x00"  # serial
    b"\x0e\x04\x00"  # no beep at a read: the terminal's own tone must be the only one
    b"\x13\xff\x85"  # the same code again only after 500 ms
    b"\x60\xff\x01"  # data, then CR
    b"\x2c\x07\x01"  # all symbologies off, at any angle; writing it sets their registers, so it comes before them
    b"\x2e\x01\x01"  # EAN-13, EAN-8, UPC-A: to be told that they are the wrong ones
    b"\x2f\x01\x01"
    b"\x30\x01\x01"
    b"\x33\x01\x01"  # Code 128 and GS1-128
    b"\x3f\x01\x01"  # QR
    b"\x54\x01\x01"  # Data Matrix
)


async def set_up(engine):
    """Bring a `grow.Driver` from whatever state to that in which it serves. Returns its version; raises EngineLost."""
    await setting_up.find(engine, request(READ, _OUTPUT, b"\x01"))
    changed = False
    for at in range(0, len(_SETTINGS), 3):
        changed = await _set(engine, _SETTINGS[at], _SETTINGS[at + 1], _SETTINGS[at + 2]) or changed
        if at == 0:
            await engine.ask(engine.OFF)
    changed = await _set(engine, _READ_TIME, 0xFF, _ENDLESS if engine.auto else _FIVE_SECONDS) or changed
    if changed and engine.saves < _SAVES:
        engine.saves += 1
        await engine.ask(request(SAVE, 0, b"\x00"))
    if engine.baud != _FAST and engine.fast_failures < _FAST_FAILURES:
        await _speed_up(engine)
    return await _version(engine)


def request(kind, address, data):
    """Bytes that tell the engine to do `kind` with the registers from `address` on. data: bytes, at most 245 (GM65)."""
    body = bytes((kind, len(data), address >> 8, address & 0xFF)) + data
    return b"\x7e\x00" + body + crc16(body).to_bytes(2, "big")


async def _set(engine, address, mask, value):
    # Whether the register had to be changed. One that the engine doesn't know is left alone, save mode and ending.
    now = await engine.ask(request(READ, address, b"\x01"))
    if now and now[0] & mask == value:
        return False
    wanted = (now[0] & ~mask & 0xFF) | value if now else value
    done = await engine.ask(request(WRITE, address, bytes((wanted,))))
    if not done and address in _NEEDED:
        raise EngineLost("refused command mode" if address == _MODE else "refused CR after data")
    return bool(done)


async def _speed_up(engine):
    # Not saved to the engine's flash: after a power cut it is where every probe begins.
    if not await engine.ask(request(WRITE, _BAUD, _FAST_DIVISOR)):
        return
    engine.set_baud(_FAST)  # the acknowledgement still came at the old speed
    try:
        await engine.ask(request(READ, _OUTPUT, b"\x01"))
    except EngineLost:
        engine.fast_failures += 1
        raise EngineLost("no answer after the change to 115200 baud")
    engine.baud = _FAST


async def _version(engine):
    try:
        model = await engine.ask(request(READ, _MODEL, b"\x01"), 2)
        rest = await engine.ask(request(READ, _MODEL + 1, b"\x05"), 2)
    except EngineLost:  # it does all that is needed, and only has no such registers
        return "grow"
    if not model or len(rest) != 5:
        return "grow"
    return "grow model %d hardware %d.%02d software %d.%02d of %d-%02d-%02d" % (
        (model[0],) + divmod(rest[0], 100) + divmod(rest[1], 100) + (2000 + rest[2], rest[3], rest[4])
    )
