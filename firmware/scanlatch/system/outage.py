# A long outage: amber light first, then perhaps no sale, by the site's policy. Loaded for each look.
from micropython import const

from scanlatch.prove import cbor
from scanlatch.system.clock import NEVER_SET

_STORED = const("outage_lasts")  # longer than a name: a module without constant objects may keep its neighbour alive
_WARN_H = const(24)  # without a word of the bridge
_HOUR_MS = const(3_600_000)
_DAY_MS = const(86_400_000)
_LOOK_MS = const(600_000)


def look(terminal):
    """See how long nothing was heard of the bridge, and have light and scanner know.

    terminal.outage is [uptime at which to look again, uptime at which the outage began (not above 0: before this boot;
    None: not looked yet), whether it is told]. Raises MemoryError, OSError.
    """
    answers, state, settings = terminal.answers, terminal.outage, terminal.settings
    now = terminal.clock.ms()
    nvs = terminal.nvs
    stored = nvs.get_int(_STORED) or 0
    if answers.heard:
        state[1], answers.heard = answers.heard, 0
        if stored:
            nvs.set_int(_STORED, 0)
            stored = 0
    elif state[1] is None:
        state[1] = -stored
    if state[1] <= 0:
        state[1] = min(state[1], _unsent_since(terminal, now))
    lasts = now - state[1]
    warn = settings.get("warn_hours", _WARN_H) * _HOUR_MS
    lock = settings.get("lock_days", 0) * _DAY_MS
    state[2] = lasts >= warn or 0 < lock <= lasts
    terminal.indicator.hold("outage", state[2])
    terminal.scanner.locked = 0 < lock <= lasts
    state[0] = now + _LOOK_MS
    if lasts >= stored + _HOUR_MS or stored < lock <= lasts:  # last: where it can't be stored all else is done
        nvs.set_int(_STORED, lasts)


def _unsent_since(terminal, now):
    # Uptime, below 0, at which the oldest record was kept that the bridge does not have; 0 where no clock can tell.
    journal = terminal.journal
    utc, quality = terminal.clock.now()
    message = journal.read(journal.freed + 1) if quality != NEVER_SET else None
    if message is None:
        return 0
    scan = cbor.loads(cbor.loads(message).value[2])  # pyright: ignore
    return min(0, now - utc + scan[4]) if scan[5] != NEVER_SET else 0  # pyright: ignore
