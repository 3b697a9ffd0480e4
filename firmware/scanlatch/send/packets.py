# MQTT 3.1.1 packets to bytes and back (OASIS Standard of 29 October 2014; sections beside each).
from micropython import const

from scanlatch.send.link import MqttError

CONNACK = const(0x20)  # first bytes (2.2)
PUBLISH = const(0x30)
PUBACK = const(0x40)
SUBACK = const(0x90)
PINGRESP = const(0xD0)

PINGREQ = b"\xc0\x00"  # whole packets
DISCONNECT = b"\xe0\x00"

_PAYLOAD_LIMIT = const(4096)  # WIRE: every message is at most that long
_TOPIC_LIMIT = const(128)  # ours have at most 86 bytes: "scanlatch/v1/", two names of 32, a kind
_ANSWER_LIMIT = const(32)  # bytes of what is no PUBLISH: SUBACK is the longest, one a topic
_SKIP_LIMIT = const(65536)  # bytes of a PUBLISH that is passed over; above that the broker is not ours
_SKIP_PIECE = const(128)


def _packet(first, head, payload=b""):
    """A packet in one buffer: its fixed header (2.2), then `head` and `payload`."""
    length = len(head) + len(payload)
    fixed = bytes((first,))
    while length > 127:
        fixed += bytes((length & 127 | 128,))
        length >>= 7
    return fixed + bytes((length,)) + head + payload


def _field(data):
    """`data` with its length before it (1.5.3)."""
    return len(data).to_bytes(2, "big") + data


def connect(client_id, keepalive_s, will):
    """CONNECT for a session that the broker keeps (3.1). will: (topic, payload, qos, retain) or None."""
    flags = 0
    fields = _field(client_id.encode())
    if will:
        topic, payload, qos, retain = will
        flags = 0x04 | qos << 3 | (0x20 if retain else 0)
        fields += _field(topic.encode()) + _field(payload)
    return _packet(0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big"), fields)


def publish(topic, payload, qos, retain, packet_id):
    """PUBLISH (3.3). Raises ValueError above the payload's limit."""
    if len(payload) > _PAYLOAD_LIMIT:
        raise ValueError("payload of %d bytes" % len(payload))
    head = _field(topic.encode())
    if qos:
        head += packet_id.to_bytes(2, "big")
    return _packet(0x30 | qos << 1 | (1 if retain else 0), head, payload)


def subscribe(topics, packet_id):
    """SUBSCRIBE to [(topic, qos)] (3.8)."""
    body = packet_id.to_bytes(2, "big")
    for topic, qos in topics:
        body += _field(topic.encode()) + bytes((qos,))
    return _packet(0x82, body)


def puback(packet_id):
    """PUBACK (3.4)."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


async def read(get):
    """The next packet off `await get(size) -> bytes`; every length is checked before that much is asked for.

    Returns (first byte, packet id or 0, topic, payload) for PUBLISH, its first byte without flags, with topic None
    where it was above our limits and passed over; (first byte, 0, None, what follows) else.
    Raises MqttError for what no broker may send to QoS 0 and 1.
    """
    first, byte = await get(2)
    length = byte & 127
    for shift in (7, 14, 21):
        if byte > 127:
            byte = (await get(1))[0]
            length |= (byte & 127) << shift
    limit = _ANSWER_LIMIT
    right = first in (CONNACK, PUBACK, SUBACK, PINGRESP)
    if first & 0xF0 == PUBLISH:
        limit = _SKIP_LIMIT
        right = first & 6 < 4 and first & 10 != 8 and length > 1  # at most QoS 1, and repeated only with it (3.3.1)
    if not right or byte > 127 or length > limit:
        raise MqttError("protocol", "packet 0x%02x of %d bytes" % (first, length))
    if limit == _ANSWER_LIMIT:
        return first, 0, None, await get(length)
    size = int.from_bytes(await get(2), "big")
    left = length - size - (4 if first & 6 else 2)
    if left < 0:
        raise MqttError("protocol", "PUBLISH cut short")
    topic = None
    if size <= _TOPIC_LIMIT and left <= _PAYLOAD_LIMIT:
        topic = _topic(await get(size))
    else:
        await _skip(get, size)
    # Passed over, it has its packet id too: unacknowledged, the broker would send it at every connection for ever.
    packet_id = read_id(await get(2)) if first & 6 else 0
    payload = await (_skip(get, left) if topic is None else get(left))
    return PUBLISH, packet_id, topic, payload


async def _skip(get, size):
    while size:
        size -= len(await get(min(size, _SKIP_PIECE)))


def read_connack(body):
    """CONNACK (3.2). Returns whether the broker had kept our session; raises MqttError."""
    if len(body) != 2 or body[0] > 1 or body[1] > 5:
        raise MqttError("protocol", "CONNACK")
    if body[1]:
        raise MqttError("refused", "CONNACK %d" % body[1])
    return body[0] == 1


def _topic(name):
    """A topic's name (3.3.2.1): no wildcard, no NUL, well-formed UTF-8."""
    try:
        topic = str(name, "utf-8")
    except UnicodeError:
        topic = ""
    if not topic or "\0" in topic or "+" in topic or "#" in topic:
        raise MqttError("protocol", "topic")
    return topic


def read_id(body):
    """A packet id (2.3.1), all that is in `body`."""
    number = int.from_bytes(body, "big")
    if len(body) != 2 or not number:
        raise MqttError("protocol", "packet id")
    return number


def read_suback(body, packet_id, count):
    """SUBACK (3.9). Returns one code a topic: 0 or 1 is granted, 128 refused."""
    if read_id(body[:2]) != packet_id or len(body) != 2 + count:
        raise MqttError("protocol", "SUBACK")
    for code in body[2:]:
        if code not in (0, 1, 2, 128):
            raise MqttError("protocol", "SUBACK code %d" % code)
    return body[2:]
