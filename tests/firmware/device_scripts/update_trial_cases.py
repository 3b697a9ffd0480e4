# What becomes of a new version: confirmed where it does its work, taken back where not, and nothing older behind it.
import asyncio
import os

from cases import equal
from scanlatch.system import trial, update_begin, update_commit
from update_desk import CONTENT, MESSAGE, OLD, Started, held, manifest


def test_an_older_or_the_same_version_is_refused_also_when_file_or_store_forget():
    for forget in ((), ("slot",), ("update",)):
        with Started() as terminal:
            terminal.deliver(MESSAGE, CONTENT)
            terminal.restart()
            trial.look(terminal)
            for name in forget:
                if name == "slot":
                    os.remove("slot")
                    os.remove("a/whole")  # else boot.py may choose either
                else:
                    terminal.nvs.held.clear()
            equal(terminal.restart(), "b")
            for counter in (4, 5):
                equal(terminal.begin(manifest(CONTENT, counter))[0], "counter is not above 5")
            equal(terminal.begin(manifest(CONTENT, 6))[0], "ok")


def test_a_version_that_is_never_confirmed_is_taken_back_after_three_starts():
    with Started() as terminal:
        terminal.deliver(MESSAGE, CONTENT)
        equal([terminal.restart() for _ in range(5)], ["b", "b", "b", "a", "a"])
        equal((trial.look(terminal), held("a")), ("taken back", OLD))
        equal(terminal.begin(MESSAGE), ("ok", {"at": len(CONTENT)}))  # it is there still, and may be tried again
        equal(terminal.commit(MESSAGE), ("ok", {}))
        equal(terminal.restart(), "b")
        equal(trial.look(terminal), None)
        equal(terminal.restart(), "b")


def test_nothing_begins_while_a_version_is_on_trial():
    with Started() as terminal:
        terminal.deliver(MESSAGE, CONTENT)
        terminal.restart()
        equal(terminal.begin(manifest(CONTENT, 9))[0], "on trial")
        equal(terminal.commit(MESSAGE)[0], "on trial")
        equal(held("a"), OLD)


def test_a_version_is_confirmed_only_where_the_terminal_is_as_well_as_before():
    with Started() as terminal:
        terminal.deliver(MESSAGE, CONTENT)
        terminal.restart()
        terminal.fault = "journal"
        equal(trial.look(terminal), "on trial")
        terminal.fault, terminal.told = None, {"engine": ""}
        equal(trial.look(terminal), "on trial")
        terminal.told = {"engine": "GM65"}
        equal(trial.look(terminal), None)
    with Started() as terminal:
        terminal.told = {"engine": ""}  # had none before, either
        terminal.deliver(MESSAGE, CONTENT)
        terminal.restart()
        equal(trial.look(terminal), None)


def test_a_store_that_fails_at_the_confirmation_is_tried_again():
    def broken(name, value):
        raise OSError(5)

    with Started() as terminal:
        terminal.deliver(MESSAGE, CONTENT)
        terminal.restart()
        terminal.nvs.set_int = broken
        try:
            trial.look(terminal)
        except OSError:
            pass
        equal(terminal.begin(MESSAGE)[0], "counter is not above 5")
        del terminal.nvs.set_int
        equal((trial.look(terminal), terminal.nvs.held), (None, {"update": 5}))


def test_a_pointer_that_is_gone_or_damaged_starts_a_whole_slot():
    for damaged in (None, b"", b"a - 0 0 -", b"\xff" * 20, bytes(64)):
        with Started() as terminal:
            _, details = terminal.begin(MESSAGE)
            terminal.chunk(0, CONTENT[:1024])
            if damaged is not None:
                with open("slot", "wb") as file:
                    file.write(damaged)
            equal(terminal.restart(), "a")
            terminal.deliver(MESSAGE, CONTENT)
            equal(terminal.restart(), "b")
            trial.look(terminal)
            terminal.begin(manifest(CONTENT, 6))  # from here on a is no slot
            os.remove("slot")
            equal(terminal.restart(), "b")


class _AtWork:
    """A terminal with somebody at it, as far as a restart asks; each thing that keeps it from one is a name here."""

    BUSY = ("_replies", "out", "attention", "opened", "chosen", "operator")

    def __init__(self):
        self.uplink = self.client = self.session = self.answers = self.engine = self.terminal = self
        for name in self.BUSY:
            setattr(self, name, None)
        self.ms, self.restarts, self.looks = 2_000, 0, 0

    def quiet_ms(self):
        return self.ms

    async def quiet(self):
        pass

    def restart(self):
        self.restarts += 1

    async def sleep_ms(self, ms):
        self.looks += 1
        await asyncio.sleep_ms(0)


async def _restarted(terminal, looks):
    # Whether it restarts within so many looks.
    before, patient, update_commit.asyncio = terminal.looks, update_commit.asyncio, terminal
    task = asyncio.create_task(update_commit.restart(terminal))
    try:
        while not terminal.restarts and terminal.looks - before < looks:
            await asyncio.sleep_ms(0)
    finally:
        task.cancel()
        update_commit.asyncio = patient
    return terminal.restarts > 0


async def test_a_new_version_restarts_no_terminal_at_which_somebody_is():
    equal(await _restarted(_AtWork(), 3), True)
    for name in _AtWork.BUSY:
        terminal = _AtWork()
        setattr(terminal, name, "S-1")
        equal((name, await _restarted(terminal, 3)), (name, False))
        setattr(terminal, name, None)
        terminal.ms = 1_999
        equal(await _restarted(terminal, 3), False)
        terminal.ms = 2_000
        equal(await _restarted(terminal, 3), True)


async def test_a_new_version_does_not_wait_for_ever():
    terminal = _AtWork()
    terminal.opened = "S-1"
    equal((await _restarted(terminal, 5_999), await _restarted(terminal, 10_000)), (False, True))


class _Sys:
    """An interpreter for RISC-V with options of its processor above the architecture, as newer ones tell them."""

    platform = "esp32"
    implementation = None
    _mpy = 1 << 16 | 11 << 10 | 3 << 8 | 6


def test_an_interpreter_that_tells_more_of_its_processor_is_of_the_same_family():
    told, _Sys.implementation, update_begin.sys = update_begin.sys, _Sys, _Sys
    try:
        equal(update_begin.family(), "esp32-rv32imc-6.3")
    finally:
        update_begin.sys = told
