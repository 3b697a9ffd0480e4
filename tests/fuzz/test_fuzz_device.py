"""The device's decoders, on real MicroPython: what comes over the air, out of its own flash, and from a time server."""

import json
import random
import struct
from binascii import crc32
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

from host_bridge import cbor_peek, cbor_strict
from host_bridge.cbor_strict import WireError
from tests.device import SCRIPTS
from tests.firmware.interpreters import Device
from tests.fuzz.chance import cases, cbor, mutated, plain_map, told, unfolding
from tests.vectors import third

HEAP = "3M"  # of 64-bit objects, for the largest message of the smallest items; beyond that it ends in MemoryError
VECTORS = third.load("wire.json")
MESSAGES = [bytes.fromhex(one["message"]) for kind in ("verdicts", "receipts", "commands") for one in VECTORS[kind]]
SETTINGS = {
    "v": 1, "site": "clinic-7", "device": "d-1", "operation": "sale", "ntp": "time.local", "rescan_ms": 800,
    "broker": {"host": "broker.local", "port": 8883, "name": "broker.local", "not_before": 1, "not_after": 2},
    "rules": {"first_digit": "8", "own": ["{d24}"], "personal": [], "links": ["*"], "token": "7K3QZM"},
    "wifi": {"ssid": "clinic"}, "board": {"name": "twin"},
}  # fmt: skip
JSONS = [json.dumps(one).encode() for one in (SETTINGS, ["S-1", "sale", 1_795_000_060_000], [], {}, None, 5, "x")]


class Fuzzed(Device):
    """The device's decoders behind a pipe."""

    def __init__(self, desk: str = "fuzz_desk") -> None:
        start = f"import {desk}; {desk}.serve()"
        super().__init__(
            interpreter.command(["-c", start], heap=HEAP), interpreter.search_path(places.firmware(), SCRIPTS)
        )

    def meet(self, kind: str, number: int, data: bytes) -> str:
        """What came of it; an interpreter that ended is the failure that is looked for."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{kind} {data.hex()}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, f"{kind}: its traceback is on standard error; {told(number, data)}"
        return answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Fuzzed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        running = Fuzzed()
    yield running
    running.close()


def _deterministic(chance: random.Random) -> bytes:
    return third.dumps([plain_map(chance, {1: 1, 2: "a", 3: {}}), chance.random() < 0.5])


def _cbor(chance: random.Random) -> bytes:
    return chance.choice((cbor, _deterministic, unfolding))(chance)[:4200]


def test_both_sides_take_the_same_cbor(desk: Fuzzed) -> None:
    """By two hands; tags apart, which the bridge's side takes for no value of a message."""
    taken = 0
    for number, data in cases(450, [*MESSAGES, third.dumps({1: [b"", "a", -1, None, True]})], _cbor):
        answer = desk.meet("cbor", number, data)
        try:
            cbor_strict.decode(data)
        except WireError:
            if answer == "ok":
                assert not cbor_peek.is_plain(data) or _signed_key(data), told(number, data)
        else:
            assert answer == "ok", told(number, data)
            taken += 1
    assert taken


