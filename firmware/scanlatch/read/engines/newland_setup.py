# Sets up a Newland engine: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import NEVER, EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

_SAVES = const(3)  # set-ups in one boot that may write the engine's flash: one that forgets must not wear it out
_NAME = const(6)  # characters: tag and sub-tag; the rest is the value

# The mode stands first: from then on the engine reads only when told. Nothing here changes the serial line.
_NEEDED = ("SCNMOD0", "TSUENA1", "TSUSET0D")  # reads when told; data, then CR
_WANTED = const(
    (
        "AIDENA1",  # AIM identifier in front of the data; from one source only, see docs/wiring.md
        "GRBENA0",  # no beep at a read: the terminal's own tone must be the only one
        "128ENA1",
        "GS1ENA1",
        "DMCENA1",
        "QRCENA1",
        "E13ENA1",  # these two to be told that they are the wrong ones
        "EA8ENA1",
    )
)
_READ_TIME = const(("ORTSET5000", "ORTSET60000"))  # ms of one trigger: by button, and where it is kept armed


async def set_up(engine):
    """Bring a `newland.Driver` from whatever state to where it serves. Returns its version; raises EngineLost."""
    await setting_up.find(engine, engine.BEAT)
    await engine.ask(engine.OFF)
    kept = engine.saves < _SAVES
    changed = False
    for setting in _NEEDED + _WANTED + (_READ_TIME[engine.auto],):
        if await _ask(engine, "#", setting[:_NAME] + "*") == setting.encode():
            continue
        changed = True
        if not await _ask(engine, "@" if kept else "#", setting) and setting in _NEEDED:
            raise EngineLost("refused " + setting)
    engine.saves += changed and kept
    reply = await _ask(engine, "#", "QRYSYS")
    return setting_up.text("newland", reply[_NAME:])


async def _ask(engine, storage, text):
    await engine.until(engine.GAP_MS, NEVER)
    return await engine.ask(frame(storage, text))


def frame(storage, text):
    """Bytes of a command. storage: "@" permanent, "#" until the power goes; text: tag, sub-tag and value."""
    return b"\x7e\x010000" + storage.encode() + text.encode() + b";\x03"
