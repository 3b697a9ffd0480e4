# Sets up a DE2120 engine: finds its speed and configures it. Loaded where an engine is to be brought up.
import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

# DEFALT would cut the serial line: nothing here may send that. Nothing can be asked for, so all are written each time.
_PROBE = b"^_^DSPYFW."
_MODE = b"^_^SCMMAN."  # reads when told
_SETTINGS = (
    b"^_^BEPSUC0.",  # no beep at a read: the terminal's own tone must be the only one
    b"^_^CIDENA0.",  # no letter of the symbology in front of the data
    b"^_^ODCENA.",  # all linear symbologies
    b"^_^AQRENA.",  # all others
)


async def set_up(engine):
    """Bring a `de2120.Driver` from whatever state to where it serves. Returns its version; raises EngineLost."""
    await setting_up.find(engine, _PROBE)
    await engine.ask(engine.OFF)
    if not await engine.ask(_MODE):
        raise EngineLost("refused manual mode")
    for setting in _SETTINGS:
        await engine.ask(setting)
    return "de2120"