def _signed_key(data: bytes) -> bool:
    """Whether a map has other keys than unsigned integers alone or texts alone, which the bridge never has."""

    def odd(value: Any) -> bool:
        if not isinstance(value, dict | list):
            return False
        keys: list[Any] = [*value] if isinstance(value, dict) else []  # pyright: ignore[reportUnknownVariableType]
        inside: list[Any] = [*(value.values() if isinstance(value, dict) else value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        signed = any(isinstance(key, int) and key < 0 for key in keys)
        return signed or len({isinstance(key, int) for key in keys}) > 1 or any(map(odd, inside))

    return odd(cbor2.loads(data))


def test_no_head_of_an_item_is_taken_that_names_no_size(desk: Fuzzed) -> None:
    """28 to 30 are nobody's, 31 is an indefinite length (RFC 8949 3); whatever stands behind them."""
    for major in range(8):
        for size in range(28, 32):
            for behind in (b"", b"\xff", b"\x01" * 200, b"\xff" * (16 << size - 28)):
                data = bytes([major << 5 | size]) + behind
                assert desk.meet("cbor", size, data) == "CborError", told(size, data)


def test_a_message_has_its_one_frame_or_none(desk: Fuzzed) -> None:
    key, frame = bytes(range(32)), cbor2.loads(MAC0).value
    assert desk.meet("mac0", 0, MAC0) == "ok"
    protected, empty, payload, tag = frame
    frames: list[Any] = [
        frame[:3], [*frame, b""], [*frame, tag], [], [protected, {1: 5}, payload, tag], [protected, b"", payload, tag],
        [protected, empty, payload, 5], [protected, empty, payload, "x" * 32], [protected, empty, payload, tag[:31]],
        [protected, empty, payload, tag + b"\0"], [protected, empty, payload, b""], [5, empty, payload, tag],
        [protected, empty, 5, tag], [protected, empty, None, tag], {1: 2}, 5, MAC0,
    ]  # fmt: skip
    wrong = [third.dumps(cbor2.CBORTag(17, one)) for one in frames]
    wrong += [third.dumps(cbor2.CBORTag(tag, frame)) for tag in (0, 16, 18, 97)] + [third.dumps(frame)]
    wrong += [third.mac0(third.dumps(one), "verdict", b"bridge-1", key) for one in ([1], 1, "a", None)]
    wrong += [third.mac0(one, "verdict", b"bridge-1", key) for one in (b"", b"\xa1\x01", b"\xa1\x18\x01\x01")]
    wrong += [third.mac0(payload, kind, b"bridge-1", key) for kind in ("receipt", "command", "reply")]
    wrong += [third.mac0(payload, "verdict", kid, key) for kid in (b"bridge-2", b"", b"bridge-1x")]
    for number, data in enumerate(wrong):
        assert desk.meet("mac0", number, data) == "CoseError", told(number, data)


def _verdict(chance: random.Random) -> bytes:
    right = {1: 1, 2: 10, 3: bytes([10, 0]) * 16, 4: chance.randrange(6), 5: 0, 6: 1, 7: True, 8: True}
    return third.dumps(plain_map(chance, right))


def _receipt(chance: random.Random) -> bytes:
    return third.dumps(plain_map(chance, {1: 1, 2: chance.choice((0, 9, 10, 11)), 3: bytes([9, 0]) * 16, 4: 5000}))


def _command(chance: random.Random) -> bytes:
    names = ("identify", "session", "acknowledge", "health", "resend", "open-door", "", "\x00")
    arguments = plain_map(chance, {"id": "S-1", "kind": "sale", "until": 1 << 41, "from": 3, "public": bytes(65)})  # type: ignore[dict-item]
    right = {1: 1, 2: 7, 3: chance.choice(names), 4: {str(key): arguments[key] for key in arguments}, 5: 1 << 60}
    return third.dumps(plain_map(chance, right) if chance.random() < 0.5 else right)


def _wrong_settings(chance: random.Random) -> bytes:
    made: dict[str, Any] = json.loads(JSONS[0])
    for _ in range(chance.randint(0, 2)):
        where: dict[str, Any] = chance.choice((made, made["broker"], made["rules"]))
        values: tuple[Any, ...] = (None, True, -1, 1 << 70, 1.5, "", "x" * 40, [], [1], [[]], {}, {"a": 1}, "²", "\x00")
        where[chance.choice([*where, "nonsense", ""])] = chance.choice(values)
        if not all(isinstance(made.get(name), dict) for name in ("broker", "rules")):
            break
    return json.dumps(made).encode()


def _sessions(chance: random.Random) -> bytes:
    choices: tuple[Any, ...] = ("S-1", "sale", "tea", "", 1_795_000_060_000, None, True, [], {}, 1.5, 1 << 70)
    return json.dumps([chance.choice(choices) for _ in range(chance.choice((1, 2, 3, 3, 3, 3, 4)))]).encode()


def _file(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.choice((0, 1, 40)))
    return body + struct.pack("<I", crc32(body) ^ chance.choice((0, 1)))


def _packets(chance: random.Random) -> bytes:
    """A stream of MQTT packets, right in most of their bytes."""
    made = b""
    for _ in range(chance.randint(1, 6)):
        kind = chance.choice((0x30, 0x32, 0x3A, 0x34, 0x40, 0x90, 0xD0, 0x20, 0xE0, 0xF0, chance.randrange(256)))
        topic = chance.choice((b"scanlatch/v1/a/b/verdict", b"", b"\xff", b"a/#", b"a\x00", b"x" * 200))
        body = {0x40: b"\x00\x01", 0xD0: b"", 0x20: b"\x00\x00"}.get(
            kind, len(topic).to_bytes(2) + topic + b"\x00\x07x"
        )
        length = chance.choice((len(body), len(body), len(body), len(body) + 1, 0, 127, 128, 70_000, (1 << 28) - 1))
        coded = b""
        while length > 127:
            coded += bytes([length & 127 | 128])
            length >>= 7
        made += bytes([kind]) + coded + bytes([length]) + body
        if chance.random() < 0.1:
            made += chance.randbytes(5000)
    return made if chance.random() < 0.7 else mutated(chance, made, MESSAGES)


MAC0 = third.mac0(third.dumps({1: 1}), "verdict", b"bridge-1", bytes(range(32)))
CASES: dict[str, tuple[int, list[bytes], Callable[[random.Random], bytes], set[str]]] = {
    "mac0": (250, [MAC0], _cbor, {"ok", "CoseError"}),
    "verdict": (250, [_verdict(random.Random(1))], _verdict, {"ok"}),
    "receipt": (250, [_receipt(random.Random(1))], _receipt, {"ok"}),
    "command": (200, [_command(random.Random(1))], _command, {"ok"}),
    "settings": (300, JSONS, _wrong_settings, {"ok", "SettingsError", "OSError"}),
    "session": (300, JSONS, _sessions, {"ok"}),
    "file": (150, [_file(random.Random(1))], _file, {"ok", "OSError"}),
    "journal": (60, [bytes(64), *MESSAGES], lambda chance: chance.randbytes(chance.choice((5, 60, 5000))),
                {"ok", "JournalMissing", "JournalFault", "JournalFull", "JournalError"}),
    "time": (100, [b"\x24\x01" + bytes(46)], lambda chance: chance.randbytes(48), {"ok", "ValueError"}),
    "mqtt": (300, MESSAGES, _packets, {"EOFError", "MqttError"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_meets_the_device_is_taken_or_refused_by_name(desk: Fuzzed, kind: str) -> None:
    count, corpus, make, answers = CASES[kind]
    seen: set[str] = set()
    for number, data in cases(count, corpus, make):
        answer = desk.meet(kind, number, data)
        assert answer in answers, told(number, data)
        seen.add(answer)
    assert seen - {"CoseError"} or kind == "mac0"
    assert kind not in ("settings", "file", "time") or len(seen) > 1
