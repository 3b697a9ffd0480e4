# Frames of the "7E 00" register protocol (GROW GM65 manual, parts 8 and 9).
from micropython import const

_READ = const(0x07)
_WRITE = const(0x08)
_SAVE = const(0x09)  # 0x05 erases the engine's own firmware: nothing here can make such a frame
_STATUS_BAD_CRC = const(0x01)  # the Newland engines of this family answer errors, GROW's keep silent
_STATUS_UNKNOWN = const(0x03)
_DATA_MOST = const(245)  # bytes that one write may carry (GM65)


def crc16(data, crc=0):
    """CRC-16/XMODEM, without a table: requests are short and few."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def read(address, count=1):
    """Request for `count` (1 to 255) registers from `address` on."""
    return _frame(_READ, address, bytes((count,)))


def write(address, data):
    """Request that sets the registers from `address` on to `data` (bytes). Raises ValueError over 245 of them."""
    if not 0 < len(data) <= _DATA_MOST:
        raise ValueError(len(data))
    return _frame(_WRITE, address, data)


def save():
    """Request that copies all registers to the engine's flash."""
    return _frame(_SAVE, 0, b"\x00")


def _frame(kind, address, data):
    body = bytes((kind, len(data), address >> 8, address & 0xFF)) + data
    return b"\x7e\x00" + body + crc16(body).to_bytes(2, "big")


class Replies:
    """Tells the replies that are due from what was scanned, in one stream of bytes.

    A barcode may hold the bytes of a reply; so only as many replies are taken out as were asked for, and only whole
    ones of the expected length whose CRC holds. Everything else goes on to `put_data`, byte by byte, in its order.
    """

    def __init__(self, put_data):
        self._put_data = put_data
        self._held = b""  # what may become a reply
        self._length = 1
        self.due = 0
        self.reply = None  # the last reply: its data, or b"" where the engine refused the request

    def expect(self, length):
        """One more reply with `length` bytes of data is due."""
        self.due += 1
        self._length = length
        self.reply = None

    def forget(self):
        """No reply is due any more."""
        self.due = 0
        self.flush()

    def flush(self):
        """What was held back is no reply."""
        held, self._held = self._held, b""
        for byte in held:
            self._put_data(byte)

    def holding(self):
        return len(self._held) > 0

    def put(self, byte):
        if not self.due:
            self._put_data(byte)
            return
        if not self._held and byte != 0x02:
            self._put_data(byte)
            return
        held = self._held + bytes((byte,))
        while held and not self._may_be_reply(held):
            self._put_data(held[0])
            held = held[1:]
        if len(held) >= 6 and len(held) == 6 + held[3]:
            self.reply = held[4:-2] if held[2] == 0 else b""
            self.due -= 1
            held = b""
        self._held = held

    def _may_be_reply(self, held):
        count = len(held)
        if held[0] != 0x02 or (count > 1 and held[1] != 0):
            return False
        if count > 2 and held[2] not in (0, _STATUS_BAD_CRC, _STATUS_UNKNOWN):
            return False
        if count > 3 and held[3] != (self._length if held[2] == 0 else 1):
            return False
        if count > 5 and count == 6 + held[3]:
            return crc16(held[2:-2]) == held[-2] << 8 | held[-1]
        return True
