# The beep of an engine that has a command for one. Loaded where a board sounds it, once for each engine.

# By kind: the command, and whether the engine acknowledges it. No other family has one that is known.
COMMANDS = {
    "honeywell": (b"\x16\x07\r", False),
    "ssi": (b"\x05\xe6\x04\x00\x00\xff\x11", True),  # sound 00: what the others are is not known
}
