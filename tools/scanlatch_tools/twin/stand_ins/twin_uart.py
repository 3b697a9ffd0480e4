# machine.UART on a pseudo-terminal, whose other end is the scan engine.
import io
import select
import termios

from micropython import const
from twin_trace import FOLDER, end, line

_POLL = const(3)  # MP_STREAM_POLL
_FILENO = const(10)  # MP_STREAM_GET_FILENO
_RD = const(1)
_WR = const(4)
_ISPEED = const(4)  # places in what tcgetattr gives
_OSPEED = const(5)
_CC = const(6)
_VMIN = const(6)
_VTIME = const(5)
# Speeds that MicroPython has no names for, as Linux numbers them.
_CODES = {1200: 9, 2400: 11, 4800: 12, 19200: 14, 38400: 15}
_PINS = ("tx", "rx", "rts", "cts")
_KNOWN = _PINS + ("txbuf", "rxbuf", "timeout", "timeout_char", "invert", "flow")


class UART(io.IOBase):
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
        for name, value in options.items():
            if name not in _KNOWN:
                raise TypeError("extra keyword arguments given")
            if name in _PINS and value is not None:
                _check(name, value)
        if (bits, parity, stop) != (8, None, 1):
            raise ValueError("the twin's engines speak 8N1")
        if baudrate is not None:
            self._baud = baudrate
        rxbuf = options.get("rxbuf", self._rxbuf)
        self._rxbuf = max(256, rxbuf)
        fd = self._file.fileno()
        termios.setraw(fd)  # drops what was received and not read, as the chip's driver does
        settings = termios.tcgetattr(fd)
        code = getattr(termios, "B%d" % self._baud, None) or _CODES.get(self._baud)
        if code is None:
            raise ValueError("the twin has no %d baud" % self._baud)
        settings[_ISPEED] = settings[_OSPEED] = code
        settings[_CC][_VMIN] = settings[_CC][_VTIME] = 0  # read gives what there is
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        line("uart", baud=self._baud, rxbuf=self._rxbuf)

    def deinit(self):
        self._file.close()

    def any(self):
        """1 where there is something: how much, a pseudo-terminal doesn't tell; the chip may say 1 too."""
        for _, event in self._poll.ipoll(0):
            if event & select.POLLHUP:
                _launcher_gone()
            return 1
        return 0

    def read(self, size=-1):
        return (self._file.read(4096 if size < 0 else size) if self.any() else None) or None

    def readinto(self, buffer, size=None):
        if size is not None:
            buffer = memoryview(buffer)[:size]
        return (self._file.readinto(buffer) if self.any() else None) or None

    def readline(self):
        data = b""
        while not data.endswith(b"\n") and self.any():
            data += self.read(1)
        return data or None

    def write(self, data):
        self.any()
        return self._file.write(data)

    def flush(self):
        pass

    def txdone(self):
        return True

    def ioctl(self, operation, argument):
        if operation == _POLL:
            return (_RD if argument & _RD and self.any() else 0) | (argument & _WR)
        if operation == _FILENO:
            return self._file.fileno()
        return -1


def _check(name, pin):
    import machine

    number = pin.id() if isinstance(pin, machine.Pin) else pin
    if number == -1 and name in ("rts", "cts"):
        return
    machine.check_pin(number)
    if name in ("tx", "rts"):
        machine.check_output(number)


def _launcher_gone():
    line("reset", cause="launcher gone")
    end("KILL")
