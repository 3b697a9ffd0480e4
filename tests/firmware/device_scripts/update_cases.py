# Updates: what is taken, and what is refused and how.
import asyncio
import os
import sys

from cases import equal, raises
from scanlatch.prove import cbor, cose, hashes, rfc6979
from scanlatch.system import commands, trial, update
from system_desk import NOW, clock
from update_desk import (
    CONTENT, KEY, MESSAGE, NEW, OLD, POINT, Machine, Started, Terminal, held, manifest, packed, prepared
)  # fmt: skip

_OTHER_KEY = bytes(range(2, 34))


def _untouched(terminal):
    equal(held("a"), OLD)
    equal(terminal.restart(), "a")
    equal(trial.look(terminal), None)


def test_an_update_runs_from_the_next_start_and_is_confirmed():
    with Started() as terminal:
        terminal.deliver(MESSAGE, CONTENT)
        equal(held("a"), OLD)
        equal(terminal.restart(), "b")
        equal((held("b"), Machine.watchdog, Machine.timer), (NEW, 60_000, 900_000))
        equal(trial.look(terminal), None)
        equal((Machine.timer, terminal.nvs.held["update"]), (None, 5))
        for _ in range(4):
            equal(terminal.restart(), "b")
        terminal.deliver(manifest(CONTENT, counter=6), CONTENT)
        equal(terminal.restart(), "a")
        equal(trial.look(terminal), None)
        equal((terminal.restart(), held("a")), ("a", NEW))


def test_manifests_that_are_not_to_be_taken_are_refused_and_nothing_is_touched():
    def signed(payload, aad=b"scanlatch/1/update", kid=hashes.sha256(POINT)[:8]):
        return cose.sign1(kid, payload, aad, lambda _: bytes(64))

    good = cbor.loads(cbor.loads(MESSAGE).value[2])
    told = bytearray(MESSAGE)
    told[40] ^= 1
    wrong = {
        "manifest: size": (b"", None, "text", 7, bytes(513)),
        "manifest: cbor": (b"\xff", MESSAGE[:-1], MESSAGE + b"\0"),
        "manifest: frame": (
            b"\x01",
            cbor.dumps(cbor.Tag(17, [b"", {}, b"", b""])),
            cbor.dumps(cbor.Tag(18, [b"", {}])),
        ),
        "manifest: header": (manifest(CONTENT, 5, _OTHER_KEY), signed(b"", kid=b"window-1")),
        "manifest: signature": (signed(cbor.dumps(good)), bytes(told)),
        "manifest: payload": (
            manifest(CONTENT, 5, k1=2),
            manifest(CONTENT, 5, k2="x" * 17),
            manifest(CONTENT, 5, k3="5"),
            manifest(CONTENT, 5, k3=True),
            manifest(CONTENT, 5, k6=b"short"),
            manifest(CONTENT, 5, k9=1),
        ),
        "other family: ": (manifest(CONTENT, 5, family="esp8266-xtensa-6.3"),),
        "too big: ": (manifest(CONTENT, 5, k5=524_289), manifest(CONTENT, 5, k8=201), manifest(CONTENT, 5, k5=0)),
        "no room: ": (manifest(CONTENT, 5, k5=400_000), manifest(CONTENT, 5, k8=60)),
        "counter is not above 0": (manifest(CONTENT, 0),),
    }
    with Started() as terminal:
        for result, messages in wrong.items():
            for message in messages:
                found, details = terminal.begin(message)
                if not found.startswith(result) or details:
                    raise AssertionError("%s, wanted %s" % (found, result))
                equal(terminal.chunk(0, CONTENT[:100])[0], "no update begun")
        equal(os.listdir(), ["a"])
        _untouched(terminal)


def test_a_signature_for_something_else_is_none_for_an_update():
    def sign(message):
        return rfc6979.sign(KEY, hashes.sha256(message))

    other = cose.sign1(hashes.sha256(POINT)[:8], cbor.loads(MESSAGE).value[2], b"scanlatch/1/scan", sign)
    with Started() as terminal:
        equal(terminal.begin(other)[0], "manifest: signature")


def test_a_terminal_without_key_or_without_slots_takes_nothing():
    with Started() as terminal:
        terminal.settings = {}
        equal(terminal.begin(MESSAGE)[0], "no release key")
        terminal.settings = {"release_key": POINT.hex()}
        del sys.path[0]
        equal(terminal.begin(MESSAGE)[0], "no slots: provision this terminal again")


