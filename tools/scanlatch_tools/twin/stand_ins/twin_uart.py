# machine.UART on a pseudo-terminal, whose other end is the scan engine.
import select
import termios

from micropython import const
from twin_trace import FOLDER, end, line

_ISPEED = const(4)  # places in what tcgetattr gives
_OSPEED = const(5)
_CC = const(6)
_VMIN = const(6)
_VTIME = const(5)
_ANY_PIN = const(4)
# Speeds by Linux's numbers: MicroPython has no names for the slow ones.
_CODES = {1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0x1001, 115200: 0x1002}


class UART:
    def __init__(self, id, baudrate=115200, bits=8, parity=None, stop=1, **options):
        if id not in (1, 2):
            raise ValueError("UART(%s) does not exist, or is the console's" % id)
        self._file = open(FOLDER + "/uart", "r+b", 0)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._rxbuf = 256
        self._baud = 115200
        self.init(baudrate, bits, parity, stop, **options)

    def init(self, baudrate=None, bits=8, parity=None, stop=1, **options):
        import machine

        self._rxbuf = max(256, options.pop("rxbuf", self._rxbuf))
        for name in ("tx", "rx"):
            machine.check_pin(options.pop(name, _ANY_PIN), name == "tx")
        if options:
            raise TypeError("extra keyword arguments given")
        if (bits, parity, stop) != (8, None, 1):
            raise ValueError("the twin's engines speak 8N1")
        self._baud = baudrate or self._baud
        fd = self._file.fileno()
        termios.setraw(fd)  # drops what was received and not read, as the chip's driver does
        settings = termios.tcgetattr(fd)
        settings[_ISPEED] = settings[_OSPEED] = _CODES[self._baud]
        settings[_CC][_VMIN] = settings[_CC][_VTIME] = 0  # read gives what there is
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        line("uart", baud=self._baud, rxbuf=self._rxbuf)

    def any(self):
        """1 where there is something: how much, a pseudo-terminal doesn't tell; the chip may say 1 too."""
        for _, event in self._poll.ipoll(0):
            if event & select.POLLHUP:
                line("reset", cause="launcher gone")
                end("KILL")
            return 1
        return 0

    def read(self, size=-1):
        return (self._file.read(4096 if size < 0 else size) if self.any() else None) or None

    def readinto(self, buffer):
        return (self._file.readinto(buffer) if self.any() else None) or None

    def write(self, data):
        self.any()
        return self._file.write(data)
