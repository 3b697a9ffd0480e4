# An update of this package, command by command, into the slot that does not run. Loaded for each: see docs/updates.md.
# pyright: reportAttributeAccessIssue=false, reportOptionalSubscript=false
import asyncio
import json
import os
import sys

from micropython import const

from scanlatch import load

MANIFEST = "update"  # file: message of the manifest whose content arrives
_PACKAGE = "/scanlatch"
_PART = "/part"  # a file of the content while it arrives, in its slot
_NEXT = "/next"  # its header, where that takes more than one chunk
_MOST_CHUNK = const(1024)
_LONGEST_PATH = const(64)
_LARGEST_FILE = const(65_536)
_HEADER = const(5)  # bytes around a file's path
_QUIET_MS = const(300)  # since the engine's last byte: an erase of flash stops all else for 45 ms and more
_LOOK_MS = const(20)
_PATIENCE = const(3_000)  # looks: a minute in which somebody scans
_MISSING = const(2)  # ENOENT
_EXISTS = const(17)  # EEXIST
_FULL = const(28)  # ENOSPC
_FOLDER = const(0x4000)


class Refused(Exception):
    """What can't be done: `result` and `details` of the reply, and the state that stands behind it."""

    def __init__(self, result, details=None, state=None):
        super().__init__(result)
        self.result, self.details, self.state = result, details or {}, state


class Work:
    """One command at work on `terminal`, and what its steps share.

    state: where the content stands, [slot, offset, path of the file that arrives, bytes of it still to come, bytes in
    all]; None where nobody knows: `begin` finds it in the slot again.
    """

    manifest = MANIFEST

    def __init__(self, terminal, state):
        self.terminal, self.state = terminal, state

    async def done(self, name, arguments):
        """(result, details) of a command; `state` is as it left it."""
        state, self.state = self.state, None  # whatever ends in an exception
        try:
            if name == "update-begin":
                state = await load("system.update_begin").begin(self, arguments.get("manifest"))
            elif name == "update-chunk":
                await _chunk(self, state, arguments.get("at"), arguments.get("data"))
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

    def content(self, slot):
        """(Path, bytes that it takes of the content) of each file in a slot, in the content's order."""
        for path in walk(slot + _PACKAGE):
            yield path, _HEADER + len(path) - len(slot) - 1 + os.stat(path)[6]

    def walk(self, folder):
        return walk(folder)

    def resumed(self, slot, at, size):
        """State of a content of `size` bytes, of which whole files make `at`; a part of the next one may be there."""
        state = [slot, at, "", 0, size]
        try:
            with open(slot + _NEXT, "rb") as file:
                header = file.read()
            left = os.stat(slot + _PART)[6]
            if not header:  # the power failed before it was there
                return state
            path = _path(header[1:-4])
        except OSError:  # there is none
            return state
        try:
            os.stat(slot + path)
            return state  # it was named since
        except OSError as error:
            if error.args[0] != _MISSING:
                raise
        state[1:4] = at + len(header) + left, path, int.from_bytes(header[-4:], "big") - left
        if not state[3]:
            _name(state)
        return state


def carry_out(name, arguments, terminal):
    """One of update-begin {manifest}, update-chunk {at, data}, update-commit {digest}: it replies when it is done.

    terminal.update: True while one is at work; else the state that the last one left, see Work.
    """
    state = getattr(terminal, "update", None)
    if state is True:
        return "busy", {}
    counter = terminal.nvs.get_int("command")
    terminal.update = True
    asyncio.create_task(_job(name, arguments, terminal, state, counter))  # noqa: RUF006 - MicroPython's loop holds it
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
    """The same over the console, where the terminal's program does not run: prints {"result", "details"} as JSON.

    Besides: family {}, for what who brings an update wants to know first.
    """
    from scanlatch.keep import store
    from scanlatch.system import board, settings

    class Terminal:
        told = {"engine": ""}  # how it was, nobody knows
        quiet_ms = staticmethod(lambda: _QUIET_MS)

    terminal = Terminal()
    terminal.engine, terminal.settings, terminal.nvs = terminal, settings.load() or {}, store.Nvs(board.nvs())
    if name == "family":
        result, details = "ok", load("system.update_begin").facts(terminal)
    else:
        work = Work(terminal, sys.modules.get("update"))  # between two calls
        result, details = asyncio.run(work.done(name, arguments))
        sys.modules["update"] = work.state  # pyright: ignore
    print(json.dumps({"result": result, "details": details}))


async def _chunk(work, state, at, data):
    # Take the content's bytes from offset `at` on, up to the last whole header.
    if state is None:
        raise Refused("no update begun")
    if not isinstance(data, bytes) or not 0 < len(data) <= _MOST_CHUNK:
        raise Refused("content: 1 to 1024 bytes at once", None, state)
    if at != state[1]:
        raise Refused("not at %d" % state[1], {"at": state[1]}, state)
    here = size = 0
    while here < len(data):
        begins = not state[2]
        if begins:
            size = _header(data, here, state)
            if not size:
                break
            here += size
        piece = data[here : here + state[3]]
        await _write(work, state, piece, data[here - size : here] if begins else None)
        here += len(piece)
    if state[1] == at:
        raise Refused("content: chunk too short", None, state)


def _header(data, here, state):
    # Bytes of the header at `here`, 0 where its end is not there yet; the file that it names is what arrives now.
    size = _HEADER + data[here]
    if here + size > len(data):
        return 0
    path = _path(data[here + 1 : here + size - 4])
    left = int.from_bytes(data[here + size - 4 : here + size], "big")
    if left > _LARGEST_FILE or state[1] + size + left > state[4]:
        raise Refused("content: longer than it may be")
    state[1] += size
    state[2], state[3] = path, left
    return size


def _path(raw):
    for byte in raw:
        if not (48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte in b"_./-"):
            raise Refused("content: path")
    path = "/" + raw.decode()
    if len(path) > _LONGEST_PATH or not path.startswith(_PACKAGE + "/"):
        raise Refused("content: path")
    for part in path.split("/")[1:]:
        if part in ("", ".", ".."):
            raise Refused("content: path")
    return path


async def _write(work, state, piece, header):
    # The next bytes of the file that arrives; header: where they are its first.
    slot = state[0]
    await work.quiet()
    with open(slot + _PART, "wb" if header else "ab") as file:
        file.write(piece)
    state[1] += len(piece)
    state[3] -= len(piece)
    if not state[3]:
        _name(state)
    elif header:
        with open(slot + _NEXT, "wb") as file:
            file.write(header)


def _name(state):
    # The file that arrived is whole.
    slot, path = state[0], state[2]
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(slot + path[:at])
        except OSError as error:
            if error.args[0] != _EXISTS:
                raise
        at = path.find("/", at + 1)
    os.rename(slot + _PART, slot + path)
    state[2] = ""


def walk(folder):
    """Paths of all files below `folder`, in the order of their bytes; none where it is missing."""
    try:
        names = sorted([entry[0] + ("/" if entry[1] == _FOLDER else "") for entry in os.ilistdir(folder)])
    except OSError as error:
        if error.args[0] != _MISSING:
            raise
        return
    for name in names:
        if name.endswith("/"):
            yield from walk(folder + "/" + name[:-1])
        else:
            yield folder + "/" + name
