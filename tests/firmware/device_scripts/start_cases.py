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


class _Parts:
    """A terminal's parts whose tasks do nothing, but for the one that falls."""

    def __init__(self, falling, error):
        self.falling, self.error = falling, error
        self.worked = []

    def task(self, name):
        async def work(*_):
            await asyncio.sleep_ms(5)  # all of them are at work by then
            if name == self.falling:
                raise self.error
            for _ in range(50):  # where nothing ends them, the test does
                self.worked.append(name)
                await asyncio.sleep_ms(5)

        return work

    def hold(self, name, on):
        pass

    def watch(self, name, limit_ms):
        return None

    def feed(self):
        pass

    def of(self, name):
        """What has a task of this name."""
        made = type("Part", (), {})()
        made.run, made.hold, made.watch, made.feed, made.link = self.task(name), self.hold, self.watch, self.feed, None
        made.fault = None
        return made


_TASKS = ("light", "engine", "uplink", "idle", "ntp", "look")


def _falls(name, error, made=_Parts):
    """What the box is told where this one of a whole terminal's tasks raises that, and who worked on."""
    parts = made(name, error)

    def build(terminal):
        terminal.device, terminal.boot, terminal.told = "d-1", 1, {"operation": "sale"}
        terminal.indicator, terminal.uplink = parts.of("light"), parts.of("uplink")
        terminal.scanner = terminal.dog = terminal.box = parts.of("")
        terminal.clock, terminal.journal_stands, terminal.ntp = None, True, "time.example"
        terminal._read, terminal._look = parts.task("engine"), parts.task("look")
        return terminal

    real = app.load, app.idle
    app.load, app.idle = lambda name: parts.of("ntp"), parts.of("idle")
    try:
        done = _run(build=build)
    finally:
        app.load, app.idle = real
        asyncio.new_event_loop()
        asyncio.get_event_loop().set_exception_handler(None)
    return done, set(parts.worked)


def test_any_task_of_a_terminal_at_work_that_falls_has_it_start_again():
    for name in _TASKS:
        for error in (MemoryError(), OSError(5), ValueError("x"), RuntimeError("recursion"), asyncio.TimeoutError()):
            done, worked = _falls(name, error)
            equal((name, done), (name, ["restart"]))
            equal(name in worked, False)


def test_a_person_at_the_console_stops_it_whichever_task_is_at_work():
    for name in _TASKS:
        equal((name, _falls(name, KeyboardInterrupt())[0]), (name, [600_000]))


def test_a_task_that_was_begun_by_another_and_falls_has_it_start_again_too():
    async def job():
        raise MemoryError

    class Begins(_Parts):
        def task(self, name):
            async def work(*_):
                asyncio.create_task(job())
                await asyncio.sleep_ms(250)

            return work

    equal(_falls("", None, Begins)[0], ["restart"])


def test_a_task_that_is_cancelled_ends_nothing_else():
    async def job():
        await asyncio.sleep_ms(10_000)

    class Cancels(_Parts):
        def task(self, name):
            async def work(*_):
                task = asyncio.create_task(job())
                await asyncio.sleep_ms(5)
                task.cancel()
                await asyncio.sleep_ms(50)
                if name == "look":
                    raise KeyboardInterrupt  # all stood until here
                await asyncio.sleep_ms(10_000)

            return work

    equal(_falls("", None, Cancels)[0], [600_000])
