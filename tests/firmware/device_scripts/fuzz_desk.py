"""Foreign bytes for the device's own decoders, one case a line: kind and bytes in, what came of it out.

"ok", or the name of the error by which the decoder refuses; anything else it raises ends this program.
"""

import asyncio
import os
import struct
import sys
from binascii import crc32

from command_cases import _Counts, _Shown, _Terminal
from nor import Nor
from scanlatch.keep import files
from scanlatch.keep.journal import Journal, JournalError
from scanlatch.prove import cbor, cose, record
from scanlatch.send.mqtt import FAILURES, Client
from scanlatch.system import commands, ntp, settings
from scanlatch.system.session import Session
from system_desk import NOW, Nvs, clock
from verdict_cases import Desk

_KEY, _KID = bytes(range(32)), b"bridge-1"
_ID = b"journal1"
_SECTORS = 16


def met_cbor(data):
    try:
        value = cbor.loads(data)
    except cbor.CborError:
        return "CborError"
    if cbor.dumps(value) != data:
        raise AssertionError("written otherwise than it was read")
    return "ok"


def met_mac0(data):
    try:
        cose.open_mac0(data, record.AAD_VERDICT, _KEY, _KID)
    except cose.CoseError:
        return "CoseError"
    return "ok"


def met_verdict(data):
    return _answered(data, record.AAD_VERDICT, "verdict")


def met_receipt(data):
    return _answered(data, record.AAD_RECEIPT, "receipt")


def _answered(data, aad, name):
    desk = Desk()
    desk.answers.kept(10, 1, True)
    getattr(desk.answers, name)(_mac0(data, aad))
    desk.clock.now += 2000
    desk.answers.look()
    if desk.journal.freed > desk.journal.newest:
        raise AssertionError("freed what is not there")
    return "ok"


def met_command(data):
    made, _ = clock()
    made.synchronise(NOW)
    terminal = _Terminal(made, Nvs())
    terminal.answers, terminal.uplink, terminal.journal = _Answers(), _Uplink(), _Newest()
    commands.handle(_mac0(data, commands.AAD_COMMAND), terminal)
    return "ok"


class _Answers:
    def acknowledge(self, arguments):
        return "ok"


class _Newest:
    newest = 10


class _Uplink:
    health_due = False

    def __init__(self):
        self.records = self

    def again(self, first, newest):
        pass

    def wake(self):
        pass


def _mac0(payload, aad):
    # As cose.mac0, with bytes that need not be CBOR.
    return cose.mac0(_KID, payload, aad, _KEY)


def met_settings(data):
    files.write_file("fuzzed.json", data[:16000])
    try:
        settings.load("fuzzed.json")
    except (settings.SettingsError, OSError) as error:
        return type(error).__name__
    return "ok"


def met_file(data):
    with open("fuzzed.bin", "wb") as file:
        file.write(data)
    try:
        found = files.read_file("fuzzed.bin")
    except OSError:
        return "OSError"
    if struct.pack("<I", crc32(found) & 0xFFFFFFFF) != data[-4:]:
        raise AssertionError("a damaged file was read")
    return "ok"


def met_session(data):
    made, _ = clock()
    made.synchronise(NOW)
    nvs = Nvs()
    nvs.held["session"] = data
    session = Session(1, made, nvs)
    found = session.session()
    if found is not None and not isinstance(found, str):
        raise AssertionError("a session without a name")
    terminal = _Terminal(made, nvs)
    terminal.session = session
    from scanlatch.system import modes

    modes.settle(terminal)
    return "ok"


def met_journal(data):
    flash = Nor(_SECTORS)
    Journal.format(flash, _ID)
    journal = Journal(flash, _ID)
    journal.recover()
    for seq in range(1, 30):
        journal.append(seq, bytes([seq]) * 200)
        if seq % 9 == 0:
            while journal.idle(0, 300):
                pass
    at = struct.unpack("<I", (data + bytes(4))[:4])[0] % (_SECTORS * 4096)
    flash.cells.seek(at)
    flash.cells.write(data[: _SECTORS * 4096 - at])
    journal = Journal(flash, _ID)
    try:
        journal.recover()
        if journal.fault is None:
            journal.append(journal.newest + 1, b"x" * 200)
            for seq in range(max(1, journal.oldest), journal.newest + 1):
                journal.read(seq)
    except JournalError as error:
        return type(error).__name__
    return "ok"


def met_time(data):
    try:
        ntp.utc_ms(data)
    except ValueError:
        return "ValueError"
    return "ok"


class _Stream:
    """A socket that a broker has filled. Never asked for more than a message's room at once."""

    def __init__(self, data):
        self._data = data

    def readinto(self, room):
        part, self._data = self._data[: len(room)], self._data[len(room) :]
        room[: len(part)] = part
        return len(part)

    def read(self, size):
        if size > 4096:
            raise AssertionError("room for what is not checked")
        part, self._data = self._data[:size], self._data[size:]
        return part

    def write(self, data):
        return len(data)

    def close(self):
        pass


def met_mqtt(data):
    made, _ = clock()
    taken = []
    client = Client(_Stream(data), made, 30, lambda topic, payload: taken.append(len(payload)), lambda mark: None)
    asyncio.run(client.run())
    if not isinstance(client.why, FAILURES) or max(taken or [0]) > 4096:
        raise AssertionError(repr(client.why))
    return type(client.why).__name__


def serve():
    """Answer standard input until it ends: kind, a blank, bytes in hex."""
    for line in sys.stdin:
        kind, _, data = line.strip().partition(" ")
        print(globals()["met_" + kind](bytes.fromhex(data)))
