# The way to the broker: a socket that connects, and why it failed, in words that a light and a technician know.
import asyncio
import errno
import socket

from micropython import const

_TCP = const(6)  # IPPROTO_TCP and TCP_NODELAY have no names on MicroPython
_NODELAY = const(1)
_EPIPE = const(32)  # nor has this in `errno`
_ENOMEM = const(12)
# Mbed TLS errors as OSError carries them (ssl.h). A bad certificate of the broker comes as ValueError.
_TLS_LOWEST = const(-0x8000)
_TLS_HIGHEST = const(-0x6000)
_TLS_ALERT = const(-0x7780)
_TLS_NO_MEMORY = const(-0x7F00)
_TLS_LINK = (-0x7280, -0x7880, -0x6800)  # end of stream, close notify, timeout


class MqttError(Exception):
    """The link can't be had or has ended.

    cause: "network", "name" (of the broker not found), "refused" (by the broker), "certificate" (theirs or
    ours) or "protocol" (what came is not MQTT 3.1.1); detail: text for health and for a technician.
    """

    def __init__(self, cause, detail):
        super().__init__(cause, detail)
        self.cause = cause
        self.detail = detail


# All that a socket, TLS or a wait with a deadline raises.
FAILURES = (MqttError, OSError, ValueError, EOFError, MemoryError, asyncio.TimeoutError)


def told(error, shaking=False):
    """Any of FAILURES as MqttError; MemoryError stays. shaking: the TLS handshake was not done."""
    if isinstance(error, (MqttError, MemoryError)):
        return error
    cause = "network"
    if isinstance(error, ValueError):
        cause = "certificate"
    elif isinstance(error, OSError):
        code = error.errno or 0
        if code in (_ENOMEM, _TLS_NO_MEMORY):
            return MemoryError(str(error))
        # A broker that refuses our certificate sends an alert and closes; who is writing then sees the close.
        if shaking and code in (_EPIPE, _TLS_ALERT):
            cause = "certificate"
        elif _TLS_LOWEST < code < _TLS_HIGHEST and code not in _TLS_LINK:
            cause = "protocol"
    return MqttError(cause, (type(error).__name__ + " " + str(error).strip()).strip())


def find(host, port, last, feed):
    """What getaddrinfo gives; it blocks the loop, so `feed` is called around it. last: what it gave before, or None.

    Raises MqttError "name" where there is nothing.
    """
    if feed:
        feed()
    try:
        last = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    except OSError as error:
        if last is None:  # where the name server is dead, what it last said still serves
            raise MqttError("name", host + ": " + str(error))
    if feed:
        feed()
    return last


def dial(address, tls, name):
    """asyncio's stream on a socket that connects to what getaddrinfo gave; tls, name: its context, or None. OSError."""
    dialled = socket.socket(address[0], address[1], address[2])
    try:
        dialled.setblocking(False)
        dialled.setsockopt(_TCP, _NODELAY, 1)  # a TLS socket has no setsockopt: before it is wrapped
        try:
            dialled.connect(address[4])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        if tls:
            dialled = tls.wrap_socket(dialled, server_hostname=name, do_handshake_on_connect=False)
            dialled.setblocking(False)
        return asyncio.StreamReader(dialled)
    except Exception:
        dialled.close()
        raise
