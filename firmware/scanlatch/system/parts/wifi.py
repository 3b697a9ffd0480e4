# The way to the network through the air.
from scanlatch.system.board import radio_on, until


class Link:
    """config: the board's `network` table; ssid and password of the network to join."""

    def __init__(self, _config, ssid, password):
        self._ssid = ssid
        self._password = password
        self._station = radio_on()
        self.connected = self._station.isconnected

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
                self._station.connect(self._ssid, self._password)
            except OSError:  # "already connecting": go on waiting for that
                pass
        return await until(self.connected, deadline_ms)
