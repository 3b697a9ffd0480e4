# Flash that fails without a power cut, for good or once, mostly without a word. Runs on MicroPython and on CPython.
from torn import Nor

SECTOR = 4096
PROGRAMS = ("deaf", "part", "dull", "refused")
ERASES = ("numb", "sticky", "unerased")
WORN = ("worn", "dead")
KINDS = PROGRAMS + ERASES + WORN
_FAILED = -0x6001  # ESP_ERR_FLASH_OP_FAIL


class Bad(Nor):
    """Nor, one of whose operations fails as `kind` says; nth counts those that it can befall.

    A program is not done (deaf), done in its first half (part), leaves single bits (dull), or is refused with an error
    (refused). An erase is not done (numb), leaves single bits (sticky), or is refused (unerased). From that operation
    on its sector takes no program and no erase rightly (worn), or refuses both with an error (dead).
    """

    nth = 0
    kind = None
    reached = False
    _worn = -1

    def plan(self, kind, nth):
        self.kind, self.nth = kind, nth

    def ioctl(self, op, arg=0):
        if op != 6:
            return super().ioctl(op, arg)
        if not self._befalls(ERASES, arg):
            return super().ioctl(op, arg)
        if self.kind in ("unerased", "dead"):
            raise OSError(_FAILED)
        if self.kind == "numb":
            return 0
        super().ioctl(op, arg)
        for at in range(7, SECTOR, 801):
            self.cells.bytes[arg * SECTOR + at] &= 0xF7
        return 0

    def writeblocks(self, block, buf, offset=None):
        if not self._befalls(PROGRAMS, block):
            super().writeblocks(block, buf, offset)
            return
        kind = self.kind
        if kind in ("refused", "dead"):
            raise OSError(_FAILED)
        if kind == "deaf":
            return
        at, size = block * SECTOR + offset, len(buf)
        cells = self.cells.bytes
        before = bytes(cells[at : at + size])
        super().writeblocks(block, buf, offset)
        if kind == "part":
            cells[at + size // 2 : at + size] = before[size // 2 :]
            return
        for i in range(3 % size, size, 13):  # dull or worn: some bits of what was to be cleared are not
            cells[at + i] |= before[i] & 0x11

    def _befalls(self, kinds, block):
        if block == self._worn:
            return True
        if not self.nth or (self.kind not in kinds and self.kind not in WORN):
            return False
        self.nth -= 1
        if self.nth:
            return False
        self.reached = True
        if self.kind in WORN:
            self._worn = block
        return True


def bad(flash):
    """A copy of a Nor as it is now, that can be made to fail."""
    made = Bad(0, seed=7)
    made.sectors = flash.sectors
    made.cells.bytes, made.touched.bytes = flash.cells.bytes[:], flash.touched.bytes[:]
    return made
