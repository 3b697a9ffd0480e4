# The MQTT 3.1.1 client: one link to the broker, QoS 0 and 1, several publishes in flight.
import asyncio
import errno
import gc

from micropython import const

from scanlatch.send import packets
from scanlatch.send.link import FAILURES, MqttError, dial, find, told

_IN_FLIGHT_LIMIT = const(16)  # WIRE "Delivery"
_GOODBYE_MS = const(2000)


class Client:
    """One terminal's link to its broker, with a session that the broker keeps. It may be connected again and again.

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
        self.connected = False
        self.passed_over = 0  # messages above the limit
        self._id = client_id
        self._host = host
        self._port = port
        self._clock = clock
        self._tls = tls
        self._name = server_hostname or host
        self._keepalive = keepalive
        self._on_message = on_message
        self._feed = before_blocking
        self._timeout_ms = connect_timeout_ms
        self._found = None  # where the broker is
        self._good = False  # the last connection came about, so what was found is right
        self._link = None  # asyncio stream
        self._shaking = False  # TLS handshake not done
        self._why = MqttError("network", "not connected")  # while it isn't
        self._tasks = ()  # those that read and keep alive
        self._busy = None  # task that brings out what the socket did not take at once
        self._moved = asyncio.Event()  # something that `_clear` waits for may be so now
        self._in_flight = {}  # packet id -> on_ack
        self._last_id = 0
        self._asked = 0  # packet id of a SUBSCRIBE that waits for its answer
        self._answer = ()  # its codes; until then its topics

    async def connect(self):
        """Connect, TLS handshake and CONNACK inside the deadline. Returns whether our session was kept.

        Raises MqttError; the socket is closed then, and where this is cancelled.
        """
        await self.close()
        gc.collect()  # a handshake needs room
        failure = kept = None
        try:
            kept = await asyncio.wait_for_ms(self._open(), self._timeout_ms)
        except FAILURES as error:
            failure = told(error, self._shaking)
        finally:
            self._good = kept is not None
            if kept is None:
                self._drop()
        if failure:
            raise failure
        self.connected = True
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive()))
        return kept

    async def subscribe(self, topics):
        """Subscribe to [(topic, qos)], at most QoS 1; one call at a time. Raises MqttError, "refused" where one is."""
        await self._clear(_IN_FLIGHT_LIMIT)
        self._asked = self._next_id()
        self._answer = topics
        self._write(packets.subscribe(topics, self._asked))
        try:
            await asyncio.wait_for_ms(self._clear(_IN_FLIGHT_LIMIT), self._timeout_ms)
        except asyncio.TimeoutError:
            self._fail(MqttError("protocol", "no SUBACK in time"))
            await self._clear()
        for topic, code in zip(topics, self._answer):
            if code == 128:
                raise MqttError("refused", "subscription to " + topic[0])

    async def publish(self, topic, payload, qos, retain=False, on_ack=None):
        """Returns once written, having waited for one of 16 places in flight. on_ack() is called at PUBACK.

        Raises MqttError when the link dies: what was not acknowledged is the caller's to publish again.
        """
        await self._clear(_IN_FLIGHT_LIMIT if qos else 0)
        packet_id = self._next_id() if qos else 0
        packet = packets.publish(topic, payload, qos, retain, packet_id)
        if qos:
            self._in_flight[packet_id] = on_ack
        self._write(packet)
        await asyncio.sleep_ms(0)  # who publishes in a row lets the others run
        await self._clear()

    async def run(self):
        """Wait until the link dies, and raise why: MqttError, or what a handler raised."""
        try:
            while self.connected:
                self._moved.clear()
                await self._moved.wait()
        finally:
            await self.close()
        raise self._why

    async def disconnect(self):
        """Take leave of the broker, so that it does not send the Will, then close."""
        try:
            await asyncio.wait_for_ms(self._clear(), _GOODBYE_MS)
            self._write(packets.DISCONNECT)
            await asyncio.wait_for_ms(self._clear(), _GOODBYE_MS)
        except (MqttError, asyncio.TimeoutError):
            pass  # a dead link can't be told
        finally:
            await self.close()

    async def close(self):
        """Close the socket at once. Whoever waits in this client gets MqttError."""
        self._fail(MqttError("network", "closed here"))

    # Opening and ending

    async def _open(self):
        if not self._good:
            self._found = find(self._host, self._port, self._found, self._feed)
        # A broker that refuses our certificate closes; now and then all that is seen of it is a reset, as of a
        # broken line. Told apart by trying again.
        for left in (2, 1, 0):
            try:
                self._link = dial(self._found, self._tls, self._name)
                self._shaking = self._tls is not None
                # drain() waits until the socket can be written to, when TCP stands; TLS then shakes hands in it.
                self._link.out_buf = packets.connect(self._id, self._keepalive, self.will)  # pyright: ignore
                await self._link.drain()  # pyright: ignore
                break
            except OSError as error:
                if not (left and self._shaking and error.errno == errno.ECONNRESET):
                    raise
            self._drop()
        self._shaking = False
        self._spoke = self._clock.ms()
        first, _, _, body = await packets.read(self._get)
        if first != packets.CONNACK:
            raise MqttError("protocol", "no CONNACK but 0x%02x" % first)
        return packets.read_connack(body)

    def _fail(self, error):
        """End the link, once; the first error is the one that is told."""
        if self.connected:
            self.connected = False
            self._why = error
            self._drop()

    def _drop(self):
        # Tasks first: a socket must not be closed while asyncio polls it.
        here = asyncio.current_task()
        for task in self._tasks + (self._busy,):
            if task and task is not here:
                task.cancel()
        self._tasks = ()
        self._busy = None
        link, self._link = self._link, None
        if link is not None:
            link.s.close()  # pyright: ignore
        self._shaking = False
        self._asked = 0
        self._in_flight.clear()
        self._moved.set()

    # Receiving

    async def _read(self):
        try:
            while self.connected:
                await self._take()
        except Exception as error:  # handlers may raise anything; `run` raises it again
            self._fail(error)

    async def _get(self, size):
        """The next `size` bytes; the caller has checked that we have room for so many."""
        try:
            data = await self._link.readexactly(size)
            self._heard = self._clock.ms()
            return data
        except FAILURES as error:
            failure = told(error)
        raise failure

    async def _take(self):
        first, packet_id, topic, body = await packets.read(self._get)
        if first == packets.PUBLISH:
            if topic is None:
                self.passed_over += 1
            elif self._on_message:
                answer = self._on_message(topic, body)
                if hasattr(answer, "send"):  # a coroutine
                    await answer
            if packet_id and self.connected:  # a handler may have closed the link
                await self._clear()
                self._write(packets.puback(packet_id))
        elif first == packets.PUBACK:
            on_ack = self._in_flight.pop(packets.read_id(body), None)
            self._moved.set()
            if on_ack:
                on_ack()
        elif first == packets.SUBACK and self._asked:
            self._answer = packets.read_suback(body, self._asked, len(self._answer))
            self._asked = 0
            self._moved.set()
        elif first != packets.PINGRESP or body:
            raise MqttError("protocol", "unexpected packet 0x%02x" % first)

    # Sending

    async def _clear(self, places=0):
        """Wait until the socket takes a packet and, where given, fewer than `places` are in flight.

        Raises MqttError where the link is dead.
        """
        while self.connected and (self._busy or (places and (self._asked or len(self._in_flight) >= places))):
            self._moved.clear()
            await self._moved.wait()
        if not self.connected:
            why = self._why
            if not isinstance(why, MqttError):
                raise MqttError("network", "ended by a handler")
            raise MqttError(why.cause, why.detail)

    def _write(self, packet):
        """One write a packet, never half of one: a publisher may be cancelled, its packet still goes out whole."""
        try:
            self._link.write(packet)  # pyright: ignore
        except FAILURES as error:
            self._fail(told(error))
            return
        self._spoke = self._clock.ms()
        if self._link.out_buf:  # pyright: ignore
            self._busy = asyncio.create_task(self._flush())

    async def _flush(self):
        try:
            await self._link.drain()  # pyright: ignore
        except FAILURES as error:
            self._fail(told(error))
        self._busy = None
        self._moved.set()

    async def _keep_alive(self):
        """PINGREQ after half the keepalive without a byte from the broker, the end after all of it."""
        full = self._keepalive * 1000
        asked = None  # when the broker had last been heard as PINGREQ went out
        while True:
            heard = self._heard
            # The broker wants to hear us within the keepalive too (3.1.2.10).
            due = heard + full if asked == heard else min(heard, self._spoke) + full // 2
            left = due - self._clock.ms()
            if left > 0:
                await asyncio.sleep_ms(left)
            elif asked == heard:
                self._fail(MqttError("network", "nothing heard for %d s" % self._keepalive))
                return
            else:
                asked = heard
                if not self._busy:  # else there is something on its way already
                    self._write(packets.PINGREQ)

    def _next_id(self):
        while True:
            self._last_id = self._last_id % 65535 + 1
            if self._last_id not in self._in_flight and self._last_id != self._asked:
                return self._last_id
