"""The cable between a host and a board: a pseudo-terminal under a name that stays, and can be pulled and put in."""

import os
import select
import termios
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread, current_thread

_CHUNK = 65_536
_POLL_S = 0.02
_FULL_S = 0.001
_PATIENCE_S = 5.0
SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1500000, 2000000)
    if hasattr(termios, f"B{baud}")
}


class Cable:
    """`name` is a link to the pseudo-terminal while the cable is in.

    heard(data, baud): called with what the host sends, in a thread of the cable's; let_go(): the host closed the port.
    """

    def __init__(self, name: Path, heard: Callable[[bytes, int], None], let_go: Callable[[], None]) -> None:
        self.name = name
        self._heard = heard
        self._let_go = let_go
        self._line = -1
        self._lock = Lock()
        self._out = Event()
        self._thread: Thread | None = None

    def put_in(self) -> None:
        """Put the cable in."""
        line, port = os.openpty()
        tty.setraw(port)
        made = self.name.with_name(self.name.name + ".new")
        made.unlink(missing_ok=True)
        made.symlink_to(os.ttyname(port))
        os.close(port)  # only the host holds it: so it shows when it is let go of
        made.replace(self.name)
        self._out.clear()
        self._line = line
        self._thread = Thread(target=self._run, args=(line,), name="cable", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Pull it: the port is gone, whoever has it open. May be called from within `heard` and `let_go`."""
        self._out.set()
        if self._thread is not None and self._thread is not current_thread():
            self._thread.join()
        with self._lock:
            line, self._line = self._line, -1
        if line >= 0:
            self.name.unlink(missing_ok=True)
            os.close(line)

    def say(self, data: bytes) -> None:
        """Send to the host. What nobody has open, or reads in time, is lost, as on a serial line."""
        until = time.monotonic() + _PATIENCE_S
        while data and not self._out.is_set() and time.monotonic() < until:
            with self._lock:
                if self._line < 0 or self._nobody():
                    return
                with suppress(BlockingIOError):
                    data = data[os.write(self._line, data) :]
                    continue
            self._out.wait(_FULL_S)

    def _nobody(self) -> bool:
        poll = select.poll()
        poll.register(self._line, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def _run(self, line: int) -> None:
        os.set_blocking(line, False)
        held = False
        while not self._out.is_set():
            try:
                if not select.select([line], [], [], _POLL_S)[0]:
                    continue
                data = os.read(line, _CHUNK)
                held = True
                baud = SPEEDS.get(termios.tcgetattr(line)[4], 0)
            except BlockingIOError:
                continue
            except (OSError, ValueError, termios.error):  # no host has it open, or it was pulled
                if self._out.is_set():
                    return
                if held:
                    held = False
                    self._let_go()
                self._out.wait(_POLL_S)
                continue
            self._heard(data, baud)
