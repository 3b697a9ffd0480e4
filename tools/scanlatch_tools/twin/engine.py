"""The scan engine at the other end of the twin's serial line: a simulator on a pseudo-terminal."""

import array
import fcntl
import os
import selectors
import termios
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from scanlatch_tools.twin.engines import Simulator

_CHUNK = 4096
_BAUDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 4800, 9600, 19200, 38400, 57600, 115200, 230400)
    if hasattr(termios, f"B{baud}")
}


class Engine:
    """Runs `simulator` in a thread of its own, on a pseudo-terminal whose device end is `port`.

    room: how many bytes the device's receive buffer holds; what comes above that is lost, as on the chip.
    on_sent(bytes, reads, lost): called when the last byte of something has reached the device; reads: symbols read so
    far; lost: bytes of it that there was no room for. on_beep(beeps): called when it beeped on command; how often so
    far.
    """

    def __init__(
        self,
        simulator: Simulator,
        room: Callable[[], int],
        on_sent: Callable[[int, int, int], None],
        on_beep: Callable[[int], None],
    ) -> None:
        self.simulator = simulator
        self.lost = 0  # bytes that the device's receive buffer had no room for
        self._room = room
        self._on_sent = on_sent
        self._on_beep = on_beep
        self._line, self._device = os.openpty()
        tty.setraw(self._device)
        os.set_blocking(self._line, False)
        self.port = Path(os.ttyname(self._device))
        self._wake_read, self._wake_write = os.pipe()
        self._lock = threading.Lock()
        self._sent = self._overrun = 0  # bytes of what is under way, that were taken and not
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def present(self, data: bytes, aim: str | None = None) -> None:
        """A symbol comes under the beam, to be read as soon as the engine is told to."""
        with self._lock:
            self.simulator.present(data, time.monotonic(), aim)
        self._wake()

    def plug(self, put: bool) -> None:
        """Pull the engine's plug, or put it back; the terminal keeps its power."""
        with self._lock:
            if put:
                self.simulator.power_cycle(time.monotonic())
            else:
                self.simulator.unplug(time.monotonic())
        self._wake()

    def power_cycle(self) -> None:
        """The terminal's power went, and the engine's with it; what was on the line is gone."""
        with self._lock:
            self.simulator.remove()
            self.simulator.power_cycle(time.monotonic())
            termios.tcflush(self._device, termios.TCIOFLUSH)
        self._wake()

    def close(self) -> None:
        """End the thread and close the line; once only, since the numbers of its files may be another's by then."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        self._thread.join()
        for descriptor in (self._line, self._device, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _wake(self) -> None:
        os.write(self._wake_write, b"x")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._line, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while not self._closing:
                with self._lock:
                    deadline = self.simulator.next_deadline()
                timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
                ready = [key.fd for key, _ in selector.select(timeout)]
                if self._wake_read in ready:
                    os.read(self._wake_read, _CHUNK)
                with self._lock:
                    if self._line in ready:
                        self._hear()
                    self._speak()

    def _hear(self) -> None:
        beeps = self.simulator.beeps
        with suppress(BlockingIOError):
            self.simulator.receive(os.read(self._line, _CHUNK), time.monotonic(), self._device_baud())
        for count in range(beeps, self.simulator.beeps):
            self._on_beep(count + 1)

    def _speak(self) -> None:
        data = self.simulator.poll(time.monotonic(), self._device_baud())
        if not data:
            return
        waiting = array.array("i", [0])
        fcntl.ioctl(self._device, termios.FIONREAD, waiting)
        fits = max(0, self._room() - waiting[0])
        self._overrun += len(data) - len(data[:fits])
        if data[:fits]:
            os.write(self._line, data[:fits])
        self._sent += len(data[:fits])
        if not self.simulator.line.midway:
            self.lost += self._overrun
            self._on_sent(self._sent, self.simulator.reads, self._overrun)
            self._sent = self._overrun = 0

    def _device_baud(self) -> int:
        return _BAUDS.get(termios.tcgetattr(self._device)[4], 0)
