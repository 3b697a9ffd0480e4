"""Drivers on MicroPython against simulated engines, in a time of their own: a minute of it takes a moment."""

import ast
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.engines import simulator

_SCRIPTS = Path(__file__).parent / "device_scripts"
_FIRMWARE = Path(__file__).parents[2] / "firmware"
_LOOK_S = 0.025  # what a test does comes to the driver within this
_BITS = 10  # a byte on the line: start, eight, stop

KINDS = ["grow", "newland", "honeywell", "ssi", "ssi_lite", "m14", "de2120"]
CODES = [f"8338652000194165{i:04}".encode() for i in range(20)]
GS1 = b"0104150999999994172612311" + b"0ABC\x1d21XYZ"
LONG = b"https://example.com/01/04150999999994/" + b"x" * (512 - 38)
EAN = b"4006381333931"
TORN = ("", b"")


class Engine(Protocol):
    """What stands at the other end of the line, as in `scanlatch_tools.twin.engines.base`."""

    def receive(self, data: bytes, now: float, host_baud: int) -> None: ...
    def poll(self, now: float, host_baud: int) -> bytes: ...
    def next_deadline(self) -> float | None: ...


class Bench:
    """One interpreter; `play` puts a driver and an engine at its two ends."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A fresh interpreter."""
        path = interpreter.search_path(_FIRMWARE, _SCRIPTS, stand_ins=False)
        self._process = subprocess.Popen(
            interpreter.command(["-c", "import engine_desk; engine_desk.serve()"]),
            env={**os.environ, "MICROPYPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, what: object) -> None:
        """One line to the desk."""
        assert self._process.stdin
        self._process.stdin.write(f"{what!r}\n")
        self._process.stdin.flush()

    def hear(self) -> tuple[Any, ...]:
        """One line of the desk."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line or line.startswith("Traceback"):
            raise RuntimeError(line + self._process.stdout.read())  # it has ended
        return ast.literal_eval(line)

    def do(self, code: str) -> None:
        """Run `code` on the device; what it names stays for `value`."""
        self.send(("do", code))
        assert self.hear() == ("done",)

    def value(self, expression: str) -> Any:
        """What `expression` is on the device."""
        self.send(("value", expression))
        return self.hear()[1]

    def play(
        self, kind: str, engine: Engine, *, auto: bool = True, start: float = 0.0, told: int | None = None
    ) -> "Play":
        """A driver of `kind` at one end, `engine` at the other, where it is `start` seconds. told: a speed, if any."""
        self.send(("play", kind, auto, told))
        return Play(self, engine, start)

    def close(self) -> None:
        """End the interpreter."""
        try:
            self._process.communicate(timeout=20)
        finally:
            self._process.kill()

    def kill(self) -> None:
        """End it in the midst of a play."""
        self._process.kill()
        self._process.communicate(timeout=20)


class Play:
    """`now`: seconds; `sent`: what it wrote; `frames`, `states`: what it told."""

    def __init__(self, bench: Bench, engine: Any, start: float) -> None:
        self.engine = engine
        self.now = self._start = start
        self.baud = 9600
        self.sent: list[bytes] = []
        self.frames: list[tuple[str, bytes]] = []
        self.states: list[tuple[str, str]] = []
        self.lost = self.overruns = 0
        self.deaf = False  # cut the wires
        self._bench = bench
        self._on_the_way: list[tuple[float, bytes, int]] = []
        self._words: list[str] = []
        self._waits = False  # the device waits for its line
        self._over = False

    # What a test does

    def until(self, true: Callable[[], object], seconds: float = 60.0) -> None:
        """Let time pass until `true()`."""
        end = self.now + seconds
        while not true():
            assert self.now < end, f"not within {seconds} s: {self.states[-6:]}, {self.frames[-6:]}, {self.sent[-8:]}"
            self._step(end)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        while self.now < end:
            self._step(end)

    def ready(self) -> str:
        """Wait until the driver says that it is; what it says."""
        count = len(self.states)
        self.until(lambda: any(state == "ready" for state, _ in self.states[count:]))
        return self.states[-1][1]

    def scan(self, *codes: bytes, aim: str | None = "]C0") -> None:
        """Put these under the beam one after the other, and wait until as many frames more have come."""
        wanted = len(self.frames) + len(codes)
        for code in codes:
            self.engine.present(code, self.now, aim=aim)
        self.until(lambda: len(self.frames) >= wanted)

    def tell(self, word: str) -> None:
        """on, off; stall: 400 ms in which nobody reads."""
        self._words.append(word)

    def end(self) -> None:
        """Take the driver away."""
        if not self._over:
            self.tell("end")
            self.until(lambda: self._over)

    # The line

    def _step(self, end: float) -> None:
        if self._waits:
            self._answer(end)
        while not self._waits and not self._over:
            what, now, *rest = self._bench.hear()
            self.now = self._start + now / 1000
            getattr(self, "_" + what)(*rest)

    def _now(self) -> None:
        self._waits = True

    def _write(self, baud: int, data: bytes) -> None:
        self.sent.append(data)
        self._on_the_way.append((self.now + len(data) * _BITS / baud, data, baud))

    def _baud(self, baud: int) -> None:
        self.baud = baud

    def _frame(self, identifier: str, data: bytes) -> None:
        self.frames.append((identifier, data))

    def _state(self, state: str, detail: str) -> None:
        self.states.append((state, detail))

    def _end(self, lost: int, overruns: int) -> None:
        self.lost, self.overruns = lost, overruns
        self._over = True

    def _answer(self, end: float) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= self.now:
            at, data, baud = self._on_the_way.pop(0)
            if not self.deaf:
                self.engine.receive(data, at, baud)
        heard = self.engine.poll(self.now, self.baud)
        times = [
            min(end, self.now + _LOOK_S),
            self.engine.next_deadline(),
            self._on_the_way[0][0] if self._on_the_way else None,
        ]
        later = [at for at in times if at is not None and at > self.now]
        next_ms = int((min(later, default=self.now) - self._start) * 1000 + 0.999)
        word = self._words.pop(0) if self._words else ""
        self._waits = False
        self._bench.send((next_ms, b"" if self.deaf else heard, word))


class Wired:
    """A driver and an engine; at its end nothing forbidden may have been sent, and nothing read that was not there."""

    def __init__(
        self, bench: Bench, kind: str, engine: Any = None, *, auto: bool = True, start: float = 0.0, **knobs: Any
    ) -> None:
        self.engine = engine or simulator(kind, **knobs)
        self._bench = bench
        self.play = bench.play(kind, self.engine, auto=auto, start=start)

    def __enter__(self) -> Play:
        return self.play

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # a failure: the device is in the midst of it
            self._bench.kill()
            self._bench.start()
        else:
            self.play.end()
            assert not self.engine.forbidden
            known = {*CODES, GS1, LONG, b"", b"4006381333931"}
            assert {data for _, data in self.play.frames} <= known


def data(play: Play) -> list[bytes]:
    """What was read, without what was torn."""
    return [data for _, data in play.frames if data]
