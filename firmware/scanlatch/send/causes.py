# Why a link failed, in five words that a light and a technician understand.
import asyncio

from micropython import const

_EPIPE = const(32)  # not in `errno` on MicroPython
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

    def __init__(self, cause, detail=""):
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
        code = error.args[0] if error.args else 0
        if code in (_ENOMEM, _TLS_NO_MEMORY):
            return MemoryError(str(error))
        # A broker that refuses our certificate sends an alert and closes; who is writing then sees the close.
        if shaking and code in (_EPIPE, _TLS_ALERT):
            cause = "certificate"
        elif _TLS_LOWEST < code < _TLS_HIGHEST and code not in _TLS_LINK:
            cause = "protocol"
    return MqttError(cause, (type(error).__name__ + " " + str(error).strip()).strip())
