# Sets up an engine of the SSI dialect: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import ssi_setup
from scanlatch.read.engines.commanded import EngineLost

scanlatch.forget(ssi_setup)  # it is to go with this module
setting_up = ssi_setup.setting_up  # which it has forgotten

_SAVES = const(3)  # set-ups in one boot that may write the engine's flash: one that forgets must not wear it out
_SEND = const(0xC6)
_REQUEST = const(0xC7)
_SILENT = b"\x00"  # in the beep's place
_ACKNOWLEDGED = b"\x06"
_PERMANENT = const(0x08)

_MODES = (b"\x8a\x08", b"\x8a\x07")  # reads when told: of most, and of Nadamoo's
_SETTINGS = (
    b"\xee\x01",  # symbols in packets, with their type
    b"\xeb\x00",  # data as it is
    b"\x38\x00",  # no beep at a read
)
_READ_TIME = (b"\x88\x32", b"\x88\x58")  # as in `ssi_setup`


async def set_up(engine):
    """Bring an `ssi_lite.Driver` from whatever state to where it serves. Returns its version; raises EngineLost."""
    await setting_up.find(engine, engine.OFF)
    status = _PERMANENT if engine.saves < _SAVES else 0
    engine.BEAT = ssi_setup.packet(_REQUEST, 0, _MODES[0][:1])
    changed = mode = False
    for setting in _MODES + _SETTINGS + (_READ_TIME[engine.auto],):
        if mode and setting in _MODES:
            continue
        done = await _is(engine, setting)
        if not done:
            done = await engine.ask(ssi_setup.packet(_SEND, status, _SILENT + setting))
            changed = True
        if done and setting in _MODES:
            mode = True
            engine.IS = setting if engine.BEAT != engine.OFF else _ACKNOWLEDGED
    if not mode:
        raise EngineLost("refused host mode")
    engine.saves += changed and status != 0
    return "ssi_lite"


async def _is(engine, setting):
    # Whether the parameter has this value. Whether such engines can be asked is not known of all: then it is written.
    if engine.BEAT == engine.OFF:
        return False
    try:
        reply = await engine.ask(ssi_setup.packet(_REQUEST, 0, setting[:-1]), 1)
    except EngineLost:
        reply = b""
    if not reply and setting in _MODES:
        engine.BEAT = engine.OFF  # it is armed anew behind each
    return reply[1:] == setting
