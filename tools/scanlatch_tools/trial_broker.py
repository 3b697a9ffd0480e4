"""amqtt as a site's broker for trials: a client is who its certificate says, and says what the ACL lets it."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from amqtt.adapters import BufferReader, ReaderAdapter  # pyright: ignore[reportMissingTypeStubs]
from amqtt.broker import Broker  # pyright: ignore[reportMissingTypeStubs]
from amqtt.contexts import Action, ListenerConfig  # pyright: ignore[reportMissingTypeStubs]
from amqtt.errors import AMQTTError  # pyright: ignore[reportMissingTypeStubs]
from amqtt.mqtt.connect import ConnectPacket  # pyright: ignore[reportMissingTypeStubs]
from amqtt.session import Session  # pyright: ignore[reportMissingTypeStubs]

from scanlatch_tools.site_files import FROM_DEVICE, PACKET_BYTES, TO_DEVICE, denied
from scanlatch_tools.site_plan import BRIDGE_USER

CONNECT_S = 10.0  # in which a client says who it is
_LOOK_S = 1.0  # how often it is looked who was shut out
_LENGTH_MOST = 4  # bytes of a packet's length (MQTT 3.1.1, 2.2.3)


class TooLong(ValueError):  # noqa: N818  # amqtt ends a connection at whatever it does not know
    """A packet longer than any message of ours, or one that does not end where it says."""


class StrictBroker(Broker):
    """amqtt that takes nobody without our certificate, and nobody for another (asyncio sets TCP_NODELAY itself)."""

    acl: Path

    def is_shut_out(self, name: str | None) -> bool:
        """Whether the ACL, as it is now, shuts this client out."""
        return name in denied(self.acl.read_text())

    async def watch(self) -> None:
        """End the connections of those who are shut out."""
        while True:
            for name, (session, handler) in list(self._sessions.items()):
                if session.transitions.is_connected() and self.is_shut_out(name):
                    await handler.handle_connection_closed()
                    await handler.stop()
            await asyncio.sleep(_LOOK_S)

    @staticmethod
    def _create_ssl_context(listener: ListenerConfig) -> ssl.SSLContext:
        context = Broker._create_ssl_context(listener)
        context.verify_mode = ssl.CERT_REQUIRED  # amqtt's own is CERT_OPTIONAL
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    async def _client_connected(self, listener_name: str, reader: Any, writer: Any) -> None:
        await super()._client_connected(listener_name, Packets(reader), writer)

    async def _initialize_client_session(
        self, reader: Any, writer: Any, remote_address: str, remote_port: int
    ) -> tuple[Any, Session]:
        # From this connection: a session that was found again still has the certificate of its last one. And before
        # amqtt looks: it ends or alters the session of whoever is named.
        name = _common_name(writer.get_ssl_info())
        try:
            await asyncio.wait_for(_held_against(name, reader), CONNECT_S)
            if self.is_shut_out(name):
                raise AMQTTError(f"{name} is shut out")  # noqa: TRY301  # its connection is ended below, as others'
            return await super()._initialize_client_session(reader, writer, remote_address, remote_port)
        except Exception as error:
            await writer.close()
            raise AMQTTError(str(error)) from error

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:  # noqa: ARG002
        return True  # TLS did it, and the name was held against the certificate

    async def _handle_disconnect(self, client_session: Session, handler: Any, disconnect_waiter: Any) -> None:
        topic = client_session.will_topic  # amqtt asks nobody whether it may be said
        if not topic or not await self._topic_filtering(client_session, topic, Action.PUBLISH):
            client_session.will_flag = False
        await super()._handle_disconnect(client_session, handler, disconnect_waiter)

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        """As the generated ACL: subscribing is free, what counts is what is published and received."""
        if action == Action.SUBSCRIBE:
            return True
        parts = topic.split("/")
        if "+" in parts or len(parts) != 5 or parts[:2] != ["scanlatch", "v1"] or self.is_shut_out(session.client_id):
            return False
        is_bridge = session.client_id == BRIDGE_USER
        kinds = FROM_DEVICE if is_bridge == (action == Action.RECEIVE) else TO_DEVICE
        return parts[4] in kinds and (is_bridge or parts[3] == session.client_id)


class Packets(ReaderAdapter):
    """Gives amqtt one whole packet after another, and none that is longer than mosquitto is told to take.

    By itself it makes room for as much as a client says that it will send.
    """

    def __init__(self, reader: ReaderAdapter) -> None:
        self._reader = reader
        self._packet = b""

    async def ahead(self) -> bytes:
        """The next packet, which is still to be read."""
        if not self._packet:
            self._packet = await self._next()
        return self._packet

    async def read(self, n: int = -1) -> bytes:
        """As amqtt's. Raises TooLong where a packet is, or ends within what is asked for."""
        if not n:
            return b""
        packet = await self.ahead()
        if not 0 < n <= len(packet):
            raise TooLong(f"{n} bytes, of {len(packet)} that are left of a packet")
        self._packet = packet[n:]
        return packet[:n]

    def feed_eof(self) -> None:
        """As amqtt's."""
        self._reader.feed_eof()

    async def _next(self) -> bytes:
        head, length = await self._reader.read(1), 0
        for place in range(_LENGTH_MOST):
            byte = await self._reader.read(1)
            head += byte
            length |= (byte[0] & 127) << 7 * place
            if byte[0] < 128:
                break
        else:
            raise TooLong("a length of five bytes")
        if len(head) + length > PACKET_BYTES:
            raise TooLong(f"a packet of {length} bytes")
        return head + await self._reader.read(length)


async def _held_against(name: str | None, reader: Packets) -> None:
    """Raises AMQTTError where the CONNECT that is still to be read is not of `name`."""
    packet = await ConnectPacket.from_stream(BufferReader(await reader.ahead()))
    if name is None or packet.client_id != name:
        raise AMQTTError(f"{packet.client_id} is not {name}")


def _common_name(peer: ssl.SSLObject | None) -> str | None:
    certificate = peer.getpeercert() if peer else None
    subject: Any = certificate.get("subject", ()) if certificate else ()
    names = [value for part in subject for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else None
