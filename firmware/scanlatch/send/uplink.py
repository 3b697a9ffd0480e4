# The link's life: connect, say where the chain ends, drain in order, back off.
import asyncio
import gc
import json
import os
import sys

from micropython import const

from scanlatch.prove import cose, hashes, record
from scanlatch.send.mqtt import Client, MqttError
from scanlatch.send.resend import Resend

_HEAD_EVERY_MS = const(3_600_000)
_HEALTH_EVERY_MS = const(60_000)
_LOOK_MS = const(1_000)  # the pump looks round at least this often
_LINK_UP_MS = const(15_000)  # Wi-Fi or cable; then the broker
_WAIT_MIN_MS = const(500)  # between two tries; doubles, with jitter
_WAIT_MAX_MS = const(60_000)
_STEADY_MS = const(60_000)  # a link that stood this long was a good one: the next wait is short again
_SUPERVISE_MS = const(5_000)
_STUCK_MS = const(60_000)  # a broker that answers pings but takes nothing: connect anew
_MEMORY_FAILURES = const(5)  # in a row: fragmented for good, so restart
_FROM_BRIDGE = ("verdict", "receipt", "command")


class Uplink:
    """Brings the journal's records to the broker, and the bridge's messages to the terminal.

    parts: (clock, journal, signer, indicator, health); terminal: what is asked of it stands in app.py.
    """

    def __init__(self, settings, boot, parts, link, terminal):
        self._prefix = "scanlatch/v1/" + settings["site"] + "/" + settings["device"] + "/"
        self._device = settings["device"]
        self._broker = settings["broker"]
        self._boot = boot
        self._clock, self._journal, self._signer, _, self._health = parts
        self._link = link
        self._terminal = terminal
        self._resend = Resend(self._journal, self._clock)
        self._wake = asyncio.Event()
        self._connection = 0
        self._wait_ms = _WAIT_MIN_MS
        self._memory_failures = 0
        self._health_due = False
        self._client = None
        self._came_round_ms = 0  # when the sender last did
        self._replying = None
        self.online = False

    def wake(self):
        """There is something to send."""
        self._wake.set()

    def freed(self):
        """The bridge has more records safe."""
        self._resend.freed()
        self._wake.set()

    def resend(self, arguments):
        """Command `resend` {from}: publish every readable record from there on, freed ones included."""
        first = arguments.get("from")
        if not isinstance(first, int) or isinstance(first, bool) or first < 1:
            return "from: a seq"
        self._resend.again(first, self._journal.newest)
        self._wake.set()
        return "ok"

    def report_health(self, _arguments):
        """Command `health`: report at once."""
        self._health_due = True
        self._wake.set()
        return "ok"

    async def run(self, beat):
        while True:
            beat()
            began = self._clock.ms()
            cause = await self._live(beat)
            self.online = False
            self._health.link_cause = cause
            self._health.count("reconnects")
            self._terminal.online(False, cause)
            self._memory_failures = self._memory_failures + 1 if cause == "memory" else 0
            if self._memory_failures >= _MEMORY_FAILURES:
                self._terminal.restart()
            if self._clock.ms() - began >= _STEADY_MS:
                self._wait_ms = _WAIT_MIN_MS
            beat()
            await asyncio.sleep_ms(self._wait_ms // 2 + _below(self._wait_ms // 2 + 1))
            self._wait_ms = min(2 * self._wait_ms, _WAIT_MAX_MS)

    async def _live(self, beat):
        # One life of the link, from nothing to its end. Returns why it ended.
        try:
            if not await self._link.up(_LINK_UP_MS):
                return "network"
            beat()
            gc.collect()  # a moment of our choosing: the handshake needs room in one piece
            client = self._client
            if client is None:
                client = self._client = self._make_client()
            self._connection += 1
            client.will = (self._prefix + "status", self._status(False), 1, True)
            await client.connect()
            beat()
            await self._serve(client, beat)
            return "network"
        except MqttError as error:
            return error.cause
        except MemoryError:
            return "memory"
        except (OSError, EOFError, asyncio.TimeoutError):
            return "network"
        except ValueError:  # how this TLS reports a certificate or a key that it does not take
            return "certificate"
        finally:
            if self._client is not None:
                await _closed(self._client)

    def _make_client(self):
        broker = self._broker
        return Client(
            self._device,
            broker["host"],
            broker["port"],
            self._clock,
            tls=self._terminal.tls(),
            server_hostname=broker["name"],
            on_message=self._on_message,
            before_blocking=self._terminal.blocks,
        )

    def _status(self, online):
        status = {"v": 1, "online": online, "boot": self._boot, "connection": self._connection}
        if online:
            status.update(self._terminal.birth())
        return json.dumps(status).encode()

    async def _serve(self, client, beat):
        # Reading and sending side by side; the first to fail ends both, and so does a sender that is stuck.
        self._came_round_ms = self._clock.ms()
        ended = asyncio.Event()
        tasks = [asyncio.create_task(_then_set(ended, job)) for job in (client.run(), self._send(client))]
        try:
            while not ended.is_set():
                beat()
                if self._clock.ms() - self._came_round_ms > _STUCK_MS:
                    return
                await _wait(ended, _SUPERVISE_MS)
            await (tasks[0] if tasks[0].done() else tasks[1])  # raises why it ended
        finally:
            for task in tasks:
                await _end(task)

    async def _send(self, client):
        await client.subscribe([(self._prefix + kind, 1) for kind in _FROM_BRIDGE])
        await client.publish(self._prefix + "status", self._status(True), 1, True)
        await self._publish_head(client)
        self.online = True
        self._terminal.online(True, "")
        self._resend.connected()
        head_at = health_at = self._clock.ms()
        self._health_due = True
        while True:
            now = self._came_round_ms = self._clock.ms()
            if self._resend.oldest_is_due() or now - head_at >= _HEAD_EVERY_MS:
                head_at = now
                await self._publish_head(client)
            sent = await self._publish_next(client)
            if self._health_due or now - health_at >= _HEALTH_EVERY_MS:
                self._health_due = False
                health_at = now
                await client.publish(self._prefix + "health", self._terminal.report(), 0)
            if sent:
                continue
            await _wait(self._wake, _LOOK_MS)
            self._wake.clear()

    async def _publish_next(self, client):
        seq = self._resend.next()
        if seq is None:
            return False
        message = self._journal.read(seq)
        if message is None:  # lost by the flash: the head names it
            self._resend.sent(seq)
            self._resend.acknowledged(seq)
            return True
        await client.publish(self._prefix + "scan", message, 1, on_ack=lambda: self._resend.acknowledged(seq))
        self._resend.sent(seq)
        self._health.count("sent")
        return True

    async def _publish_head(self, client):
        journal = self._journal
        payload = record.head(
            self._boot,
            self._connection,
            self._clock.ms(),
            journal.newest,
            journal.newest_digest,
            journal.oldest,
            journal.missing(),
            self._terminal.birth()["fw"],
        )
        message = cose.sign1(self._device.encode(), payload, record.AAD_HEAD, self._signer.sign)
        self._terminal.head(hashes.sha256(message), self._clock.ms())
        await client.publish(self._prefix + "head", message, 1)

    async def _on_message(self, topic, payload):
        try:
            reply = self._terminal.receive(topic[len(self._prefix) :], payload)
        except MemoryError:
            raise  # the broker gives it again, when there is room
        except Exception as error:  # the broker would give it again too, after every restart
            sys.print_exception(error)
            self._health.count("malformed")
            return
        if reply is not None:
            # Not awaited here: a full table of messages in flight is emptied by the very task that runs this.
            self._replying = asyncio.create_task(self._reply(reply))

    async def _reply(self, message):
        try:
            await self._client.publish(self._prefix + "reply", message, 1)
        except (MqttError, OSError):
            pass  # the bridge repeats the command under a new counter


async def _closed(client):
    try:
        await client.close()
    finally:
        gc.collect()


async def _wait(event, at_most_ms):
    try:
        await asyncio.wait_for_ms(event.wait(), at_most_ms)
    except asyncio.TimeoutError:
        pass


async def _then_set(event, job):
    try:
        await job
    finally:
        event.set()


async def _end(task):
    # What it raises now is the echo of the failure that is already on its way up.
    task.cancel()
    try:
        await task
    except (asyncio.CancelledError, MqttError, OSError, EOFError, ValueError, MemoryError):
        pass


def _below(limit):
    return int.from_bytes(os.urandom(4), "big") % limit
