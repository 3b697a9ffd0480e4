# Files on LittleFS that must survive: whole, or found to be damaged.
import os
import struct
from binascii import crc32

from micropython import const

_LARGEST_FILE = const(16_384)
_MISSING = const(2)  # ENOENT
_TRAILER = const(4)  # CRC-32, little-endian
_NEW = ".new"


def read_file(path):
    """Bytes that write_file() stored; None where there are none. Raises OSError where they are damaged."""
    try:
        size = os.stat(path)[6]
        if size > _LARGEST_FILE + _TRAILER:
            raise _fault(path, "too large")
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        if error.args[0] == _MISSING:
            return None
        raise _fault(path, error)
    data = memoryview(raw)[:-_TRAILER]
    if len(raw) < _TRAILER or struct.unpack("<I", raw[-_TRAILER:])[0] != crc32(data) & 0xFFFFFFFF:
        raise _fault(path, "damaged")
    return bytes(data)


def write_file(path, data):
    """Store up to 16 KiB, all or nothing whenever the power fails. Raises OSError."""
    if len(data) > _LARGEST_FILE:
        raise _fault(path, "too large")
    try:
        with open(path + _NEW, "wb") as file:
            file.write(data)
            file.write(struct.pack("<I", crc32(data) & 0xFFFFFFFF))
        os.rename(path + _NEW, path)
    except OSError as error:
        raise _fault(path, error)


def _fault(path, cause):
    # Its one argument says which file, and why.
    return OSError(path + ": " + str(cause))
