# Why a link could not be had or has ended, in the words that light and health know. Loaded for each failure.
from micropython import const

from scanlatch.send.mqtt import MqttError

_EPIPE = const(32)  # MicroPython's `errno` has it not
_NO_MEMORY = const((12, 23, 105))  # ENOMEM; ENFILE and ENOBUFS: a socket for which there is none
_EIO = const(5)  # scanlatch.load: a file of this program
# Mbed TLS errors as OSError carries them (ssl.h). A bad certificate of the broker comes as ValueError.
_TLS_LOWEST = const(-0x8000)
_TLS_HIGHEST = const(-0x6000)
_TLS_ALERT = const(-0x7780)
# No memory, as its parts say it: SSL, X.509, PK, ECP, MD, cipher, PEM; low bits beside any: MPI, ASN.1. Then PSA.
_TLS_NO_MEMORY = const((0x7F00, 0x2880, 0x3F80, 0x4D80, 0x5180, 0x6180, 0x1180))
_TLS_NO_MEMORY_LOW = const((0x10, 0x6A))
_PSA_NO_MEMORY = const(141)
_TLS_LINK = const((-0x7280, -0x7880, -0x6800))  # end of stream, close notify, timeout


def told(error, shaking=False):
    """Any of FAILURES as MqttError; MemoryError stays. shaking: the TLS handshake was not done."""
    if isinstance(error, (MqttError, MemoryError)):
        return error
    cause = "network"
    if isinstance(error, ValueError):
        cause = "certificate"
    elif isinstance(error, ImportError):
        cause = "files"
    elif isinstance(error, OSError):
        code = error.errno if isinstance(error.errno, int) else 0  # the network's drivers give a text
        if _is_no_memory(abs(code)):  # Mbed TLS's small codes come positive while hands are shaken
            return MemoryError(str(error))
        if code == _EIO:
            cause = "files"
        # A broker that refuses our certificate sends an alert and closes; who is writing then sees the close.
        if shaking and code in (_EPIPE, _TLS_ALERT):
            cause = "certificate"
        elif _TLS_LOWEST < code < _TLS_HIGHEST and code not in _TLS_LINK:
            cause = "protocol"
    return MqttError(cause, (type(error).__name__ + " " + str(error).strip()).strip())


def _is_no_memory(code):
    # Whether the system, or Mbed TLS, could not allocate; `code` without its sign: one part's in the high bits,
    # another's below.
    if code in _NO_MEMORY or code == _PSA_NO_MEMORY:
        return True
    return code & ~0x7F in _TLS_NO_MEMORY or code & 0x7F in _TLS_NO_MEMORY_LOW
