# What bringing up an engine takes, whatever its family. Loaded with the family's set-up.
from micropython import const
from scanlatch.read.engines.commanded import EngineLost

_PROBES = const(2)  # of a command at a speed that may be the wrong one
_TEXT_MOST = const(60)  # characters of a version, which goes into the terminal's status message


async def find(engine, command):
    """Set `engine` to the speed at which it replies to `command`: its last one first. Raises EngineLost."""
    tried = []
    for baud in (engine.baud, engine.first, 9600, 115200):
        if baud in tried:
            continue
        tried.append(baud)
        engine.set_baud(baud)
        engine.count = 0
        try:
            reply = await engine.ask(command, _PROBES)
        except EngineLost:
            continue
        engine.baud = baud
        return reply
    raise EngineLost("no answer at " + " or ".join(map(str, sorted(tried))) + " baud")


def text(name, reply):
    """What an engine says of its version, in one line of ASCII."""
    words = "".join(chr(byte) if 0x20 < byte < 0x7F else " " for byte in reply).split()
    return " ".join([name] + words)[:_TEXT_MOST]
