# The MQTT 3.1.1 client: one link to the broker, QoS 0 and 1, several publishes in flight.
import asyncio
import errno
import gc

from micropython import const

from scanlatch.send import packets
from scanlatch.send.address import Address
from scanlatch.send.causes import FAILURES, MqttError, told
from scanlatch.send.incoming import PASSED_OVER, Incoming
from scanlatch.send.outgoing import Outgoing

_IN_FLIGHT_LIMIT = const(16)  # WIRE "Delivery"
_GOODBYE_MS = const(2000)


class Client:
    """One terminal's link to its broker, with a session that the broker keeps.

    tls: `ssl.SSLContext` that requires a certificate, or None; keepalive: s; will: (topic, payload, qos,
    retain) or None, may be changed between connections; before_blocking: called around what blocks the loop;
    on_message(topic, payload): function or coroutine function. PUBACK goes out when it has returned; its
    exception ends the link and comes out of `run` as it is; it is cancelled where the link dies meanwhile.
    """

    def __init__(
        self,
        client_id,
        host,
        port,
        clock,
        tls=None,
        server_hostname=None,
        keepalive=30,
        will=None,
        on_message=None,
        before_blocking=None,
        connect_timeout_ms=10_000,
    ):
        self.will = will
        self.passed_over = 0  # messages above the limit
        self._id = client_id
        self._clock = clock
        self._tls = tls
        self._name = server_hostname or host
        self._keepalive = keepalive
        self._on_message = on_message
        self._connect_timeout_ms = connect_timeout_ms
        self._address = Address(host, port, before_blocking)
        self._link = None  # asyncio stream
        self._shaking = False  # TLS handshake not done
        self._why = MqttError("network", "not connected")  # None while the link stands
        self._incoming = self._outgoing = None  # its two directions
        self._reader = self._keeper = None  # tasks
        self._ended = asyncio.Event()
        self._moved = asyncio.Event()  # a slot or the socket became free, an answer came, or the link ended
        self._in_flight = {}  # packet id -> on_ack
        self._last_id = 0
        self._asked = None  # SUBSCRIBE that waits for its answer: [packet id, topics, codes]

    @property
    def connected(self):
        return self._why is None

    async def connect(self):
        """Connect, TLS handshake and CONNACK inside the deadline. Returns whether our session was kept.

        Raises MqttError; the socket is closed then, and where this is cancelled.
        """
        await self.close()
        gc.collect()  # a handshake needs room
        failure = None
        kept = None
        try:
            kept = await asyncio.wait_for_ms(self._open(), self._connect_timeout_ms)
        except FAILURES as error:
            failure = told(error, self._shaking)
        finally:
            self._address.good = kept is not None
            if kept is None:
                self._drop()
        if failure:
            raise failure
        self._why = None
        self._ended.clear()
        self._outgoing = Outgoing(self._link, self._clock, self._moved, lambda error: self._fail(told(error)))
        self._reader = asyncio.create_task(self._read())
        self._keeper = asyncio.create_task(self._keep_alive())
        return kept

    async def subscribe(self, topics):
        """Subscribe to [(topic, qos)], at most QoS 1. Raises MqttError, "refused" where one is."""
        await self._until(lambda: self._asked is None)
        await self._clear(0)
        asked = self._asked = [self._next_id(), topics, None]
        self._outgoing.write(packets.subscribe(topics, asked[0]))
        try:
            await asyncio.wait_for_ms(self._until(lambda: asked[2] is not None), self._connect_timeout_ms)
        except asyncio.TimeoutError:
            self._fail(MqttError("protocol", "no SUBACK in time"))
        if asked[2] is None:
            self._refuse_dead()
        for i in range(len(topics)):
            if asked[2][i] == 128:
                raise MqttError("refused", "subscription to " + topics[i][0])

    async def publish(self, topic, payload, qos, retain=False, on_ack=None):
        """Returns once written, having waited for one of 16 places in flight. on_ack() is called at PUBACK.

        Raises MqttError when the link dies: what was not acknowledged is the caller's to publish again.
        """
        await self._clear(qos)
        packet_id = self._next_id() if qos else 0
        packet = packets.publish(topic, payload, qos, retain, packet_id)
        if qos:
            self._in_flight[packet_id] = on_ack
        self._outgoing.write(packet)
        await self._flushed()

    async def run(self):
        """Wait until the link dies, and raise why: MqttError, or what a handler raised."""
        try:
            await self._ended.wait()
        finally:
            await self.close()
        raise self._why

    async def disconnect(self):
        """Take leave of the broker, so that it does not send the Will, then close."""
        try:
            await asyncio.wait_for_ms(self._say_goodbye(), _GOODBYE_MS)
        except (MqttError, asyncio.TimeoutError):
            pass  # a dead link can't be told
        finally:
            await self.close()

    async def close(self):
        """Close the socket at once. Whoever waits in this client gets MqttError."""
        self._fail(MqttError("network", "closed here"))

    # Opening and ending

    async def _open(self):
        # A broker that refuses our certificate closes; now and then all that is seen of it is a reset, as of a
        # broken line. Told apart by trying again.
        for left in (2, 1, 0):
            try:
                kept = await self._open_once()
                break
            except OSError as error:
                if not (left and self._shaking and error.errno == errno.ECONNRESET):
                    raise
            self._drop()
        return kept

    async def _open_once(self):
        plain = self._address.dial()
        self._link = asyncio.StreamReader(plain)
        if self._tls:
            self._shaking = True
            secure = self._tls.wrap_socket(plain, server_hostname=self._name, do_handshake_on_connect=False)
            secure.setblocking(False)
            self._link = asyncio.StreamReader(secure)
        # drain() waits until the socket can be written to, when TCP stands; TLS then shakes hands in it.
        self._link.out_buf = packets.connect(self._id, self._keepalive, self.will)
        await self._link.drain()
        self._shaking = False
        self._incoming = Incoming(self._link, self._clock)
        first, body = await self._incoming.packet()
        if first >> 4 != packets.CONNACK:
            raise MqttError("protocol", "no CONNACK but 0x%02x" % first)
        return packets.read_connack(body)

    def _fail(self, error):
        """End the link, once; the first error is the one that is told."""
        if self._why is None:
            self._why = error
            self._drop()
            self._ended.set()

    def _drop(self):
        # Tasks first: a socket must not be closed while asyncio polls it.
        here = asyncio.current_task()
        for task in (self._reader, self._keeper, self._outgoing and self._outgoing.busy):
            if task and task is not here:
                task.cancel()
        self._reader = self._keeper = self._outgoing = None
        link, self._link = self._link, None
        if link is not None:
            link.s.close()
        self._shaking = False
        self._asked = None
        self._in_flight.clear()
        self._moved.set()

    def _refuse_dead(self):
        why = self._why
        if isinstance(why, MqttError):
            raise MqttError(why.cause, why.detail)
        if why is not None:
            raise MqttError("network", "ended by a handler")

    # Receiving

    async def _read(self):
        try:
            while self._why is None:
                first, body = await self._packet()
                await self._take(first, body)
        except Exception as error:  # handlers may raise anything; `run` raises it again
            self._fail(error)

    async def _packet(self):
        try:
            return await self._incoming.packet()
        except FAILURES as error:
            failure = told(error)
        raise failure

    async def _take(self, first, body):
        kind = first >> 4
        if first == PASSED_OVER:
            self.passed_over += 1
            await self._acknowledge(body)
        elif kind == packets.PUBLISH:
            topic, packet_id, payload = packets.read_publish(first, body)
            if self._on_message:
                answer = self._on_message(topic, payload)
                if hasattr(answer, "send"):  # a coroutine
                    await answer
            await self._acknowledge(packet_id)
        elif kind == packets.PUBACK:
            on_ack = self._in_flight.pop(packets.read_id(body), None)
            self._moved.set()
            if on_ack:
                on_ack()
        elif kind == packets.SUBACK and self._asked:
            self._asked[2] = packets.read_suback(body, self._asked[0], len(self._asked[1]))
            self._asked = None
            self._moved.set()
        elif kind != packets.PINGRESP or len(body):
            raise MqttError("protocol", "unexpected packet of type %d" % kind)

    async def _acknowledge(self, packet_id):
        if packet_id and self._why is None:  # a handler may have closed the link
            await self._clear(0)
            self._outgoing.write(packets.puback(packet_id))

    # Sending

    async def _flushed(self):
        busy = self._outgoing and self._outgoing.busy
        if not busy:
            await asyncio.sleep_ms(0)  # who publishes in a row lets the others run
        else:
            await self._until(lambda: self._outgoing.busy is not busy)
        self._refuse_dead()

    async def _clear(self, qos):
        """Wait until a packet may be written now. Raises MqttError where the link is dead."""
        await self._until(lambda: self._outgoing.busy is None and (not qos or len(self._in_flight) < _IN_FLIGHT_LIMIT))
        self._refuse_dead()

    async def _until(self, true):
        while self._why is None and not true():
            self._moved.clear()
            await self._moved.wait()

    async def _say_goodbye(self):
        await self._clear(0)
        self._outgoing.write(packets.DISCONNECT_PACKET)
        await self._flushed()

    async def _keep_alive(self):
        """PINGREQ after half the keepalive without a byte from the broker, the end after all of it."""
        full = self._keepalive * 1000
        asked = None  # when the broker had last been heard as PINGREQ went out
        while True:
            heard = self._incoming.heard
            # The broker wants to hear us within the keepalive too (3.1.2.10).
            due = heard + full if asked == heard else min(heard, self._outgoing.spoke) + full // 2
            left = due - self._clock.ms()
            if left > 0:
                await asyncio.sleep_ms(left)
            elif asked == heard:
                self._fail(MqttError("network", "nothing heard for %d s" % self._keepalive))
                return
            else:
                asked = heard
                if self._outgoing.busy is None:  # else there is something on its way already
                    self._outgoing.write(packets.PINGREQ_PACKET)

    def _next_id(self):
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._in_flight and (not self._asked or self._asked[0] != self._last_id):
                return self._last_id
