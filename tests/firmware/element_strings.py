"""Element strings, valid and broken, made from the table of `biip`: another hand than ours wrote it."""

import random
import re
from collections.abc import Iterator

from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS as _TABLE

GS = "\x1d"
MEDICINE = ["00", "01", "02", "10", "11", "17", "20", "21", "22", "235", "240", "30", "37", "7003", "7004", "8200"]
MEDICINE += [f"71{digit}" for digit in range(8)]
MEDICINE += ["90", *(str(ai) for ai in range(91, 100))]
_CHECKED = re.compile(r"0[0-3]|253|255|402|41[0-7]|8003|8006|8017|8018|8026")
_DATED = re.compile(r"1[1-35-7]|4324|4325|4326|7003|7006|7007|7011|8008")
_PART = re.compile(r"(\[?)\+?\[?(-|[NXYZ])(?:(\d+)\.\.)?(\.\.)?[NX]?(\d*)\]?")
_DIGITS = "0123456789"
_SETS = {
    "N": _DIGITS,
    "X": "!\"%&'()*+,-./:;<=>?_" + _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "Y": "#-/" + _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "Z": "-_" + _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "-": "-",
}
_NASTY = (GS, GS + GS, "", " ", "(", "$", "0", "9", "10", "21", "17", "01", "\x00", "~", "99", "ab")


def check_digit(digits: str) -> str:
    """GS1 General Specifications 7.9."""
    return str(-sum(int(sign) * (3 if i % 2 == 0 else 1) for i, sign in enumerate(reversed(digits))) % 10)


def value(ai: str, some: random.Random) -> str:
    """A value that `ai` may have."""
    parts = _TABLE[ai].format.partition("+")[2]
    text = ""
    for found in _PART.finditer(parts):
        optional, kind, least, up_to, most = found.groups()
        if optional and some.random() < 0.5:
            continue
        count = int(most or 1)
        if up_to or least:
            count = some.choice((int(least or 1), count, some.randint(int(least or 1), count)))
        text += "".join(some.choice(_SETS[kind]) for _ in range(count))
    if ai == "8003":
        text = "0" + text[1:]
    if _CHECKED.fullmatch(ai):
        start = 1 if ai == "8003" else 0
        size = {"00": 18, "402": 17, "8017": 18, "8018": 18}.get(
            ai, 13 if ai[0] == "4" or ai[:2] in ("25", "80") else 14
        )
        size = 14 if ai in ("8006", "8026") else size
        digits = text[start : start + size - 1]
        text = text[:start] + digits + check_digit(digits) + text[start + size :]
    if _DATED.fullmatch(ai):
        text = _dated(text, some)
        if ai == "7007" and len(text) > 6:
            text = text[:6] + _dated(text[6:], some)
    return text


def _dated(text: str, some: random.Random) -> str:
    clock = "".join(f"{some.randint(0, top):02}" for top in (23, 59, 59))
    return (f"{some.randint(0, 99):02}{some.randint(1, 12):02}{some.randint(1, 28):02}{clock}")[: len(text)]


def message(some: random.Random, ais: list[str]) -> str:
    """Element strings of `ais`, with separators where they must be, and now and then where they may be."""
    text = GS if some.random() < 0.1 else ""
    for i, ai in enumerate(ais):
        text += ai + value(ai, some)
        last = i == len(ais) - 1
        if (_TABLE[ai].separator_required and not last) or some.random() < 0.1:
            text += GS
    return text


def broken(text: str, some: random.Random) -> str:
    """`text` with one to three wounds."""
    for _ in range(some.randint(1, 3)):
        at = some.randint(0, len(text))
        kind = some.randint(0, 4)
        if kind == 0:
            text = text[:at] + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + some.choice(_NASTY) + text[at:]
        elif kind == 2:
            text = text[:at] + some.choice(_NASTY) + text[at + 1 :]
        elif kind == 3:
            text = text.replace(GS, "", 1)
        else:
            text = text[:at]
    return text


def messages(count: int, seed: int) -> Iterator[str]:
    """`count` messages, about half of them broken, half of them of medicines' identifiers."""
    some = random.Random(seed)
    formats: dict[str, list[str]] = {}  # rare ones as often as those of many identifiers
    for ai in sorted(_TABLE):
        formats.setdefault(_TABLE[ai].format, []).append(ai)
    every = list(formats.values())
    for i in range(count):
        ais = [some.choice(MEDICINE if i & 2 else some.choice(every)) for _ in range(some.randint(1, 5))]
        if i & 4:
            ais = ["01", "21", *ais[:3]]
            some.shuffle(ais)
        if i % 16 == 5:  # a whole label, a separator lost
            label = ["01", "21", "10", "17"]
            some.shuffle(label)
            yield message(some, label).replace(GS, "", 1)
            continue
        text = message(some, ais)
        yield broken(text, some) if i & 1 else text
