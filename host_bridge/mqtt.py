"""The broker's side of the bridge: paho-mqtt with acknowledgements made by hand.

paho belongs to one thread. Others leave what they want done in a queue and ring once, so that a batch's messages and
acknowledgements go out together.
"""

import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from host_bridge import config, mqtt_client, mqtt_tls
from host_bridge.clock import SystemClock
from host_bridge.inbox import Inbox
from host_bridge.opening import HINTS, KINDS, Inbound
from host_bridge.replies import Done

SHARE = "$share/bridge/"
IN_FLIGHT = 1_000  # published and not acknowledged; the broker's max_inflight_messages
QUEUED = 50_000  # published and not yet in flight: beyond it a message is refused and stays a row
HINTS_QUEUED = 10_000  # messages waiting for intake beyond which hints are dropped
_RECONNECT_S = (0.1, 2.0)  # shortest and longest wait: the bridge is back before the terminals are
_ROUND_S = 1.0  # longest rest: keepalives are looked after this often

_Message = tuple[str, bytes, Done | None]  # topic, payload, and what follows when the broker has answered

_log = structlog.get_logger("scanlatch.mqtt")


@dataclass(slots=True, eq=False)
class _Taken:
    """A message of the connection at hand, which waits for its acknowledgement."""

    mid: int
    qos: int
    done: bool = False


