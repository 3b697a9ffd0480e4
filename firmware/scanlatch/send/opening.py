# Opens the link, up to where the broker takes us. Loaded for each attempt and forgotten behind it.
import asyncio
import errno
import gc
import json
import select
import socket

from micropython import const

from scanlatch import load
from scanlatch.send.mqtt import FAILURES, Client, MqttError, field, packet

_CONNACK = const(0x20)
_TIMEOUT_MS = const(10_000)
_POLL_MS = const(10)
_TCP = const(6)  # IPPROTO_TCP and TCP_NODELAY have no names on MicroPython
_NODELAY = const(1)


def opened(terminal, connection, known, on_message, on_ack):
    """To be awaited: a link that stands; nothing was said on it yet. Raises one of FAILURES.

    terminal: what is asked of it stands in app.py; known: see `connect`.
    """
    status = {"v": 1, "online": False, "boot": terminal.boot, "connection": connection}
    will = (terminal.uplink.prefix + "status", json.dumps(status).encode(), 1, True)
    broker, tls, feed = terminal.settings["broker"], terminal.tls(), terminal.dog.feed
    return connect(terminal.device, broker, known, tls, will, terminal.clock, on_message, on_ack, feed)


async def connect(
    device, broker, known, tls, will, clock, on_message, on_ack, feed, keepalive=30, timeout_ms=_TIMEOUT_MS
):
    """Connect, TLS handshake and CONNACK inside the deadline; then `answer` is the CONNACK's two bytes.

    known: [what getaddrinfo gave last or None, whether that led to a link], kept by the caller from one attempt to the
    next; tls: `ssl.SSLContext` that requires a certificate, or None; will: (topic, payload, qos, retain) or None;
    feed: called around what blocks the loop. Raises MqttError or MemoryError; the socket is closed then, and where
    this is cancelled.
    """
    if not known[1]:
        known[0] = _found(broker["host"], broker["port"], known[0], feed)
    known[1] = False
    gc.collect()  # a handshake needs room
    whole = _connect_packet(device, keepalive, will)
    will = None  # its room, too
    until = clock.ms() + timeout_ms
    client = None
    for left in (2, 1, 0):
        client = await _attempt(left, known[0], tls, broker["name"], whole, clock, keepalive, on_message, on_ack, until)
        if client:
            break
    known[1] = True
    return client


async def _attempt(left, address, tls, name, whole, clock, keepalive, on_message, on_ack, until):
    # A broker that refuses our certificate closes; now and then all that is seen of it is a reset, as of a
    # broken line. Told apart by trying again: None, while there are tries left.
    plain = sock = _dial(address)
    client = None
    shaking = False
    try:
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        await _until(_is_up, poll, clock, until)
        if tls:
            shaking = True
            sock = tls.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
            sock.setblocking(False)
        client = Client(sock, clock, keepalive, on_message, on_ack)
        client.answer = _CONNACK
        client.write(whole)  # TLS shakes hands in it
        await _until(_is_out, client, clock, until)
        shaking = False
        asyncio.create_task(client.run())  # noqa: RUF006 - MicroPython's loop holds it
        await _until(_is_answered, client, clock, until)
        _check_connack(client.answer)
        return client
    except BaseException as error:
        if client:
            client.fail(error)
        else:
            sock.close()
        plain.close()  # TLS whose handshake failed leaves it open
        if not isinstance(error, FAILURES):
            raise
        if left and shaking and isinstance(error, OSError) and error.errno == errno.ECONNRESET:
            return None
        failure = load("send.failure").told(error, shaking)
    raise failure


def _found(host, port, last, feed):
    # What getaddrinfo gives; it blocks the loop.
    feed()
    try:
        last = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    except OSError as error:
        if last is None:  # where the name server is dead, what it last said still serves
            raise MqttError("name", host + ": " + str(error))
    feed()
    return last


def _dial(address):
    # A socket that connects.
    sock = socket.socket(address[0], address[1], address[2])
    try:
        sock.setblocking(False)
        sock.setsockopt(_TCP, _NODELAY, 1)  # a TLS socket has no setsockopt: before it is wrapped
        sock.connect(address[4])
    except OSError as error:
        if error.errno != errno.EINPROGRESS:
            sock.close()
            raise load("send.failure").told(error)
    return sock


async def _until(done, subject, clock, until):
    while not done(subject):
        if clock.ms() >= until:
            raise asyncio.TimeoutError
        await asyncio.sleep_ms(_POLL_MS)


def _is_up(poll):
    return poll.poll(0)  # or could not be had: its first write tells


def _is_out(client):
    if client.out:
        client.flush()
    if client.why:
        raise client.why
    return not client.out


def _is_answered(client):
    if isinstance(client.answer, int) and client.why:
        raise client.why
    return not isinstance(client.answer, int)


def _connect_packet(client_id, keepalive_s, will):
    # CONNECT for a session that the broker keeps (3.1).
    flags = 0
    fields = field(client_id.encode())
    if will:
        topic, payload, qos, retain = will
        flags = 0x04 | qos << 3 | (0x20 if retain else 0)
        fields += field(topic.encode()) + field(payload)
    return packet(0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big"), fields)


def _check_connack(body):
    # 3.2: whether the broker had kept our session, and its answer.
    if len(body) != 2 or body[0] > 1 or body[1] > 5:
        raise MqttError("protocol", "CONNACK")
    if body[1]:
        raise MqttError("refused", "CONNACK %d" % body[1])
