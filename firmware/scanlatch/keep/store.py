# Small values that must survive: numbers and keys in NVS. Loaded where they are needed, and forgotten behind it.
import struct

from micropython import const

_NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND, as esp32.NVS raises it
_LARGEST_BLOB = const(512)


class StoreFault(OSError):
    """What is stored can't be read or written; `name` is the file or key, `cause` what went wrong.

    Caught as OSError by whoever does not load this file anyway: there may be several of this class at once.
    """

    def __init__(self, name, cause):
        super().__init__(str(name) + ": " + str(cause))
        self.name = name
        self.cause = cause


class Nvs:
    """Values in one namespace of esp32.NVS; each set is committed. Names have at most 15 characters."""

    def __init__(self, nvs):
        self._nvs = nvs

    def get_int(self, name):
        """Number of 0 to 2^63 - 1; None where there is none. Raises StoreFault."""
        raw = self.get_bytes(name)
        if raw is None:
            return None
        if len(raw) != 8:
            raise StoreFault(name, "not a number")
        return struct.unpack("<Q", raw)[0]

    def set_int(self, name, value):
        """Raises StoreFault."""
        if not 0 <= value < 1 << 63:
            raise StoreFault(name, "number out of range")
        self.set_bytes(name, struct.pack("<Q", value))

    def get_bytes(self, name):
        """Up to 512 bytes; None where there are none. Raises StoreFault."""
        buf = bytearray(_LARGEST_BLOB)
        try:
            size = self._nvs.get_blob(name, buf)
        except OSError as error:
            if error.args[0] == _NOT_FOUND:
                return None
            raise StoreFault(name, error)
        return bytes(memoryview(buf)[:size])

    def set_bytes(self, name, value):
        """Raises StoreFault."""
        if len(value) > _LARGEST_BLOB:
            raise StoreFault(name, "more than 512 bytes")
        try:
            self._nvs.set_blob(name, value)
            self._nvs.commit()
        except OSError as error:
            raise StoreFault(name, error)

    def erase(self, name):
        """Forget a value; nothing happens where there is none. Raises StoreFault."""
        try:
            self._nvs.erase_key(name)
            self._nvs.commit()
        except OSError as error:
            if error.args[0] != _NOT_FOUND:
                raise StoreFault(name, error)
