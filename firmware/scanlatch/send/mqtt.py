# The MQTT 3.1.1 link while it stands: QoS 0 and 1, several publishes in flight.
# Sections are those of the OASIS Standard of 29 October 2014.
import asyncio

from micropython import const

_CONNACK = const(0x20)  # first bytes (2.2)
_PUBLISH = const(0x30)
_PUBACK = const(0x40)
_PINGRESP = const(0xD0)
_PINGREQ = const(b"\xc0\x00")

_IN_FLIGHT_LIMIT = const(16)  # WIRE "Delivery"
_FREE = const(-1)
_PAYLOAD_LIMIT = const(4096)  # WIRE: every message is at most that long
_TOPIC_LIMIT = const(128)  # ours have at most 86 bytes: "scanlatch/v1/", two names of 32, a kind
_ANSWER_LIMIT = const(32)  # bytes of what is no PUBLISH: SUBACK is the longest, one a topic
_SKIP_LIMIT = const(65536)  # bytes of a PUBLISH that is passed over; above that the broker is not ours
_SKIP_PIECE = const(128)
_POLL_MS = const(10)  # how often the socket is looked at: a task that waits for it costs more heap than that does time
_STUCK_MS = const(60_000)  # see `until_ms`


class MqttError(Exception):
    """The link can't be had or has ended.

    cause: "network", "name" (of the broker not found), "refused" (by the broker), "certificate" (theirs or
    ours), "protocol" (what came is not MQTT 3.1.1) or "files" (of this program one can't be read); detail: what a
    technician may want to know of it.
    """

    def __init__(self, cause, detail):
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


# All that ends a link without being a fault of ours.
FAILURES = (MqttError, OSError, ValueError, EOFError, MemoryError, ImportError, asyncio.TimeoutError)