class Broker:
    """One connection to the broker, kept up by a thread of its own. Implements replies.Outlet."""

    def __init__(self, settings: config.Mqtt, on_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._inbox = Inbox(SystemClock().now)
        self._jobs: deque[Callable[[], None]] = deque()  # for the thread, from the others
        self._ring, self._bell = socket.socketpair()
        self._rung = False
        self._ending = threading.Event()
        self._fault: BaseException | None = None  # what ended the thread unasked
        self._broken: Exception | None = None  # what one of our own handlers raised
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        # The thread's own:
        self._unacknowledged: deque[_Taken] = deque()  # as they came: so the broker wants to hear of them (4.6)
        self._followed: dict[int, Done | None] = {}  # in flight, by packet id
        self._held: deque[_Message] = deque()  # not yet in flight
        self._subscribing: int | None = None
        self._wait_s = _RECONNECT_S[0]
        self._anew = False  # somebody wants the connection ended and made again
        self._client = self._build()

    def start(self) -> None:
        """Connect and go on connecting until `stop`."""
        mqtt_client.connect(self._client, self._settings)
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._ending.set()
        self._wake()
        self._thread.join()
        self._ring.close()
        self._bell.close()

    def reconnect(self) -> None:
        """End the connection in order and make it again, with the certificate that the files have by then.

        Safe in a signal handler. What the broker was not told of comes again; it keeps what is for a lone bridge.
        """
        self._anew = True
        self._wake()

    @property
    def broker_until(self) -> int | None:
        """When the certificate of the broker that is connected ends, ms UTC."""
        return mqtt_client.broker_until(self._client)

    def take(self, size: int, wait_s: float, company_s: float = 0.0) -> list[Inbound]:
        """See `Inbox.take`. Raises what has broken the connection for good."""
        if self._fault is not None:
            raise self._fault
        return self._inbox.take(size, wait_s, company_s)

    def interrupt(self) -> None:
        """Let `take` return at once; safe in a signal handler."""
        self._inbox.interrupt()

    def publish(self, topic: str, payload: bytes, done: Done | None) -> bool:
        """See replies.Outlet."""
        if not self._client.is_connected() or self.in_flight > QUEUED:
            return False
        self._give(partial(self._held.append, (topic, payload, done)))
        return True

    @property
    def connected(self) -> bool:
        """Whether what is published now is taken."""
        return self._client.is_connected()

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not acknowledged, and acknowledgements that it has not been sent."""
        return len(self._jobs) + len(self._held) + len(self._followed)

    def _give(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        self._wake()

    def _wake(self) -> None:
        if not self._rung:
            self._rung = True
            self._ring.send(b"!")

    def _build(self) -> Client:
        client, self._tls = mqtt_client.build(self._settings)
        client.on_connect = self._own(self._connected)
        client.on_subscribe = self._own(self._subscribed)
        client.on_disconnect = self._own(self._disconnected)
        client.on_message = self._own(self._received)
        client.on_publish = self._own(self._published)
        return client

    def _run(self) -> None:
        try:
            self._keep_up()
        except BaseException as fault:  # noqa: BLE001  # told to whoever takes messages
            self._fault = fault
            self.interrupt()

    def _keep_up(self) -> None:
        while not self._ending.is_set():
            mqtt_client.refresh(self._tls)
            try:
                self._client.reconnect()
            except OSError as error:
                to = self._settings
                _log.warning("broker cannot be reached", host=to.host, port=to.port, cause=str(error))
            else:
                self._serve()
            self._ending.wait(self._wait_s)
            self._wait_s = min(2 * self._wait_s, _RECONNECT_S[1])

    def _serve(self) -> None:
        """Until the connection ends, by us or by itself."""
        client = self._client
        while (sock := client.socket()) is not None:
            self._work()
            if self._ending.is_set() or self._anew:
                self._anew = False
                client.disconnect()
                client.loop_write()
                return
            if client.want_write():
                client.loop_write()
            if (sock := client.socket()) is None:
                return
            held = not mqtt_tls.flushed(sock) or client.want_write()
            readable = select.select([sock, self._bell], [sock] if held else [], [], _ROUND_S)[0]
            if self._bell in readable:
                self._bell.recv(64)
                self._rung = False
            if sock in readable and not self._read(sock):
                return
            client.loop_misc()

    def _read(self, sock: Any) -> bool:
        """Take what is there; False where that was no MQTT: whatever is left of it, only a new connection is rid of."""
        try:
            self._client.loop_read()
            while self._client.socket() is sock and mqtt_tls.has_more(sock):
                self._client.loop_read()
        except Exception as error:  # paho raises whatever its parsing ran into
            if error is self._broken:
                raise
            _log.error("broker speaks no MQTT", cause=type(error).__name__)
            return False
        return True

    def _own(self, handler: Callable[..., None]) -> Callable[..., None]:
        """A handler whose failure is ours, not the broker's: it ends the bridge, loudly."""

        def handle(*arguments: Any) -> None:
            try:
                handler(*arguments)
            except Exception as error:
                self._broken = error
                raise

        return handle

    def _work(self) -> None:
        """What the others want done, as far as it can be now."""
        while self._client.is_connected():
            if self._held and len(self._followed) < IN_FLIGHT:
                self._publish(*self._held.popleft())
            elif self._jobs:
                self._jobs.popleft()()
            else:
                return

    def _publish(self, topic: str, payload: bytes, done: Done | None) -> None:
        info = self._client.publish(topic, payload, qos=1)
        if info.rc in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            self._followed[info.mid] = done
        else:
            _log.error("message not taken", rc=info.rc)
            _answered(done, taken=False)

    def _connected(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._unacknowledged.clear()  # a packet id means nothing on another connection
        if reason.is_failure:
            _log.error("broker refused the bridge", reason=str(reason))
            return
        self._wait_s = _RECONNECT_S[0]
        share = SHARE if self._settings.shared else ""
        _, self._subscribing = client.subscribe([(f"{share}scanlatch/v1/+/+/{kind}", 1) for kind in KINDS])
        _log.info("connected", session_present=flags.session_present)

    def _subscribed(
        self, _client: Client, _data: object, mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            _log.error("broker refused a subscription", reasons=refused)
        elif mid == self._subscribing:
            self._on_ready()

    def _disconnected(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        self._unacknowledged.clear()
        _log.info("disconnected", reason=str(reason))

    def _received(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # no topic of ours; still to be acknowledged
        taken = _Taken(message.mid, message.qos)
        if message.qos:
            self._unacknowledged.append(taken)
        if topic.rpartition("/")[2] in HINTS and len(self._inbox) > HINTS_QUEUED:
            self._acknowledge(taken)
            return
        ack = partial(self._give, partial(self._acknowledge, taken))
        self._inbox.put(Inbound(topic, bytes(message.payload), ack))

    def _acknowledge(self, taken: _Taken) -> None:
        """Tell the broker of this message, once all before it are done with."""
        taken.done = True
        while self._unacknowledged and self._unacknowledged[0].done:
            first = self._unacknowledged.popleft()
            self._client.ack(first.mid, first.qos)

    def _published(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:  # MQTT 5 only; what has to arrive stays a row
            _log.error("broker refused a message", reason=str(reason))
        _answered(self._followed.pop(mid, None), taken=not reason.is_failure)


def _answered(done: Done | None, *, taken: bool) -> None:
    if done is not None:
        done(taken)
