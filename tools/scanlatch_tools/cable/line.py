"""mpremote's transport on a port of ours: every wait has an end, and nothing is printed."""

import os
import select
import time
from contextlib import suppress
from typing import Any

from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]

_BAUD = 115_200
_BYTE_S = 10.0  # one answer to the raw paste mode, or one write
_POLL_S = 0.005  # where a port can't be waited for
_RAW = b"raw REPL; CTRL-B to exit\r\n"
_SOFT = b"soft reboot\r\n"
_BANNER_S = 1.5  # then it is asked again
_SOFT_S = 20.0  # a soft reset, with a boot.py
_SILENCE_S = 0.2
_SAID_MOST = 1 << 20  # bytes of one answer: many times what we ever ask for
_FLOOD = 65_536  # bytes that a running program may print before it hears

_transport: Any = SerialTransport  # comes without types


class _Port:
    """A serial port whose bytes are taken from it as they lie there, not one by one."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._kept = b""
        self.write, self.close = port.write, port.close

    @property
    def in_waiting(self) -> int:
        return len(self._kept) or self._port.in_waiting

    def inWaiting(self) -> int:  # noqa: N802 - as mpremote calls it
        return self.in_waiting

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer where they don't come in time."""
        while len(self._kept) < size:
            more = self._port.read(self._port.in_waiting or 1)
            if not more:
                break
            self._kept += more
        data, self._kept = self._kept[:size], self._kept[size:]
        return data

    def wait(self, wait_s: float) -> bool:
        """Whether there is something to read after `wait_s` seconds at most."""
        if self.in_waiting:
            return True
        if os.name == "nt":
            time.sleep(min(_POLL_S, wait_s))
        else:
            select.select([self._port], [], [], max(0.0, min(wait_s, _BYTE_S)))
        return bool(self._port.in_waiting)

    def let_go(self) -> None:
        """The lines in the order in which no board takes it for a reset; a pseudo-terminal has none."""
        with suppress(OSError):
            self._port.rts = False
            self._port.dtr = False


class Line(_transport):
    """A port that is open, from `ports.opened`."""

    def __init__(self, port: Any) -> None:
        port.baudrate = _BAUD
        port.timeout = port.write_timeout = _BYTE_S
        self.serial = _Port(port)
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.mounted = False
        self.is_pty = False

    def read_until(
        self,
        min_num_bytes: int,  # noqa: ARG002 - mpremote's own signature
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Any = None,  # noqa: ARG002
        timeout_overall: float | None = None,
    ) -> bytes:
        """Read up to `ending`, until `timeout` seconds are silent, or `timeout_overall` are over."""
        data = bytearray()
        begun = heard = time.monotonic()
        while not data.endswith(ending):
            now = time.monotonic()
            ends = [begun + timeout_overall] if timeout_overall is not None else []
            ends += [heard + timeout] if timeout is not None else []
            if (ends and now >= min(ends)) or len(data) > _SAID_MOST:
                break
            if self.serial.wait(min(ends) - now if ends else _BYTE_S):
                data += self.serial.read(1)
                heard = time.monotonic()
        return bytes(data)

    def close(self) -> None:
        """Let go of the port."""
        self.serial.let_go()
        self.serial.close()

    def enter(self) -> bool:
        """Stop what runs, and begin anew at the raw console, where nothing of ours runs; whether it answers so."""
        self.in_raw_repl = False
        self.serial.write(b"\r\x03")
        self._drain()
        self.serial.write(b"\r\x01")
        if not self._hears(_RAW + b">", _BANNER_S):
            return False
        self.serial.write(b"\x04")
        if not self._hears(_SOFT, _SOFT_S) or not self._hears(_RAW, _SOFT_S):
            return False
        self.in_raw_repl = True
        return True

    def chunk(self, wait_s: float) -> bytes:
        """What has come, after `wait_s` seconds at most."""
        return self.serial.read(self.serial.in_waiting or 1) if self.serial.wait(wait_s) else b""

    def _hears(self, wanted: bytes, limit_s: float) -> bool:
        return self.read_until(1, wanted, timeout=None, timeout_overall=limit_s).endswith(wanted)

    def _drain(self) -> None:
        heard = 0
        while heard < _FLOOD and (data := self.chunk(_SILENCE_S)):
            heard += len(data)
