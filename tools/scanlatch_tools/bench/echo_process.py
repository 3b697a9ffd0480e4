"""The least that a bridge could do, to compare with: each message goes back to its device, and is acknowledged.

Same client library, TLS, MQTT version, subscription, QoS and window as the bridge's, used as the library's manual says.
"""

import signal
import socket
import ssl
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from host_bridge import config
from host_bridge.mqtt import IN_FLIGHT, SHARE
from scanlatch_tools.bench import child

_KEEPALIVE_S = 30
_VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


def main(path: Path) -> None:
    """Run until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = config.load(path).mqtt
    client = Client(
        CallbackAPIVersion.VERSION2, settings.client_id, protocol=_VERSIONS[settings.version], manual_ack=True
    )
    context = ssl.create_default_context(cafile=str(settings.ca))
    context.load_cert_chain(str(settings.certificate), str(settings.key))
    client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
    client.max_inflight_messages_set(IN_FLIGHT)
    client.max_queued_messages_set(0)
    client.on_socket_open = _no_delay
    client.on_connect = partial(_subscribe, SHARE if settings.shared else "")
    client.on_subscribe = _ready
    client.on_message = _echo
    client.connect(settings.host, settings.port, _KEEPALIVE_S)
    client.loop_start()
    over = threading.Event()
    child.obey(over.set)
    over.wait()
    client.disconnect()
    client.loop_stop()


def _subscribe(share: str, client: Client, *_: object) -> None:
    client.subscribe(f"{share}scanlatch/v1/+/+/scan", 1)


def _ready(*_: object) -> None:
    child.ready()


def _echo(client: Client, _data: object, message: MQTTMessage) -> None:
    client.publish(message.topic.removesuffix("scan") + "verdict", message.payload, 1)
    client.ack(message.mid, message.qos)


def _no_delay(_client: Client, _data: object, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