class Client:
    """One link to the broker, from the moment its socket can be written to; opening.py makes it.

    keepalive: s; on_message(topic, payload): PUBACK goes out when it has returned; on_ack(mark): the broker has
    what was published with that mark. What either raises ends the link.
    """

    def __init__(self, sock, clock, keepalive, on_message, on_ack):
        self.why = None  # it ended: one of FAILURES, or what a handler raised
        self.out = b""  # what the socket did not take at once
        self.answer = b""  # first byte of an answer that is waited for, then what followed it
        self.until_ms = clock.ms() + _STUCK_MS  # who publishes moves it on; the end of a broker that takes nothing
        self._socket = sock
        self._clock = clock
        self._keepalive_ms = keepalive * 1000
        self._on_message = on_message
        self._on_ack = on_ack
        self._first = bytearray(1)
        self._heard = self._spoke = clock.ms()
        self._pinged = None  # when the broker had last been heard as PINGREQ went out
        self._in_flight = [_FREE] * _IN_FLIGHT_LIMIT  # at packet id - 1: the mark

    async def publish(self, topic, payload, qos, retain=False, mark=0):
        """Returns once written, having waited for one of 16 places in flight.

        mark: int for `on_ack`, which is not called for 0. Raises why the link ended: what was not acknowledged is
        the caller's to publish again; ValueError above 4,096 bytes.
        """
        if len(payload) > _PAYLOAD_LIMIT:
            raise ValueError(len(payload))
        await self.clear(qos)
        head = field(topic.encode())
        at = 0
        if qos:
            at = self._in_flight.index(_FREE)
            head += bytes((0, at + 1))
        whole = packet(_PUBLISH | qos << 1 | retain, head, payload)
        if qos:
            self._in_flight[at] = mark
        self.write(whole)
        await asyncio.sleep_ms(0)  # who publishes in a row lets the others run
        await self.clear(0)

    async def clear(self, places):
        """Wait until the socket takes a packet and, where `places`, one more may be in flight. Raises why it ended."""
        while self.why is None:
            if not self.out and not (places and _FREE not in self._in_flight):
                return
            self._idle()
            await asyncio.sleep_ms(_POLL_MS)
        raise self.why

    def write(self, whole):
        """One write a packet, never half of one: a publisher may be cancelled, its packet still goes out whole."""
        self.out = whole
        self._spoke = self._clock.ms()
        self.flush()

    def flush(self):
        """Give the socket what it did not take before."""
        try:
            sent = self._socket.write(self.out)
            if sent:
                self.out = self.out[sent:]
        except Exception as error:  # whatever it is, `why` tells it
            self.fail(error)

    def fail(self, error):
        """End the link, once; the first error is the one that is told."""
        if self.why is None:
            self.why = error
            try:
                self._socket.close()
            except OSError:  # lwIP may be out of memory for that, too
                pass

    async def run(self):
        """Receive, and see to it that the link lives, until it doesn't."""
        try:
            while self.why is None:
                count = self._socket.readinto(self._first)
                if count:
                    await self._take(self._first[0])
                elif count is None:
                    self._idle()
                else:
                    raise EOFError
                await asyncio.sleep_ms(0 if count else _POLL_MS)
        except Exception as error:  # handlers may raise anything
            self.fail(error)

    def _idle(self):
        # PINGREQ after half the keepalive without a byte from the broker, the end after all of it.
        if self.out:
            self.flush()
        now, heard, full = self._clock.ms(), self._heard, self._keepalive_ms
        if now >= self.until_ms:
            self.fail(MqttError("network", "takes nothing"))
        elif self._pinged == heard:
            if now - heard >= full:
                self.fail(MqttError("network", "nothing heard"))
        elif now - min(heard, self._spoke) >= full // 2:  # it wants to hear us within the keepalive too (3.1.2.10)
            self._pinged = heard
            if not self.out:  # else there is something on its way already
                self.write(_PINGREQ)

    async def _get(self, size, keep=True):
        # The next `size` bytes, which the caller has checked that we have room for; b"" where they are passed over.
        data = b""
        while size:
            piece = self._socket.read(size if keep else min(size, _SKIP_PIECE))
            if piece:
                self._heard = self._clock.ms()
                size -= len(piece)
                if keep:
                    data += piece
            elif piece is None:
                self._idle()
                await asyncio.sleep_ms(_POLL_MS)
                if self.why:
                    raise self.why
            else:
                raise EOFError
        return data

    async def _take(self, first):
        # A packet whose first byte has come. Every length is checked before that much is asked for.
        self._heard = self._clock.ms()
        length = shift = 0
        byte = 128
        while byte > 127 and shift < 28:
            byte = (await self._get(1))[0]
            length |= (byte & 127) << shift
            shift += 7
        limit = _ANSWER_LIMIT
        right = first == _CONNACK or self.answer != _CONNACK
        if first & 0xF0 == _PUBLISH:
            limit = _SKIP_LIMIT
            right = right and first & 6 < 4 and first & 10 != 8  # at most QoS 1, and repeated only with it (3.3.1)
        if not right or byte > 127 or length > limit:
            raise MqttError("protocol", first)
        if limit == _SKIP_LIMIT:
            await self._take_message(first & 6, length)
            return
        body = await self._get(length)
        if first == self.answer:
            self.answer = body
        elif first == _PUBACK:
            at = _id(body) - 1
            if at < _IN_FLIGHT_LIMIT:
                mark, self._in_flight[at] = self._in_flight[at], _FREE
                if mark > 0:
                    self._on_ack(mark)
        elif first != _PINGRESP or body:
            raise MqttError("protocol", first)

    async def _take_message(self, qos, length):
        if length < 2:
            raise MqttError("protocol", length)
        size = int.from_bytes(await self._get(2), "big")
        length -= size + (4 if qos else 2)
        if length < 0:
            raise MqttError("protocol", length)
        keep = size <= _TOPIC_LIMIT and length <= _PAYLOAD_LIMIT
        topic = await self._get(size, keep)
        # Passed over, it has its packet id too: unacknowledged, the broker would send it at every connection for ever.
        packet_id = await self._get(2) if qos else b""
        if qos:
            _id(packet_id)
        payload = await self._get(length, keep)
        if keep:
            try:
                topic = str(topic, "utf-8")
            except UnicodeError:
                topic = ""
            if not topic or "\0" in topic or "+" in topic or "#" in topic:  # 3.3.2.1
                raise MqttError("protocol", "topic")
            self._on_message(topic, payload)
        if qos:
            await self.clear(0)
            self.write(b"\x40\x02" + packet_id)  # PUBACK (3.4)


def packet(first, head, payload=b""):
    """A packet in one buffer: its fixed header (2.2), then `head` and `payload`."""
    length = len(head) + len(payload)
    fixed = bytes((first,))
    while length > 127:
        fixed += bytes((length & 127 | 128,))
        length >>= 7
    return fixed + bytes((length,)) + head + payload


def field(data):
    """`data` with its length before it (1.5.3)."""
    return len(data).to_bytes(2, "big") + data


def _id(body):
    """A packet id (2.3.1), all that is in `body`."""
    number = int.from_bytes(body, "big")
    if len(body) != 2 or not number:
        raise MqttError("protocol", "packet id")
    return number