def test_an_update_goes_on_after_an_interruption_at_every_chunk():
    for size in (300, 1024):
        for restart in (False, True):
            with Started() as terminal:
                _, details = terminal.begin(MESSAGE)
                chunks = 0
                while details["at"] < len(CONTENT):
                    at = details["at"]
                    result, details = terminal.chunk(at, CONTENT[at : at + size])
                    equal((result, details["at"] > at), ("ok", True))
                    if restart:
                        equal(terminal.restart(), "a")
                    terminal.state = None
                    equal(terminal.begin(MESSAGE), ("ok", details))
                    chunks += 1
                equal(chunks <= len(CONTENT) // (size - 27) + 1, True)
                equal(terminal.commit(MESSAGE), ("ok", {}))
                equal((terminal.restart(), held("b")), ("b", NEW))


def test_a_chunk_that_is_not_due_is_told_where_to_go_on():
    with Started() as terminal:
        equal(terminal.chunk(0, CONTENT[:9])[0], "no update begun")
        equal(terminal.begin(MESSAGE), ("ok", {"at": 0}))
        equal(terminal.chunk(7, CONTENT[7:9]), ("not at 0", {"at": 0}))
        _, details = terminal.chunk(0, CONTENT[:100])
        equal(terminal.chunk(0, CONTENT[:100]), ("not at %d" % details["at"], details))
        equal(terminal.chunk("0", CONTENT[:100])[0], "not at %d" % details["at"])
        for data in (b"", bytes(1025), "text", None):
            equal(terminal.chunk(details["at"], data)[0], "content: 1 to 1024 bytes at once")
        equal(terminal.commit(MESSAGE)[0], "not at %d" % (len("scanlatch/__init__.mpy") + 5 + 3))
        equal(terminal.commit(b"another")[0], "no update begun")
        _untouched(terminal)


def test_another_manifest_begins_anew():
    with Started() as terminal:
        terminal.begin(MESSAGE)
        terminal.chunk(0, CONTENT[:1024])
        equal(terminal.begin(manifest(CONTENT, 7)), ("ok", {"at": 0}))
        equal(held("b"), {})


def test_rubbish_for_a_content_is_refused_and_never_written_outside_its_slot():
    def header(path, size=3):
        return bytes((len(path),)) + path + size.to_bytes(4, "big") + b"abc"

    paths = (b"main.py", b"/main.py", b"scanlatch", b"scanlatch/", b"scanlatch/../../boot.py", b"scanlatch//x", b"a b")
    paths += (b"scanlatch/./x", b"scanlatch/" + b"x" * 60, b"scanlatch/\xe4", b"", b"../scanlatch/x", b"scanlatch\\x")
    with Started() as terminal:
        for path in paths:
            terminal.begin(MESSAGE)
            equal(terminal.chunk(0, header(path))[0], "content: path")
        for size in (len(CONTENT), 65_537, 0xFFFFFFFF):
            terminal.begin(MESSAGE)
            equal(terminal.chunk(0, header(b"scanlatch/x", size))[0], "content: longer than it may be")
        for counter, size, result in ((5, 65_536, "ok"), (6, 65_537, "content: longer than it may be")):
            terminal.begin(manifest(CONTENT, counter, k5=100_000))
            equal(terminal.chunk(0, header(b"scanlatch/x", size))[0], result)
        terminal.begin(MESSAGE)
        equal(terminal.chunk(0, CONTENT[:20])[0], "content: chunk too short")
        terminal.begin(manifest(CONTENT, 7))
        equal(sorted(os.listdir()), ["a", "b", "update"])
        _untouched(terminal)


def test_an_altered_byte_anywhere_in_the_content_is_found_before_the_switch():
    step = len(CONTENT) // 12
    with Started() as terminal:
        for at in range(step // 2, len(CONTENT), step):
            content = CONTENT[:at] + bytes((CONTENT[at] ^ 1,)) + CONTENT[at + 1 :]
            try:
                terminal.deliver(MESSAGE, content)
            except AssertionError as refused:
                equal(str(refused).startswith("content: ") or str(refused).startswith("not at "), True)
            else:
                raise AssertionError("taken")
            _untouched(terminal)
        terminal.begin(manifest(b"x", 6))  # whatever was left of it
        terminal.deliver(MESSAGE, CONTENT)
        equal(terminal.restart(), "b")


def test_a_byte_that_the_flash_lost_behind_its_arrival_is_found_before_the_switch():
    with Started() as terminal:
        _, details = terminal.begin(MESSAGE)
        while details["at"] < len(CONTENT):
            _, details = terminal.chunk(details["at"], CONTENT[details["at"] : details["at"] + 1024])
        with open("b/scanlatch/app.mpy", "r+b") as file:
            file.write(b"N")
        equal(terminal.commit(MESSAGE)[0], "content: not what was signed")
        equal(terminal.begin(MESSAGE), ("ok", {"at": 0}))
        _untouched(terminal)


def test_flash_that_is_full_is_told_and_what_runs_stays():
    with Started(14) as terminal:
        message = manifest(CONTENT, 5, k5=len(CONTENT), k8=2)
        result = terminal.begin(message)[0]
        at = 0
        while result == "ok" and at < len(CONTENT):
            result, details = terminal.chunk(at, CONTENT[at : at + 1024])
            at = details.get("at", at)
        equal(result[:7], "no room")
        _untouched(terminal)


def test_flash_is_written_only_while_the_engine_is_silent():
    with Started() as terminal:

        async def asked(name, arguments):
            flash = terminal.flash
            terminal.quiet, before = 0, (flash.programs, flash.erases, False)
            work = update.Work(terminal, terminal.state)
            task = asyncio.create_task(work.done(name, arguments))
            for terminal.quiet in (0, 299):
                await asyncio.sleep_ms(80)
                equal((flash.programs, flash.erases, task.done()), before)
            terminal.quiet = 300
            result = await task
            equal((result[0], flash.programs > before[0]), ("ok", True))
            terminal.state = work.state

        asyncio.run(asked("update-begin", {"manifest": MESSAGE}))
        asyncio.run(asked("update-chunk", {"at": 0, "data": CONTENT[:1024]}))


def test_a_command_replies_when_it_is_done_and_one_that_comes_meanwhile_loads_nothing_and_does_not_count():
    class Uplink:
        _replies = []  # noqa: RUF012
        client = None
        woken = 0

        def wake(self):
            self.woken += 1

    class Dispatched(Terminal):
        def __init__(self, flash):
            super().__init__(flash)
            self.device, self.keys, self.uplink = "window-1", (b"bridge-1", bytes(32), None), Uplink()
            self.clock = clock()[0]
            self.clock.synchronise(NOW)

    terminal = Dispatched(prepared())
    terminal.power_on()

    loads, load = [], commands.load

    def counted(name):
        loads.append(name)
        return load(name)

    def opened(reply):
        return cose.open_mac0(reply, commands.AAD_REPLY, bytes(32), b"window-1")

    def told(name, arguments, counter):
        command = cbor.dumps({1: 1, 2: counter, 3: name, 4: arguments, 5: NOW + 1})
        return commands.handle(cose.mac0(b"bridge-1", command, commands.AAD_COMMAND, bytes(32)), terminal)

    async def asked(name, arguments, counter):
        equal(told(name, arguments, counter), None)
        del loads[:]
        others = ("update-begin", {"manifest": MESSAGE}), ("update-chunk", {"at": 0, "data": b"x"})
        for other in others + (("update-commit", {"digest": bytes(32)}),):
            equal(opened(told(other[0], other[1], counter + 1)), {1: 1, 2: counter + 1, 3: "busy", 4: counter, 5: {}})
        equal((loads, terminal.nvs.get_int("command")), ([], counter))
        while terminal.update is True:
            await asyncio.sleep_ms(1)

    commands.load = counted
    try:
        asyncio.run(asked("update-begin", {"manifest": MESSAGE}, 7))
        equal(opened(terminal.uplink._replies[0]), {1: 1, 2: 7, 3: "ok", 4: 7, 5: {"at": 0}})
        asyncio.run(asked("update-chunk", {"at": 0, "data": CONTENT[:1024]}, 8))  # the one that was told "busy" above
    finally:
        commands.load = load
    body = opened(terminal.uplink._replies[1])
    equal((body[2], body[3], body[5]["at"] > 900, terminal.uplink.woken), (8, "ok", True, 2))
    terminal.power_off()


def test_a_command_that_there_is_no_heap_to_begin_leaves_the_next_one_its_turn():
    class Full:
        def create_task(job):  # noqa: N805
            job.close()
            raise MemoryError

    terminal = Terminal(prepared())
    terminal.update = None
    update.asyncio = Full
    try:
        raises(MemoryError, update.carry_out, "update-begin", {"manifest": MESSAGE}, terminal, 7)
    finally:
        update.asyncio = asyncio
    equal(terminal.update, None)
