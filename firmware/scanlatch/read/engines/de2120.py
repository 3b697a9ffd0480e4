# DYScan DE2120: commands between ^_^ and a full stop, answered by one byte.
from scanlatch.read.engines.commanded import Commanded


class Driver(Commanded):
    """See `Commanded`. Frames are data and CR; there are no AIM identifiers, and nothing can be asked for."""

    ON = b"^_^SCAN."
    OFF = b"^_^SLEEP."
    baud = 115200

    async def beat(self):
        if not (self._wanted and self.auto):  # else it is armed now, and that is answered too
            await self.ask(self.ON if self._wanted else self.OFF)

    def take(self, byte):
        if self.due or self.count or byte not in b"\x06\x15":  # a late answer is no data
            super().take(byte)

    def as_reply(self, held):
        """ACK as it is; b"" where it is NAK."""
        if held == b"\x06":
            return held
        return b"" if held == b"\x15" else False
