# NOR flash as it is: a program only clears bits, an erase sets a sector; what a twin needs all the time of its flash.
#
# Runs on MicroPython and on CPython. `Nor`, which power may fail, and which can be in RAM, is in torn.py.
from micropython import const

_SECTOR = const(4096)
_INVALID_SIZE = const(-0x104)


def __getattr__(name):
    import torn

    return getattr(torn, name)


class Flash:
    """One partition with the block protocol of `esp32.Partition`.

    cells, touched: its bytes, and for each 1 where it was programmed since its erase, as streams; note: called as
    note("flash", op="program" or "erase", block=) behind each; broke: called as broke(rule, block, offset, size) where
    one broke a rule: "programmed twice", "bit must rise". Both never raise, as the chip doesn't.
    """

    def ioctl(self, op, arg=0):
        if op == 6:
            self.seek(arg, 0, _SECTOR)
            for _ in range(8):  # a whole sector at once would cost heap
                self.cells.write(b"\xff" * 512)
                self.touched.write(bytes(512))
            self.note("flash", op="erase", block=arg)
        return self.sectors if op == 4 else _SECTOR if op == 5 else 0

    def readblocks(self, block, buf, offset=0):
        self.seek(block, offset, len(buf))
        self.cells.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        size = len(buf)
        if offset is None:  # as on the chip: the two-argument form erases first
            offset = 0
            for number in range(block, block + (size + _SECTOR - 1) // _SECTOR):
                self.ioctl(6, number)
        cells, touched = bytearray(size), bytearray(size)
        self.seek(block, offset, size)
        self.cells.readinto(cells)
        self.touched.readinto(touched)
        if any(touched):
            self.broke("programmed twice", block, offset, size)
        for i in range(size):
            cells[i] &= buf[i]
        if cells != buf:
            self.broke("bit must rise", block, offset, size)
        self.seek(block, offset, size)
        self.cells.write(cells)
        self.touched.write(b"\1" * size)
        self.note("flash", op="program", block=block)

    def seek(self, block, offset, size):
        at = block * _SECTOR + offset
        if block < 0 or offset < 0 or at + size > self.sectors * _SECTOR:
            raise OSError(_INVALID_SIZE)
        self.cells.seek(at)
        self.touched.seek(at)
