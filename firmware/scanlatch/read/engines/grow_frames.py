# Frames of the "7E 00" register protocol (GROW GM65 manual, parts 8 and 9).
from micropython import const

# What a request does. 0x05 erases the engine's own firmware: nothing here may make such a frame.
READ = const(0x07)  # as many registers as its one byte of data says
WRITE = const(0x08)
SAVE = const(0x09)  # copies all registers to the engine's flash; its data is 00

_REPLY_SIZE = const(7)  # to a request for one register, or to a write: 02 00, status, 01, value, CRC
_STATUSES = b"\x00\x01\x03"  # done; bad CRC, unknown: from Newland's engines of this family, GROW's keep silent


def crc16(data):
    """CRC-16/XMODEM, without a table: requests are short and few."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def request(kind, address, data):
    """Bytes that tell the engine to do `kind` with the registers from `address` on. data: bytes, at most 245 (GM65)."""
    body = bytes((kind, len(data), address >> 8, address & 0xFF)) + data
    return b"\x7e\x00" + body + crc16(body).to_bytes(2, "big")


class Replies:
    """Tells the replies that are due from what was scanned, in one stream of bytes.

    A barcode may hold the bytes of a reply; so only as many replies are taken out as were asked for, and only whole
    ones whose CRC holds. Everything else goes on to `put_data`, byte by byte, in its order.
    """

    def __init__(self, put_data):
        self._put_data = put_data
        self.held = b""  # what may become a reply
        self.due = 0  # add to it for each request
        self.reply = b""  # the last one: its byte of data, or b"" where the engine refused the request

    def put(self, byte):
        if not self.due or (byte != 0x02 and not self.held):
            self._put_data(byte)
            return
        held = self.held + bytes((byte,))
        while held and not _begins_reply(held):
            self._put_data(held[0])
            held = held[1:]
        if len(held) == _REPLY_SIZE:
            self.reply = b"" if held[2] else held[4:5]
            self.due -= 1
            held = b""
        self.held = held

    def flush(self):
        """What was held back is no reply."""
        held, self.held = self.held, b""
        for byte in held:
            self._put_data(byte)


def _begins_reply(held):
    count = len(held)
    if count > 2 and held[2] not in _STATUSES:
        return False
    if held[:2] != b"\x02\x00"[:count] or (count > 3 and held[3] != 1):
        return False
    return count < _REPLY_SIZE or crc16(held[2:-2]) == held[-2] << 8 | held[-1]
