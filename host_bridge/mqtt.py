"""The broker's side of the bridge: paho-mqtt with acknowledgements made by hand."""

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from host_bridge import config
from host_bridge.errors import ConfigError
from host_bridge.opening import HINTS, KINDS, Inbound

SHARE = "$share/bridge/"
IN_FLIGHT = 1_000  # published and not acknowledged; the broker's max_inflight_messages
QUEUED = 50_000  # handed to paho and not yet in flight: beyond it a message is refused and stays a row
HINTS_QUEUED = 10_000  # messages waiting for intake beyond which hints are dropped
_RECONNECT_S = (0.1, 2)  # shortest and longest wait: the bridge is back before the terminals are
_FOREVER = 0xFFFFFFFF  # session expiry interval, MQTT 5 3.1.2.11.2
_VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}

_log = structlog.get_logger("scanlatch.mqtt")


class Broker:
    """One connection to the broker, kept up by a thread of paho's. Implements replies.Outlet."""

    def __init__(self, settings: config.Mqtt, on_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._on_ready = on_ready
        self._inbox: SimpleQueue[Inbound | None] = SimpleQueue()
        self._generation = 0  # connections so far: a packet id means nothing on another one
        self._lock = threading.Lock()
        self._followed: dict[int, Callable[[], None] | None] = {}
        self._early: set[int] = set()
        self._subscribing: int | None = None
        self._crowded = False  # messages came together the last time
        self._client = self._build()

    def start(self) -> None:
        """Connect and go on connecting until `stop`."""
        settings = self._settings
        arguments: dict[str, Any] = {"keepalive": settings.keepalive_s}
        if settings.version == "5":
            properties = Properties(PacketTypes.CONNECT)
            if not settings.shared:
                properties.SessionExpiryInterval = _FOREVER
            arguments |= {"clean_start": settings.shared, "properties": properties}
        self._client.connect_async(settings.host, settings.port, **arguments)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end paho's thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, size: int, wait_s: float, company_s: float = 0.0) -> list[Inbound]:
        """Up to `size` messages; waits `wait_s` for the first. Where messages come together anyhow, those here wait
        `company_s` for more to share their commit: it costs as much as fifteen records. A lone one never waits.
        """
        batch: list[Inbound] = []
        whole = self._fill(batch, size, wait_s)
        if whole and self._crowded and 0 < len(batch) < size:
            time.sleep(company_s)
            self._fill(batch, size, 0.0)
        self._crowded = len(batch) > 1
        return batch

    def _fill(self, batch: list[Inbound], size: int, wait_s: float) -> bool:
        """Move what is there; False where it was interrupted."""
        try:
            message = self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait()
            while message is not None:
                batch.append(message)
                if len(batch) == size:
                    return True
                message = self._inbox.get_nowait()
        except Empty:
            return True
        return False

    def interrupt(self) -> None:
        """Let `take` return at once; safe in a signal handler."""
        self._inbox.put(None)

    def publish(self, topic: str, payload: bytes, done: Callable[[], None] | None) -> bool:
        """See replies.Outlet."""
        if not self._client.is_connected():
            return False
        info = self._client.publish(topic, payload, qos=1)
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            return False
        with self._lock:
            if info.mid not in self._early:
                self._followed[info.mid] = done
                return True
            self._early.discard(info.mid)
        if done is not None:
            done()
        return True

    @property
    def connected(self) -> bool:
        """Whether what is published now is taken."""
        return self._client.is_connected()

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._followed)

    def _build(self) -> Client:
        settings = self._settings
        persistent = not settings.shared
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            # A dead persistent member of a share goes on being given its part: only a lone bridge keeps a session.
            clean_session=None if settings.version == "5" else not persistent,
            protocol=_VERSIONS[settings.version],
            manual_ack=True,
        )
        if settings.ca is not None:
            client.tls_set_context(_tls(settings))  # pyright: ignore[reportUnknownMemberType]
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(QUEUED)
        client.reconnect_delay_set(*_RECONNECT_S)  # pyright: ignore[reportArgumentType] - takes any number
        client.on_socket_open = _no_delay
        client.on_connect = self._connected
        client.on_connect_fail = self._connect_failed
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.on_publish = self._published
        return client

    def _connected(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._generation += 1
        if reason.is_failure:
            _log.error("broker refused the bridge", reason=str(reason))
            return
        share = SHARE if self._settings.shared else ""
        _, self._subscribing = client.subscribe([(f"{share}scanlatch/v1/+/+/{kind}", 1) for kind in KINDS])
        _log.info("connected", session_present=flags.session_present)

    def _connect_failed(self, _client: Client, _data: object) -> None:
        cause = sys.exc_info()[1]  # paho calls this while it handles the error and does not hand it over
        _log.warning("broker cannot be reached", host=self._settings.host, port=self._settings.port, cause=str(cause))

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
        self._generation += 1
        _log.info("disconnected", reason=str(reason))

    def _received(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # no topic of ours; still to be acknowledged
        if topic.rpartition("/")[2] in HINTS and self._inbox.qsize() > HINTS_QUEUED:
            self._acknowledge(self._generation, message.mid, message.qos)
            return
        ack = partial(self._acknowledge, self._generation, message.mid, message.qos)
        self._inbox.put(Inbound(topic, bytes(message.payload), ack))

    def _acknowledge(self, generation: int, mid: int, qos: int) -> None:
        if qos and generation == self._generation:
            self._client.ack(mid, qos)

    def _published(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._lock:
            if mid not in self._followed:
                self._early.add(mid)  # faster than publish() could note it
                return
            done = self._followed.pop(mid)
        if reason.is_failure:  # MQTT 5 only; what has to arrive stays a row
            _log.error("broker refused a message", reason=str(reason))
        elif done is not None:
            done()


class _Context(ssl.SSLContext):
    """paho gives the address as the host name; the certificate is to bear the name in the settings."""

    expected: str = ""

    def wrap_socket(self, sock: socket.socket, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        return super().wrap_socket(sock, *args, **{**kwargs, "server_hostname": self.expected})


def _tls(settings: config.Mqtt) -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = settings.verify or settings.host
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(str(settings.ca))
        context.load_cert_chain(str(settings.certificate), str(settings.key))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError("mqtt.ca, mqtt.certificate, mqtt.key", f"cannot be used: {error}") from error
    return context


def _no_delay(_client: Client, _data: object, sock: Any) -> None:
    """0.63 ms instead of 88 ms for a request and its reply."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
