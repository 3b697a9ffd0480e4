# GROW GM65, GM60, GM805, GM861 and their kin: registers, read and written in frames with a CRC.
from scanlatch.read.engines.commanded import Commanded

_STATUSES = b"\x00\x01\x03"  # done; bad CRC, unknown: from Newland's engines of this family, GROW's keep silent


class Driver(Commanded):
    """See `Commanded`. Frames are data and CR; the family has no AIM identifiers."""

    ON = b"\x7e\x00\x08\x01\x00\x02\x01\x02\xda"  # write register 0002 (manual, part 3.4)
    OFF = b"\x7e\x00\x08\x01\x00\x02\x00\x12\xfb"
    BEAT = b"\x7e\x00\x07\x01\x00\x00\x01\x01\x41"  # read register 0000
    IS = b"\xd5"  # command mode, see `grow_setup`
    fast_failures = 0  # how often it did not answer after the change to 115200 baud

    def as_reply(self, held):
        """The data of `02 00, status, count, data, CRC` (manual, part 8); b"" where the status says refused."""
        count = len(held)
        if held[:2] != b"\x02\x00"[:count] or (count > 2 and held[2] not in _STATUSES):
            return False
        if count < 4 or count < held[3] + 6:
            return count < 4 or 0 < held[3] <= 5  # as many registers as are ever asked for
        if crc16(held[2:-2]) != held[-2] << 8 | held[-1]:
            return False
        return b"" if held[2] else held[4:-2]


def crc16(data):
    """CRC-16/XMODEM, without a table: requests are short and few."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc
