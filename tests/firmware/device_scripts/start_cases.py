# The start where something can't be had: tried again by the watchdog a minute later, never at once and for ever.
import asyncio

from cases import equal
from scanlatch import app, start


class _Board:
    """What the program does to the box."""

    def __init__(self):
        self.done = []

    def nvs(self):
        return None

    def watchdog(self, timeout_ms):
        self.done.append(timeout_ms)

    def restart(self):
        self.done.append("restart")


def _no_room(*_):
    raise MemoryError


def _run(**changes):
    """What the box is told where these things of `start` are others."""
    board, before = _Board(), {name: getattr(start, name) for name in changes}
    boards, app_forget = (app.board, start.board), app.forget
    app.board = start.board = board
    app.forget = lambda module: None  # else the next start would be another
    for name, value in changes.items():
        setattr(start, name, value)
    try:
        app.run()
    finally:
        app.board, start.board = boards
        app.forget = app_forget
        for name, value in before.items():
            setattr(start, name, value)
    return board.done


class _Box:
    light = None


class _Wiring:
    __name__ = "scanlatch.system.wiring"

    def board(self, *_):
        return _Box


class _Store:
    __name__ = "scanlatch.keep.store"

    def Nvs(self, _):
        return self

    def get_bytes(self, _):
        return None


def test_settings_that_memory_has_no_room_for_are_tried_again_by_the_watchdog():
    equal(_run(_settings=_no_room), [60_000])


def test_a_terminal_and_its_light_that_memory_has_no_room_for_are_tried_again_by_the_watchdog():
    done = _run(
        _settings=lambda: {"board": {}},
        wiring=_Wiring(),
        store=_Store(),
        forget=lambda module: None,
        _fill=_no_room,
        Indicator=_no_room,
    )
    equal(set(done), {60_000})


def test_a_light_alone_that_falls_is_tried_again_by_the_watchdog():
    class Light:
        async def run(self):
            raise MemoryError

    equal(_run(build=lambda terminal: Light()), [60_000])


def test_a_terminal_at_work_that_falls_starts_again_at_once():
    def build(terminal):
        async def run():
            raise MemoryError

        terminal.run = run
        return terminal

    equal(_run(build=build), ["restart"])


def test_a_time_server_that_nobody_can_ask_is_told_and_the_terminal_works():
    ran = []

    class Part:
        def hold(self, name, on):
            pass

        async def run(self, *_):
            ran.append("light")

    def build(terminal):
        async def job():
            ran.append("job")

        terminal.device, terminal.boot, terminal.scanner = "d-1", 1, Part()
        terminal.scanner.fault, terminal.indicator, terminal.told = None, Part(), {"operation": "sale"}
        terminal._read = job

        async def look():  # the one that goes on: the others are at work by then
            await asyncio.sleep_ms(10)
            await job()

        terminal._look = look
        terminal.journal_stands, terminal.ntp = False, "time.example"
        return terminal

    for error in (MemoryError, OSError):

        def fails(name):
            equal(name, "system.ntp")
            raise error

        real, app.load = app.load, fails
        try:
            equal(_run(build=build), [])
        finally:
            app.load = real
    equal(ran, ["light", "job", "job"] * 2)
