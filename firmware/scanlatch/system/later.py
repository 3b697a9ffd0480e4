# What waits until a command's reply has left and nobody scans: a restart, or a new link. It stays until then, so alone.
from micropython import const

from scanlatch.send.mqtt import MqttError

_ACKNOWLEDGED_MS = const(5_000)  # the reply is waited for so long
_QUIET_MS = const(3_000)  # without a scan
_ENGINE_QUIET_MS = const(100)  # it may answer what its driver asks now and then
_BUSY_MS = const(600_000)  # where nobody ever pauses, it is done all the same
_FREE = const(-1)  # see mqtt.py


class Later:
    """The uplink calls `look`, while the link stands. restart: whether the terminal is to start anew, or its link."""

    def __init__(self, terminal, restart):
        self._terminal = terminal
        self._restart = restart
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
        if self._restart:
            terminal.restart()
        else:
            client.fail(MqttError("network", "a new certificate is tried"))

    def _is_quiet(self):
        # All that is kept has left, no answer is waited for, and no light stands that only memory holds.
        terminal = self._terminal
        return (
            terminal.clock.ms() - terminal.session.used_ms >= _QUIET_MS
            and terminal.engine.quiet_ms() >= _ENGINE_QUIET_MS
            and terminal.uplink.records.next() is None
            and not terminal.answers.attention
        )
