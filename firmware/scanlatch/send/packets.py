# MQTT 3.1.1 packets to bytes and back (OASIS Standard of 29 October 2014; sections beside each).
from micropython import const

from scanlatch.send.causes import MqttError

CONNACK = const(2)
PUBLISH = const(3)
PUBACK = const(4)
SUBACK = const(9)
PINGRESP = const(13)

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

PAYLOAD_LIMIT = const(4096)  # WIRE: every message is at most that long
_TOPIC_LIMIT = const(128)  # ours have at most 86 bytes: "scanlatch/v1/", two names of 32, a kind
PACKET_LIMIT = const(4228)  # topic and payload at their limits, the topic's length and a packet id

_REFUSALS = (
    "",
    "protocol version",
    "client id",
    "server unavailable",
    "user name or password",
    "not authorised",
)


def _malformed(what):
    return MqttError("protocol", what)


def _start(first, length):
    """A packet's buffer with its fixed header in place (2.2). Returns (buffer, offset of what follows)."""
    head = [first]
    rest = length
    while True:
        head.append(rest & 0x7F | (0x80 if rest > 0x7F else 0))
        rest >>= 7
        if not rest:
            break
    packet = bytearray(len(head) + length)
    packet[: len(head)] = bytes(head)
    return packet, len(head)


def _put(packet, at, data):
    """A field with its length before it (1.5.3). Returns the offset behind it."""
    end = at + 2 + len(data)
    packet[at] = len(data) >> 8
    packet[at + 1] = len(data) & 0xFF
    packet[at + 2 : end] = data
    return end


def connect(client_id, keepalive_s, will):
    """CONNECT for a session that the broker keeps (3.1). will: (topic, payload, qos, retain) or None."""
    fields = [client_id.encode()]
    flags = 0
    if will:
        topic, payload, qos, retain = will
        fields += [topic.encode(), payload]
        flags = 0x04 | qos << 3 | (0x20 if retain else 0)
    packet, at = _start(0x10, 10 + sum([2 + len(field) for field in fields]))
    at = _put(packet, at, b"MQTT")
    packet[at : at + 4] = bytes((4, flags, keepalive_s >> 8, keepalive_s & 0xFF))
    at += 4
    for field in fields:
        at = _put(packet, at, field)
    return packet


def publish(topic, payload, qos, retain, packet_id):
    """PUBLISH, whole, in one buffer (3.3). Raises ValueError above the payload's limit."""
    if len(payload) > PAYLOAD_LIMIT:
        raise ValueError("payload of %d bytes" % len(payload))
    topic = topic.encode()
    packet, at = _start(0x30 | qos << 1 | (1 if retain else 0), 2 + len(topic) + (2 if qos else 0) + len(payload))
    at = _put(packet, at, topic)
    if qos:
        packet[at] = packet_id >> 8
        packet[at + 1] = packet_id & 0xFF
        at += 2
    packet[at:] = payload
    return packet


def subscribe(topics, packet_id):
    """SUBSCRIBE to [(topic, qos)] (3.8)."""
    names = [topic.encode() for topic, _ in topics]
    packet, at = _start(0x82, 2 + sum([3 + len(name) for name in names]))
    packet[at] = packet_id >> 8
    packet[at + 1] = packet_id & 0xFF
    at += 2
    for i in range(len(names)):
        at = _put(packet, at, names[i])
        packet[at] = topics[i][1]
        at += 1
    return packet


def puback(packet_id):
    """PUBACK (3.4)."""
    return bytes((0x40, 2, packet_id >> 8, packet_id & 0xFF))


def check_first(first):
    """The type in a first byte (2.2). Raises MqttError where no broker may send it to QoS 0 and 1."""
    kind = first >> 4
    if kind == PUBLISH:
        qos = first >> 1 & 3
        if qos > 1 or (first & 8 and not qos):
            raise _malformed("PUBLISH with flags %d" % (first & 15))
    elif first & 15 or kind not in (CONNACK, PUBACK, SUBACK, PINGRESP):
        raise _malformed("first byte 0x%02x" % first)
    return kind


def read_connack(body):
    """CONNACK (3.2). Returns whether the broker had kept our session; raises MqttError."""
    if len(body) != 2 or body[0] > 1 or body[1] >= len(_REFUSALS):
        raise _malformed("CONNACK")
    if body[1]:
        raise MqttError("refused", _REFUSALS[body[1]])
    return body[0] == 1


def read_topic(name):
    """A topic's name (3.3.2.1): no wildcard, no NUL, well-formed UTF-8."""
    try:
        topic = str(name, "utf-8")
    except UnicodeError:
        topic = ""
    if not topic or "\0" in topic or "+" in topic or "#" in topic:
        raise _malformed("topic of a PUBLISH")
    return topic


def read_publish(first, body):
    """PUBLISH (3.3). Returns (topic, packet id or 0, payload)."""
    end = read_length(body) + 2
    behind = end + (2 if first & 6 else 0)
    if behind > len(body):
        raise _malformed("PUBLISH cut short")
    view = memoryview(body)
    topic = read_topic(view[2:end])
    packet_id = read_id(body[end:behind]) if first & 6 else 0
    return topic, packet_id, bytes(view[behind:])


def read_length(body):
    """Length of the field that begins `body` (1.5.3)."""
    if len(body) < 2:
        raise _malformed("packet cut short")
    return body[0] << 8 | body[1]


def read_id(body):
    """A packet id (2.3.1), all that is in `body`."""
    if len(body) != 2 or not (body[0] or body[1]):
        raise _malformed("packet id")
    return body[0] << 8 | body[1]


def read_suback(body, packet_id, count):
    """SUBACK (3.9). Returns one code a topic: 0 or 1 is granted, 128 refused."""
    if read_id(body[:2]) != packet_id or len(body) != 2 + count:
        raise _malformed("SUBACK")
    for code in body[2:]:
        if code not in (0, 1, 2, 128):
            raise _malformed("SUBACK code %d" % code)
    return body[2:]
