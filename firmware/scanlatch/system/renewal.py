# A terminal that is old starts again by itself where nobody needs it. Loaded for each look of one that is.
from micropython import const

from scanlatch.system.log import log

_QUIET_MS = const(600_000)  # without a scan; later nothing is cancelled, nor is an answer waited for
_ENGINE_QUIET_MS = const(100)
_WHY = const("uptime near 2 ** 30 ms, from where on each look at the clock takes heap")  # and so makes garbage


def look(terminal):
    """Restart `terminal` where that loses nothing: all is with the bridge, and nothing stands that only memory holds.

    A session, the ring, the time and the length of an outage are durable; see start.py.
    """
    session, journal, uplink = terminal.session, terminal.journal, terminal.uplink
    uptime = terminal.clock.ms()
    if (
        uplink.online
        and journal.freed == journal.newest
        and uplink.records.next() is None
        and session.opened is None
        and session.chosen is None
        and session.operator is None
        and not terminal.answers.attention
        and not terminal.outage[2]
        and terminal.scanner.fault is None
        and uptime - session.used_ms >= _QUIET_MS
        and terminal.engine.quiet_ms() >= _ENGINE_QUIET_MS
    ):
        log("restart", uptime=uptime, cause=_WHY)
        terminal.restart()
