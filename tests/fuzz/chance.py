"""Foreign bytes from a seed: mutations of what is right, CBOR that is written at random, and noise."""

import os
import random
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

FULL = os.environ.get("SCANLATCH_FULL") == "1"
SEED = int(os.environ.get("SCANLATCH_SEED", "0")) or (random.SystemRandom().randrange(1 << 32) if FULL else 1)
_TIMES = 20 if FULL else 1
CASE_S = 1.0  # CPU that one case may take; what is linear in 4 KiB takes a thousandth
_ODD = (
    0,
    1,
    0x17,
    0x18,
    0x1C,
    0x1D,
    0x1F,
    0x20,
    0x23,
    0x40,
    0x58,
    0x5F,
    0x7F,
    0x80,
    0x81,
    0x9B,
    0xA1,
    0xBF,
    0xC2,
    0xD8,
    0xF8,
    0xFB,
    0xFF,
)
_NUMBERS = (
    0,
    1,
    23,
    24,
    255,
    256,
    65_535,
    65_536,
    (1 << 31) - 1,
    (1 << 32) - 1,
    (1 << 53) + 1,
    (1 << 63) - 1,
    (1 << 64) - 1,
)


def cases(
    count: int, corpus: Sequence[bytes], make: Callable[[random.Random], bytes] | None = None
) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of so many cases; twenty times as many at full size. `make` writes a third of them."""
    for number in range(count * _TIMES):
        chance = random.Random(f"{SEED}/{number}")
        if make and number % 3 == 0:
            yield number, make(chance)
        else:
            yield number, mutated(chance, chance.choice(corpus), corpus)


def chances(count: int) -> Iterator[tuple[int, random.Random]]:
    """(number, chance) of so many cases."""
    for number in range(count * _TIMES):
        yield number, random.Random(f"{SEED}/{number}")


def told(number: int, data: object) -> str:
    """What a person needs to see a case again."""
    shown = data.hex() if isinstance(data, bytes) else repr(data)
    return f"seed {SEED}, case {number}: {shown[:4000]}"


class Watch:
    """Holds one case to its time: `with Watch(number, data)`."""

    def __init__(self, number: int, data: object) -> None:
        self._what = number, data

    def __enter__(self) -> None:
        self._began = time.process_time()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, AssertionError):
            raise AssertionError(f"{type(error).__name__}: {error}; {told(*self._what)}") from error
        spent = time.process_time() - self._began
        assert spent < CASE_S, f"{spent:.1f} s of CPU; {told(*self._what)}"


def mutated(chance: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    """One to four things done to it."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        _mutate(chance, made, corpus)
    return bytes(made)


def _mutate(chance: random.Random, made: bytearray, corpus: Sequence[bytes]) -> None:
    at = chance.randrange(len(made) + 1)
    here = min(at, len(made) - 1)
    match chance.randrange(8 if made else 2):
        case 0:
            made[at:at] = chance.randbytes(chance.choice((1, 2, 4, 9, 300)))
        case 1:
            other = chance.choice(corpus)
            start = chance.randrange(len(other) + 1)
            made[at : at + chance.randrange(64)] = other[start : start + chance.randrange(64)]
        case 2:
            made[here] ^= 1 << chance.randrange(8)
        case 3:
            made[here] = chance.choice(_ODD)
        case 4:
            del made[at : at + chance.choice((1, 2, 8, len(made)))]
        case 5:
            made[at:at] = made[max(0, at - chance.randrange(40)) : at] * chance.choice((1, 2, 40))
        case 6:
            number = chance.choice(_NUMBERS) & ((1 << 64) - 1)
            form = chance.choice((">H", "<I", ">I", ">Q", "<Q"))
            packed = struct.pack(form, number & ((1 << 8 * struct.calcsize(form)) - 1))
            made[at : at + len(packed)] = packed
        case _:
            made[here : here + 1] = chance.choice((b"\x00", b"\xff")) * chance.choice((1, 16, 400))


def cbor(chance: random.Random, depth: int = 0) -> bytes:
    """An item of CBOR, mostly well-formed, seldom deterministic: tags, shared values and odd lengths included."""
    kind = chance.choices(range(9), (6, 2, 4, 4, 3, 4, 2, 2, 1))[0]
    if kind in (4, 5, 6) and depth > chance.choice((3, 6, 20)):
        kind = 0
    if kind < 2:
        return _head(chance, kind, chance.choice(_NUMBERS))
    if kind in (2, 3):
        text = "\x00aé²囧\ud800\U0001f48a"[chance.randrange(7)].encode("utf-8", "surrogatepass") * chance.randrange(4)
        body = text if kind == 3 else chance.randbytes(chance.choice((0, 1, 8, 32, 64)))
        return _head(chance, kind, len(body)) + body
    if kind in (4, 5):
        count = chance.choice((0, 1, 2, 3, 8))
        body = b"".join(cbor(chance, depth + 1) for _ in range(count * (kind - 3)))
        if chance.random() < 0.05:
            return bytes([kind << 5 | 31]) + body + b"\xff"
        return _head(chance, kind, count) + body
    if kind == 6:
        tag = chance.choice(
            (0, 1, 2, 4, 5, 16, 17, 18, 25, 28, 29, 30, 35, 36, 37, 256, 258, 260, 55_799, (1 << 64) - 1)
        )
        return _head(chance, 6, tag) + cbor(chance, depth + 1)
    if kind == 7:
        return bytes([0xE0 | chance.choice((20, 21, 22, 22, 23, 24, 25, 31))]) + chance.randbytes(chance.choice((0, 2)))
    return chance.randbytes(chance.randrange(6))


def unfolding(chance: random.Random) -> bytes:
    """A few hundred bytes that name themselves again and again: as values a tree that no machine has room for."""
    width, levels = chance.randrange(8, 60), chance.randrange(6, 20)
    items = [b"\xd8\x1c\x81\x00"]
    for level in range(1, levels):
        items.append(b"\xd8\x1c" + _shortest(4, width) + (b"\xd8\x1d" + _shortest(0, level - 1)) * width)
    whole = _shortest(4, len(items)) + b"".join(items)
    as_key = b"\xa1" + whole + b"\x00"
    return chance.choice((whole, as_key, b"\xa2\x02\x05\x18\x40" + whole, b"\xd2\x84\x40\xa0" + whole + b"\x40"))


def plain_map(chance: random.Random, like: dict[int, Any]) -> dict[int, Any]:
    """A map with some of its values changed, of their type or of another."""
    made = dict(like)
    for _ in range(chance.randint(0, 3)):
        key = chance.choice([*made, chance.randrange(20)])
        made[key] = chance.choice(
            (
                chance.choice(_NUMBERS) & ((1 << 63) - 1),
                chance.choice((True, False, None)),
                chance.randbytes(chance.choice((0, 1, 32, 512))),
                chance.choice(("", "a", "\x00", "²" * 20, "00" + "²" * 18, "x" * 65, "../../x", "\x1b[2J")),
                [[1, 2]],
                {"a": chance.randbytes(3)},
            )
        )
    return made


def _head(chance: random.Random, major: int, number: int) -> bytes:
    if chance.random() < 0.95:
        return _shortest(major, number)
    size = chance.choice((1, 2, 4, 8))
    return bytes([major << 5 | (24 + size.bit_length() - 1)]) + (number & ((1 << 8 * size) - 1)).to_bytes(size)


def _shortest(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for power in range(4):
        if number >> (8 << power) == 0:
            return bytes([major << 5 | 24 + power]) + number.to_bytes(1 << power)
    raise ValueError(number)
