# Sets up a Honeywell engine: finds its speed and configures it. Loaded where an engine is to be brought up.
from micropython import const

import scanlatch
from scanlatch.read.engines import setting_up
from scanlatch.read.engines.commanded import EngineLost

scanlatch.forget(setting_up)  # it is to go with this module

_SAVES = const(3)  # set-ups in one boot that may write the engine's flash: one that forgets must not wear it out
_NAME = const(6)  # characters: tag and sub-tag; the rest is the value

# The mode stands first: from then on the engine reads only when told. Nothing here changes the serial line.
_NEEDED = ("TRGMOD0", "SUFBK2990D")  # reads when told; CR after every symbology, for engines that know no header
_HEADERS = "DECHDR1"
_WANTED = const(
    (
        "BEPLVL0",  # no beep: the terminal's own tone must be the only one
        "SHWNRD0",  # no message where nothing was read
        "128ENA1",
        "GS1ENA1",
        "IDMENA1",
        "QRCENA1",
        "E13ENA1",  # these three to be told that they are the wrong ones
        "EA8ENA1",
        "UPBENA1",
    )
)
_READ_TIME = const(("TRGSTO5000", "TRGSTO30000"))  # ms of one trigger: by button, and where it is kept armed


async def set_up(engine):
    """Bring a `honeywell.Driver` from whatever state to where it serves. Returns its version; raises EngineLost."""
    engine.ends = b"\r"
    await setting_up.find(engine, engine.BEAT)
    await engine.arm(False)
    kept = engine.saves < _SAVES
    changed = headed = False
    for setting in _NEEDED + (_HEADERS,) + _WANTED + (_READ_TIME[engine.auto],):
        name = setting[:_NAME]
        done = (await engine.ask(command(name + "?!"))).endswith(setting.encode())
        if not done:
            changed = True
            done = await engine.ask(command(setting + ("." if kept else "!")))
        if not done and setting in _NEEDED:
            raise EngineLost("refused " + setting)
        if setting == _HEADERS and done:
            headed = True
    engine.saves += changed and kept
    reply = await engine.ask(command("REVINF."))
    if headed:
        engine.ends = b""
    return setting_up.text("honeywell", reply[reply.find(b"REVINF") + 1 and _NAME :])


def command(text):
    """Bytes of a menu command. text: tag, sub-tag, value, and "." permanent or "!" until the power goes."""
    return b"\x16M\r" + text.encode()
