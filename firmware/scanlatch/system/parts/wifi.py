# The way to the network through the air.
import asyncio

from micropython import const

from scanlatch.system.board import until

_PAUSE_MS = const(1_000)


class Link:
    """join: name and password of the network; empty for the one that the chip remembers."""

    def __init__(self, station, join):
        self._join = join
        self._station = station
        self.connected = station.isconnected
        self._failed = False

    def rssi(self):
        """dBm, or None while not connected."""
        try:
            return self._station.status("rssi") if self.connected() else None
        except (OSError, ValueError):  # not every build knows it
            return None

    async def up(self, deadline_ms):
        """Connect. Returns whether it stands within `deadline_ms`."""
        if not self.connected():
            self._station.active(True)
            try:
                if self._failed:  # after an outage of the access point the chip may try for ever in vain
                    self._station.disconnect()
                    await asyncio.sleep_ms(_PAUSE_MS)
                self._station.connect(*self._join)
            except OSError:  # "already connecting": go on waiting for that
                pass
        self._failed = not await until(self.connected, deadline_ms)
        return not self._failed
