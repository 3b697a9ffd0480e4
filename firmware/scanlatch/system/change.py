# Commands that change this terminal: `restart`, and `settings` that cannot lock it out. Loaded for each.
from micropython import const

from scanlatch import forget, load
from scanlatch.keep import files, store

_ACKNOWLEDGED_MS = const(5_000)  # the reply is waited for so long
_QUIET_MS = const(3_000)  # without a scan
_ENGINE_QUIET_MS = const(100)  # it may answer what its driver asks now and then
_BUSY_MS = const(600_000)  # where nobody ever pauses, it is done all the same
_FREE = const(-1)  # see mqtt.py
# Whatever value of its range one of these has, the bridge still reaches this terminal and can set it back.
_OVER_THE_AIR = ("operation", "rescan_ms", "mode_back_s", "badge_s", "warn_hours", "lock_days")


def carry_out(name, arguments, terminal):
    """`settings` {}: tells the certificate in use; {certificate}: a new one; else values, and a restart."""
    try:
        if name == "restart":
            Later(terminal, terminal.restart)
            return "ok", {}
        if not arguments:
            return "ok", {"certificate": files.read_file("device.der") or b"", "waiting": terminal.waiting}
        if "certificate" in arguments:
            return load("system.certificate").take(terminal, arguments["certificate"]), {}
        result = _set(arguments)
        if result == "ok":
            Later(terminal, terminal.restart)
        return result, {}
    finally:
        forget(files)
        forget(store)


def _set(values):
    settings = load("system.settings")
    found = settings.load()
    for key in values:
        if key not in _OVER_THE_AIR:
            return "not over the air: " + key[:32]
    found.update(values)
    try:
        settings.save(found)
    except settings.SettingsError as error:
        return str(error.key)[:32] + " " + error.advice[:128]
    return "ok"


class Later:
    """Does `act()` once the reply has left and nobody scans. The uplink calls it, while the link stands."""

    def __init__(self, terminal, act):
        self._terminal = terminal
        self._act = act
        self._since = terminal.clock.ms()
        terminal.after = self.look

    def look(self, client):
        terminal = self._terminal
        waited = terminal.clock.ms() - self._since
        if waited < _ACKNOWLEDGED_MS and client._in_flight.count(_FREE) < len(client._in_flight):
            return
        if waited < _BUSY_MS and not self._is_quiet():
            return
        terminal.after = None
        self._act()

    def _is_quiet(self):
        # All that is kept has left, no answer is waited for, and no light stands that only memory holds.
        terminal = self._terminal
        return (
            terminal.clock.ms() - terminal.session.used_ms >= _QUIET_MS
            and terminal.engine.quiet_ms() >= _ENGINE_QUIET_MS
            and terminal.uplink.records.next() is None
            and not terminal.answers.attention
        )
