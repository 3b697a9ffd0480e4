# Sets up a GROW engine: finds its speed, configures it, makes it fast. Loaded where an engine is to be brought up.
from micropython import const

from scanlatch.read.engines.grow import FAST, READ, SAVE, SLOW, WRITE, EngineLost

_PROBES = const(2)  # of the first command at a baud that may be the wrong one
_SAVES = const(3)  # writes to the engine's flash in one boot: an engine that forgets must not wear it out
_FAST_FAILURES = const(2)  # after that the line is taken for too bad for 115200
_FAST_DIVISOR = b"\x1a\x00"  # 3,000,000 / baud, low byte first

# Registers (manual, part 10).
_MODE = const(0x0000)
_TRIGGER = const(0x0002)
_OUTPUT = const(0x000D)
_BAUD = const(0x002A)
_MODEL = const(0x00E0)
_SOFTWARE = const(0x00E2)

# Register, bits that matter, their value. The mode stands first: from then on the engine reads only when told.
_SETTINGS = (
    b"\x00\xff\xd5"  # LED on success, no mute, aimer and light while reading, mode 01: reads when told
    b"\x03\x02\x02"  # setup codes off: nobody reconfigures a terminal with a printed barcode
    b"\x0d\x03\x00"  # serial
    b"\x0e\x04\x00"  # no beep at a read: the terminal's own tone must be the only one
    b"\x13\xff\x85"  # the same code again only after 500 ms
    b"\x60\xff\x01"  # data, then CR
    b"\x2e\x01\x01"  # EAN-13, to be told that it is the wrong one
    b"\x33\x01\x01"  # Code 128
    b"\x3f\x01\x01"  # QR
    b"\x54\x01\x01"  # Data Matrix
)
_READ_TIME = const(0x0006)  # of one trigger, in 0.1 s; 0 without end
_ENDLESS = const(0)
_FIVE_SECONDS = const(50)


async def set_up(engine):
    """Bring a `Grow` from whatever state to that in which it serves. Returns its version; raises EngineLost."""
    await _find(engine)
    changed = False
    for at in range(0, len(_SETTINGS), 3):
        changed = await _set(engine, _SETTINGS[at], _SETTINGS[at + 1], _SETTINGS[at + 2]) or changed
        if at == 0:
            await engine.ask(WRITE, _TRIGGER, b"\x00")
    changed = await _set(engine, _READ_TIME, 0xFF, _ENDLESS if engine.auto else _FIVE_SECONDS) or changed
    if changed and engine.saves < _SAVES:
        engine.saves += 1
        await engine.ask(SAVE, 0, b"\x00")
    if engine.baud != FAST and engine.fast_failures < _FAST_FAILURES:
        await _speed_up(engine)
    model = await engine.ask(READ, _MODEL)
    software = await engine.ask(READ, _SOFTWARE)
    if not model or not software:
        return "grow"
    return "grow model %d software %d.%02d" % (model[0], software[0] // 100, software[0] % 100)


async def _find(engine):
    for baud in (engine.baud, FAST if engine.baud == SLOW else SLOW):
        engine.set_baud(baud)
        engine.count = 0
        try:
            await engine.ask(READ, _OUTPUT, attempts=_PROBES)
        except EngineLost:
            continue
        engine.baud = baud
        return
    raise EngineLost("no answer at 9600 or 115200 baud")


async def _set(engine, address, mask, value):
    # Whether the register had to be changed. One that the engine doesn't know is left alone, save the mode.
    now = await engine.ask(READ, address)
    if now and now[0] & mask == value:
        return False
    wanted = (now[0] & ~mask & 0xFF) | value if now else value
    done = await engine.ask(WRITE, address, bytes((wanted,)))
    if not done and address == _MODE:
        raise EngineLost("refused command mode")
    return bool(done)


async def _speed_up(engine):
    # Not saved to the engine's flash: after a power cut it is where every probe begins.
    if not await engine.ask(WRITE, _BAUD, _FAST_DIVISOR):
        return
    engine.set_baud(FAST)  # the acknowledgement still came at the old speed
    try:
        await engine.ask(READ, _OUTPUT)
    except EngineLost:
        engine.fast_failures += 1
        raise EngineLost("no answer after the change to 115200 baud")
    engine.baud = FAST
