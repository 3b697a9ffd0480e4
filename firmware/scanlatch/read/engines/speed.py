# Finds the speed at which an engine answers. Loaded where an engine is to be brought up.
from scanlatch.read.engines.commanded import EngineLost

_PROBES = 2  # of a command at a speed that may be the wrong one


async def find(engine, command):
    """Set `engine` to the speed at which it replies to `command`: its last one first. Raises EngineLost."""
    for baud in (engine.baud, 115200 if engine.baud == 9600 else 9600):
        engine.set_baud(baud)
        engine.count = 0
        try:
            reply = await engine.ask(command, _PROBES)
        except EngineLost:
            continue
        engine.baud = baud
        return reply
    raise EngineLost("no answer at 9600 or 115200 baud")
