# Zebra's engines, and GROW GM67, M5Stack ATOM QR and their kin: packets of the Simple Serial Interface, acknowledged.
from micropython import const

from scanlatch.read.engines.commanded import NEVER, Commanded, split

_ACK = const(0xD0)
_NAK = const(0xD1)
_LONG = const(0xF4)  # of the dialect: FF F4, length in 2 bytes, F4, and on as in a short one

_RESEND = const(b"\x01")  # cause of a NAK: the packet came damaged
_AGAIN = const(0x01)  # bits of the status: sent before
_MORE = const(0x02)  # and not the last of its symbol

_SEND_ACK = const(b"\x04\xd0\x04\x00\xff\x28")
_SEND_NAK = const(b"\x05\xd1\x04\x00\x01\xff\x25")
_NOISE_MOST = const(8)  # bytes in front of a packet
_ASLEEP_MS = const(900)  # without a byte for so long it may sleep, and then loses the first that comes
_WAKE_MS = const(50)

_TRIES_MS = const(4000)  # it sends a packet three times, 2 s apart: until then nothing is asked, and a symbol may go on
_MOST = const(1024)  # bytes of a symbol in several packets

# Types that say the same as an AIM identifier; the others don't tell GS1 from plain.
_TYPES = const(b"\x03\x0f\x0b\x0a\x08")
_IDENTIFIERS = const("]C0]C1]E0]E4]E0")


class Driver(Commanded):
    """See `Commanded`. A reply is the packet's data, of an ACK 06."""

    ON = b"\x04\xe4\x04\x00\xff\x14"  # START_SESSION
    OFF = b"\x04\xe5\x04\x00\xff\x13"
    BEAT = b"\x05\xc7\x04\x00\x8a\xfe\xa6"  # PARAM_REQUEST of the trigger mode
    IS = b"\x8a\x08"  # host
    ends = b""
    _part = b""  # type and data that came of a symbol in several packets
    _last = 0  # hash of the last packet with a symbol, which may come again

    async def ask(self, command, attempts=4):
        self._part = b""
        if self.quiet_ms() >= _ASLEEP_MS:
            self._uart.write(b"\x00")
            await self.until(_WAKE_MS, NEVER)
        return await super().ask(command, attempts)

    def take(self, byte):
        if not self.count and byte < 4:
            return  # no packet is as short
        self.put(byte)
        frame, count = self._frame, self.count
        if count < 2:
            return
        size = frame[0]
        if size == 0xFF and frame[1] == _LONG:
            size = frame[2] << 8 | frame[3] if count > 3 else count
        if count < size + 2:
            return
        frame = self.cut()
        if sum(frame[:-2]) + (frame[-2] << 8 | frame[-1]) & 0xFFFF:
            self.count = -1  # where a packet begins is known again after silence
            return
        self._whole = True
        if frame == self.asked:
            return  # our own: no engine is there, and TX touches RX
        if frame[1] == _LONG:
            frame = frame[3:]
        kind, data = frame[1], frame[4:-2]
        if kind not in b"\xd0\xd1":
            self._uart.write(_SEND_ACK)
        if kind in b"\xf3\xf4":
            self._symbol(data, frame[3])
        elif self.due and (kind != _NAK or data != _RESEND):
            self.replied(b"\x06" if kind == _ACK else b"" if kind == _NAK else data)

    def _symbol(self, data, status):
        mark = hash(data)
        if not data or (status & _AGAIN and mark == self._last):
            return
        self._last = mark
        self._beat_ms = self._clock.ms()
        part, self._part = self._part, b""
        if part:
            # Whether the type stands in each packet or in the first alone is not known; no data looks like one.
            data = part + (data[1:] if data[0] == part[0] else data)
        if len(data) > _MOST:
            data = b""
        elif status & _MORE:
            self._part = data
            self._beat_ms += _TRIES_MS
            return
        identifier, rest = split(data[1:])
        at = _TYPES.find(data[:1])
        if data and at >= 0 and not identifier:
            identifier = _IDENTIFIERS[3 * at : 3 * at + 3]
        self.framed(identifier, rest)

    def torn(self):
        rest = self.cut() if self.count > 0 else b""
        self._whole = False
        for at in range(1, min(len(rest), _NOISE_MOST)):  # what came first may be noise, and no length
            for byte in rest[at:]:
                self.take(byte)
            if self._whole:
                return
            self.count = 0
        self.count = 0
        if self.tell is not None:
            self.lost += 1
            self._last = 0
            self._uart.write(_SEND_NAK)  # it sends it again
