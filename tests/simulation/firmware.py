"""The device's own package on CPython: loaded once a process, with stand-ins for what only MicroPython has.

Stand-ins are put where the package looks for its interpreter's modules (asyncio, gc, os, time) and for its hardware
(board, wiring, watchdog, the opening of a link). All else is the firmware as it is flashed.
"""

import random
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

_ROOT = Path(__file__).absolute().parents[2]
for _place in ("tools/scanlatch_tools/twin/stand_ins", "tests/stubs", "firmware"):
    sys.path.insert(0, str(_ROOT / _place))

TICKS = 1 << 30  # the chip's ticks_ms wraps here, after 12.4 days


class Sleep:
    """What a device's task waits for: the scheduler of its terminal reads `ms`."""

    __slots__ = ("ms",)

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __await__(self) -> Generator[int, None, None]:
        yield self.ms


def ticks_diff(end: int, start: int) -> int:
    """time.ticks_diff of the chip."""
    return ((end - start + TICKS // 2) & (TICKS - 1)) - TICKS // 2


class _Chance:
    """What the firmware asks of `os`: urandom of whichever terminal's world runs now."""

    def __init__(self) -> None:
        self.random = random.Random(0)

    def urandom(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def listdir(self) -> list[str]:
        """No file that a start asks for."""
        return []


chance = _Chance()
troubles: list[str] = []  # exceptions that the firmware only prints


def _print_exception(error: BaseException) -> None:
    troubles.append(repr(error))


def _module(name: str, **contents: Any) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(contents)
    sys.modules[name] = made
    return made


async def _opened(*given: Any) -> Any:
    terminal = next(one for one in given if hasattr(one, "dial"))
    return await terminal.dial(*given[-2:])  # on_message, on_ack


def _quiet(event: str, **fields: object) -> None:
    """The console has no reader here."""


def _load() -> SimpleNamespace:
    import time

    sys.print_exception = _print_exception  # type: ignore[attr-defined]
    nothing = SimpleNamespace(collect=lambda: None, mem_alloc=lambda: 0, mem_free=lambda: 100_000, threshold=id)
    sleeping = SimpleNamespace(sleep_ms=Sleep, TimeoutError=TimeoutError, run=None)
    import scanlatch

    scanlatch.gc = nothing
    scanlatch.forget = lambda module: None  # type: ignore[assignment]  # a link a second would read its files anew
    board = _module(
        "scanlatch.system.board", restart=lambda: None, watchdog=lambda ms: SimpleNamespace(feed=lambda: None)
    )
    _module("scanlatch.system.wiring", BoardError=Exception)
    _module("scanlatch.system.log", log=_quiet)
    _module("scanlatch.send.opening", opened=_opened)
    sys.modules["time"] = _module("time", ticks_ms=lambda: 0, ticks_diff=ticks_diff, gmtime=time.gmtime, time=time.time)
    import scanlatch.system.clock

    sys.modules["time"] = time
    from scanlatch import app, start
    from scanlatch.read import trace_code

    trace_code.forget = lambda: None  # type: ignore[assignment]
    from scanlatch.keep import audit, journal, recovery
    from scanlatch.prove import rfc6979
    from scanlatch.send import failure, mqtt, uplink, verdict
    from scanlatch.system import commands, health, idle, modes, settings
    from torn import Nor, PowerCut

    try:
        from scanlatch.send import greeting
    except ImportError:
        greeting = verdict
    for one in (uplink, idle, app, greeting):
        one.asyncio = sleeping  # type: ignore[attr-defined]
    for one in (uplink, idle, health, app):
        one.gc = nothing  # type: ignore[attr-defined]
    uplink.os = start.os = chance  # type: ignore[attr-defined]
    loaded = (audit, recovery, rfc6979, failure, commands, modes, settings)
    return SimpleNamespace(
        app=app, start=start, journal=journal, mqtt=mqtt, board=board, idle=idle, clock=scanlatch.system.clock,
        Nor=Nor, PowerCut=PowerCut, loaded=loaded,
    )  # fmt: skip


device: Any = _load()
