# MQTT packets off the stream, every length checked before anything is allocated for it.
from micropython import const

from scanlatch.send import packets
from scanlatch.send.causes import MqttError

PASSED_OVER = const(0)  # in place of a first byte: a PUBLISH above our limit was read and thrown away
_SKIP_LIMIT = const(65536)  # bytes of such a PUBLISH; above that the broker is not ours


class Incoming:
    """Reads what the broker sends. stream: asyncio's; heard: clock ms of the last byte."""

    def __init__(self, stream, clock):
        self.heard = clock.ms()
        self._stream = stream
        self._clock = clock
        self._two = memoryview(bytearray(2))

    async def packet(self):
        """The next packet as (first byte, what follows its fixed header), or (PASSED_OVER, packet id or 0).

        Raises MqttError "protocol" for what no broker may send, EOFError at the end of the stream.
        """
        first = (await self._fill(self._two))[0]
        kind = packets.check_first(first)
        length = await self._length()
        if length <= packets.PACKET_LIMIT:
            body = bytearray(length)
            await self._fill(memoryview(body))
            return first, body
        if kind != packets.PUBLISH or length > _SKIP_LIMIT:
            raise MqttError("protocol", "packet of %d bytes" % length)
        return PASSED_OVER, await self._pass_over(first, length)

    async def _length(self):
        """The rest of "remaining length" (2.2.3), whose first byte has come."""
        byte = self._two[1]
        length = byte & 0x7F
        for shift in (7, 14, 21):
            if byte < 0x80:
                return length
            byte = (await self._fill(self._two[:1]))[0]
            length |= (byte & 0x7F) << shift
        if byte >= 0x80:
            raise MqttError("protocol", "length of five bytes")
        return length

    async def _fill(self, view):
        at = 0
        while at < len(view):
            got = await self._stream.readinto(view[at:])
            if got == 0:
                raise EOFError("closed by the broker")
            if got:  # None: TLS needs more before it can give any
                at += got
                self.heard = self._clock.ms()
        return view

    async def _pass_over(self, first, length):
        """Returns the packet id: unacknowledged, the broker would send it at every connection for ever."""
        topic = packets.read_length(await self._fill(self._two))
        behind = length - 4 - topic
        if behind < 0:
            raise MqttError("protocol", "PUBLISH cut short")
        await self._discard(topic)
        packet_id = packets.read_id(await self._fill(self._two)) if first & 6 else 0
        await self._discard(behind if first & 6 else behind + 2)
        return packet_id

    async def _discard(self, count):
        piece = memoryview(bytearray(128))
        while count:
            part = piece[: min(count, len(piece))]
            await self._fill(part)
            count -= len(part)
