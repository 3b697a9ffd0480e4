# The link's life: connect, say where the chain ends, drain in order, back off.
import asyncio
import gc
import os
import sys

from micropython import const

from scanlatch import load
from scanlatch.send.mqtt import FAILURES, MqttError
from scanlatch.send.resend import Resend

_HEAD_EVERY_MS = const(3_600_000)
_HEALTH_EVERY_MS = const(60_000)
_LOOK_MS = const(1_000)  # the pump looks round at least this often
_POLL_MS = const(4)  # and so often whether it was woken
_LINK_UP_MS = const(15_000)  # Wi-Fi or cable; then the broker
_ENGINE_MS = const(15_000)  # behind a start the engine is set up first, so long at most: each takes heap of its own
_WAIT_MIN_MS = const(500)  # between two tries; doubles, with jitter
_WAIT_MAX_MS = const(60_000)
_STEADY_MS = const(60_000)  # a link that stood this long was a good one: the next wait is short again
_STUCK_MS = const(60_000)  # a broker that answers pings but takes nothing: connect anew
_MEMORY_FAILURES = const(5)  # in a row: fragmented for good, so the terminal restarts,
_OLD_MS = const(600_000)  # where it ran so long: a fresh one would come to the same, again and again, and scan nothing
_REPLIES_LIMIT = const(4)  # the bridge repeats a command whose reply it misses


class Uplink:
    """Brings the journal's records to the broker, and the bridge's messages to the terminal.

    parts: (clock, journal, signer, indicator, health); terminal: what is asked of it stands in app.py.
    """

    def __init__(self, settings, parts, link, terminal):
        self.prefix = "scanlatch/v1/" + settings["site"] + "/" + settings["device"] + "/"
        self._clock, self._journal, _, _, self._health = parts
        self._link = link
        self._terminal = terminal
        self.records = Resend(self._journal, self._clock)
        self._known = [None, False]  # of the broker's address, see opening.py
        self._connection = 0
        self._woken = False
        self.health_due = False  # at once, whatever the time
        self._replies = []
        self.client = None  # the link, while it stands
        self.online = False

    def wake(self):
        """There is something to send."""
        self._woken = True

    def freed(self):
        """The bridge has more records safe."""
        self.records.freed()
        self._woken = True

    async def run(self, beat):
        wait_ms = _WAIT_MIN_MS
        memory_failures = 0
        while True:
            beat()
            began = self._clock.ms()
            cause = await self._live(beat)
            self.online = False
            self.client = None
            self._health.link_cause = cause
            self._health.count("reconnects")
            self._terminal.online(False, cause)
            memory_failures = memory_failures + 1 if cause == "memory" else 0
            if memory_failures >= _MEMORY_FAILURES and self._clock.ms() >= _OLD_MS:
                self._terminal.restart()
            if self._clock.ms() - began >= _STEADY_MS:
                wait_ms = _WAIT_MIN_MS
            beat()
            half = wait_ms // 2
            await asyncio.sleep_ms(half + int.from_bytes(os.urandom(4), "big") % (half + 1))
            wait_ms = min(2 * wait_ms, _WAIT_MAX_MS)

    async def _live(self, beat):
        # One life of the link, from nothing to its end. Returns why it ended.
        client = None
        began = self._clock.ms()
        try:
            try:
                if not await self._link.up(_LINK_UP_MS):
                    return "network"
            except (OSError, RuntimeError) as error:  # the radio's driver raises either
                sys.print_exception(error)
                return "network"
            while not self._health.engine and self._clock.ms() - began < _ENGINE_MS:
                await asyncio.sleep_ms(_POLL_MS)
            beat()
            self._connection += 1
            client = await self._open()
            await load("send.greeting").born(self._terminal, client, self._connection)
            await self._serve(client, beat)
        except FAILURES as error:
            return _cause(error)
        finally:
            if client is not None:
                client.fail(MqttError("network", "closed here"))
            gc.collect()

    def _open(self):
        # What gives a link when it is awaited: a coroutine that only waits for another takes of the handshake's heap.
        opening = load("send.opening")
        gc.collect()  # a moment of our choosing: the handshake needs room in one piece
        return opening.opened(
            self._terminal, self._connection, self._known, self._on_message, self.records.acknowledged
        )

    async def _serve(self, client, beat):
        await self._head(client)
        self.online = True
        self.client = client
        self._terminal.online(True, "")
        self.records.connected()
        head_at = health_at = self._clock.ms()
        self.health_due = True
        while True:
            beat()
            now = self._clock.ms()
            client.until_ms = now + _STUCK_MS
            self._woken = False
            if self.records.oldest_is_due() or now - head_at >= _HEAD_EVERY_MS:
                head_at = now
                await self._head(client)
            while self._replies:
                await client.publish(self.prefix + "reply", self._replies.pop(0), 1)
            if self._terminal.after is not None:
                self._terminal.after(client)
            sent = await self._publish_next(client)
            if self.health_due or now - health_at >= _HEALTH_EVERY_MS:
                self.health_due = False
                health_at = now
                report = self._terminal.report()
                if report:
                    await client.publish(self.prefix + "health", report, 0)
            while not (sent or self._woken) and self._clock.ms() - now < _LOOK_MS:
                if client.why is not None:
                    raise client.why
                await asyncio.sleep_ms(_POLL_MS)

    async def _head(self, client):
        await load("send.greeting").head(self._terminal, client, self._connection)

    async def _publish_next(self, client):
        seq = self.records.next()
        if seq is None:
            return False
        message = self._journal.read(seq)
        if message is None:  # lost by the flash: the head names it
            self.records.lost(seq)
            await asyncio.sleep_ms(0)
            return True
        await client.publish(self.prefix + "scan", message, 1, False, seq)
        self.records.sent(seq)
        self._health.count("sent")
        return True

    def _on_message(self, topic, payload):
        try:
            reply = self._terminal.receive(topic[len(self.prefix) :], payload)
        except MemoryError:
            raise  # the broker gives it again, when there is room
        except Exception as error:  # the broker would give it again too, after every restart
            sys.print_exception(error)
            self._health.count("malformed")
            return
        if reply is not None and len(self._replies) < _REPLIES_LIMIT:
            self._replies.append(reply)
            self._woken = True


def _cause(error):
    # The one word that light and health know.
    try:
        error = load("send.failure").told(error)
    except MemoryError:
        return "memory"
    except OSError:
        return "files"
    return "memory" if isinstance(error, MemoryError) else error.cause
