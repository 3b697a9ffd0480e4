# An update of this package, command by command, into the slot that does not run. Loaded for each: see docs/updates.md.
# pyright: reportAttributeAccessIssue=false, reportOptionalSubscript=false
import asyncio
import sys

from micropython import const

from scanlatch import load

MANIFEST = "update"  # file: message of the manifest whose content arrives
_QUIET_MS = const(300)  # since the engine's last byte: an erase of flash stops all else for 45 ms and more
_LOOK_MS = const(20)
_PATIENCE = const(3_000)  # looks: a minute in which somebody scans
_FULL = const(28)  # ENOSPC


class Refused(Exception):
    """What can't be done: `result` and `details` of the reply, and the state that stands behind it."""

    def __init__(self, result, details=None, state=None):
        super().__init__(result)
        self.result, self.details, self.state = result, details or {}, state


class Work:
    """One command at work on `terminal`, and what its steps share.

    state: where the content stands, [slot, offset, path of the file that arrives, bytes of it still to come, bytes in
    all]; None where nobody knows: update-begin finds it in the slot again.
    """

    manifest = MANIFEST

    def __init__(self, terminal, state):
        self.terminal, self.state = terminal, state

    async def done(self, name, arguments):
        """(result, details) of a command; `state` is as it left it."""
        state, self.state = self.state, None  # whatever ends in an exception
        try:
            if name == "update-begin":
                # One program behind the other: a terminal at work has no room for all.
                message = arguments.get("manifest")
                manifest, highest = await load("system.update_manifest").verified(self, message)
                slot, at = await load("system.update_begin").made(self, message, manifest, highest)
                state = load("system.update_chunk").resumed(self, slot, at, manifest[5])
            elif name == "update-chunk":
                await load("system.update_chunk").take(self, state, arguments.get("at"), arguments.get("data"))
            else:
                await load("system.update_commit").commit(self, arguments.get("digest"))
                return "ok", {}
        except Refused as refused:
            self.state = refused.state
            return refused.result, refused.details
        except MemoryError:
            return "memory", {}
        except OSError as error:
            return "no room" if error.args[0] == _FULL else "store: " + str(error)[:64], {}
        self.state = state
        return "ok", {"at": state[1]}

    def refuse(self, result, details=None, state=None):
        """Raises Refused."""
        raise Refused(result, details, state)

    async def quiet(self):
        """Wait until no code is on its way from the engine. Raises Refused where that takes more than a minute."""
        for _ in range(_PATIENCE):
            if self.terminal.engine.quiet_ms() >= _QUIET_MS:
                return
            await asyncio.sleep_ms(_LOOK_MS)
        raise Refused("busy")


def carry_out(name, arguments, terminal, counter, _store=None):
    """One of update-begin {manifest}, update-chunk {at, data}, update-commit {digest}: it replies when it is done.

    terminal.update: True while one is at work, and commands.py lets no other in; else the state that the last one left,
    see Work.
    """
    state = getattr(terminal, "update", None)
    terminal.update = True
    try:
        asyncio.create_task(_job(name, arguments, terminal, state, counter))  # noqa: RUF006 - MicroPython's loop holds it
    except MemoryError:  # else it would be busy for ever
        terminal.update = state
        raise
    return None, None  # the reply comes later


async def _job(name, arguments, terminal, state, counter):
    work = Work(terminal, state)
    try:
        result, details = await work.done(name, arguments)
        load("system.commands").reply(terminal, counter, result, details)
        if result == "ok" and name == "update-commit":
            await load("system.update_commit").restart(work)
    except Exception as error:  # the bridge asks again, and gets no other terminal for that
        sys.print_exception(error)
    finally:
        terminal.update = work.state


def by_cable(name, arguments):
    """The same over the console, where the terminal's program does not run."""
    load("system.update_begin").by_cable(name, arguments, Work)
