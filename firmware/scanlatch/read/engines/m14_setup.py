# Sets up an M14 engine: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const
import scanlatch
from scanlatch.read.engines import setting_up

scanlatch.forget(setting_up)  # it is to go with this module

# 32 76 01, its return to factory settings, cuts the serial line on some: nothing here may send that. Only the mode can
# be asked for, so the others are written each time.
_VERSION = b"\x43\x02\xc1"
_MODE = b"\x21\x61\x41\x00"  # reads when told, once
_SETTINGS = const(
    (
        b"\x21\x51\x43\x01",  # a symbol is 03, its length, its data
        b"\x21\x63\x42\x00",  # no beep at a read: the terminal's own tone must be the only one
        b"\x21\x61\x8a\x00\x00",  # reads until it has read, or is told to stop
    )
)


async def set_up(engine):
    """Bring an `m14.Driver` from whatever state to that in which it serves. Returns its version; raises EngineLost."""
    version = await setting_up.find(engine, _VERSION)
    await engine.ask(engine.OFF)
    engine.IS = _MODE[3:]
    if await engine.ask(engine.BEAT) != engine.IS:
        await engine.ask(_MODE)
    for setting in _SETTINGS:
        await engine.ask(setting)
    return setting_up.text("m14", version)
