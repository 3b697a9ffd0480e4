# Sets up a DE2120 engine: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import NEVER, EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

# DEFALT would cut the serial line: nothing here may send that. Nothing can be asked for, so all are written each time.
_TEXT_MS = const(50)
_VERSION = b"^_^DSPYFW."
_MODE = b"^_^SCMMAN."  # reads when told
_SETTINGS = const(
    (
        b"^_^BEPSUC0.",  # no beep at a read: the terminal's own tone must be the only one
        b"^_^CIDENA0.",  # no letter of the symbology in front of the data
        b"^_^ODCENA.",  # all linear symbologies
        b"^_^AQRENA.",  # all others
    )
)


async def set_up(engine):
    """Bring a `de2120.Driver` from whatever state to where it serves. Returns its version; raises EngineLost."""
    await setting_up.find(engine, engine.OFF)
    if not await engine.ask(_MODE):
        raise EngineLost("refused manual mode")
    for setting in _SETTINGS:
        await engine.ask(setting)
    return setting_up.text("de2120", await _version(engine))


async def _version(engine):
    # Where its text stands is not documented: whatever comes with the ACK is taken for it.
    heard = bytearray()
    engine.put = heard.append
    try:
        await engine.ask(_VERSION)
        await engine.until(_TEXT_MS, NEVER)
    except EngineLost:
        pass
    finally:
        del engine.put
    return heard
