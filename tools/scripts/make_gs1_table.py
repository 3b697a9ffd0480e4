"""Writes the device's table of GS1 application identifiers from GS1's own syntax dictionary.

`python tools/scripts/make_gs1_table.py DICTIONARY COMMIT` writes firmware/scanlatch/read/gs1_table.py; with `--check`
behind them it only says, by its exit status, whether that file is what would be written. DICTIONARY is the file
gs1-syntax-dictionary.txt of github.com/gs1/gs1-syntax-dictionary, COMMIT the commit that it was taken from: the file
does not say it itself.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

TARGET = Path(__file__).parents[2] / "firmware" / "scanlatch" / "read" / "gs1_table.py"
ROW_BYTES = 6
_AI_DIGITS = 4  # identifiers are compared as if they had four digits: "01" is all of 0100 to 0199
_OPTIONAL = 0x80  # beside the least number of a part's characters: or none at all
_PREDEFINED = 8  # beside the identifier's length in a form's first byte: no separator needs to follow

# What the device holds the characters of a part against, by the dictionary's own words: type, else test ("linter").
_TYPES = {"N": "n", "X": "x", "Y": "y", "Z": "z"}
_TESTS = {
    "csum": "k",
    "yymmd0": "d",
    "yymmdd": "e",
    "hhmi": "h",
    "hh": "h",
    "mi": "m",
    "ss": "m",
}

_ENTRY = re.compile(r"([0-9]+)(?:-([0-9]+))?\s+(?:([*?]+)\s+)?(.*)")
_PART = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)\Z")

_HEADER = """# The GS1 application identifiers: how long each is, and what its value may be. Generated, do not edit.
#
# Made by tools/scripts/make_gs1_table.py from the GS1 Barcode Syntax Dictionary of GS1 AISBL,
# github.com/gs1/gs1-syntax-dictionary, release {release}, commit
# {commit}, which is
{copyright}
# and licensed under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0). Changed: only what
# a terminal needs is here, in a form of our own. All {count} identifiers are; of the dictionary's tests are not:
{unchecked}

# fmt: off
# One row for {row} bytes, in order: first and last identifier, as if of four digits; where in FORMS their form begins.
ROWS = (
{rows})

# A form: length of the identifier, +8 where no separator has to follow, +16 for each part. A part: kind, least and most
# characters; +128 to the least where there may be none. Kinds, digits: n; k check digit last; d date YYMMDD whose day
# may be 00; e date; h hours first; m minutes or seconds; others: x set 82; y set 39; z base64url.
FORMS = (
{forms})
"""


class DictionaryError(Exception):
    """The dictionary says something that the table has no form for: line, and what."""


@dataclass(frozen=True)
class Entry:
    """One line of the dictionary: identifiers `first` to `last`, and their form as the device reads it."""

    first: str
    last: str
    form: bytes
    tests: tuple[str, ...]
    title: str


def entries(text: str) -> Iterator[Entry]:
    """The entries of the dictionary. Raises DictionaryError."""
    for number, line in enumerate(text.splitlines(), 1):
        said, _, title = line.partition("#")
        if not said.strip():
            continue
        found = _ENTRY.match(said.strip())
        if found is None:
            raise DictionaryError(f"line {number}: {line!r}")
        first, last, flags, rest = found.groups()
        parts: list[bytes] = []
        tests: list[str] = []
        for word in rest.split():
            part = _PART.match(word)
            if part is None:
                break  # attributes follow
            optional, kind, up_to, most, behind = part.groups()
            named = behind.split(",")[1:]
            tests += named
            letter = next((_TESTS[test] for test in named if test in _TESTS), _TYPES[kind])
            least = (1 if up_to else int(most)) | (_OPTIONAL if optional else 0)
            parts.append(letter.encode() + bytes([least, int(most)]))
        if not parts:
            raise DictionaryError(f"line {number}: no part of a value in {line!r}")
        head = len(first) + _PREDEFINED * ("*" in (flags or "")) + 16 * len(parts)
        yield Entry(first, last or first, bytes([head]) + b"".join(parts), tuple(tests), title.strip())


def _padded(entry: Entry) -> tuple[int, int]:
    return int(entry.first.ljust(_AI_DIGITS, "0")), int(entry.last.ljust(_AI_DIGITS, "9"))


def source(text: str, commit: str) -> str:
    """The text of the generated file. Raises DictionaryError."""
    found = sorted(entries(text), key=_padded)
    for one, other in pairwise(found):
        if _padded(one)[1] >= _padded(other)[0]:
            raise DictionaryError(f"{one.first} and {other.first} begin alike")
    forms: dict[bytes, int] = {}
    for entry in found:
        if entry.form not in forms:
            forms[entry.form] = sum(map(len, forms))
    rows: list[tuple[list[Entry], bytes]] = []
    for entry in found:
        if rows and rows[-1][0][-1].form == entry.form and _padded(rows[-1][0][-1])[1] + 1 == _padded(entry)[0]:
            rows[-1][0].append(entry)
        else:
            rows.append(([entry], entry.form))
    written = ""
    for together, form in rows:
        low, high = _padded(together[0])[0], _padded(together[-1])[1]
        row = b"".join(number.to_bytes(2, "big") for number in (low, high, forms[form]))
        written += f'    b"{_escaped(row)}"  # {_names(together)}\n'
    release = re.search(r"^# Release: (.+)$", text, re.MULTILINE)
    unchecked = sorted({test for entry in found for test in entry.tests} - set(_TESTS))
    return _HEADER.format(
        release=release[1].strip() if release else "not named",
        commit=commit,
        copyright="\n".join(re.findall(r"^# Copyright .+$", text, re.MULTILINE)),
        count=sum(int(entry.last) - int(entry.first) + 1 for entry in found),
        unchecked=_wrapped(unchecked),
        row=ROW_BYTES,
        rows=written,
        forms="".join(f'    b"{_escaped(form)}"\n' for form in forms),
    )


def _names(together: list[Entry]) -> str:
    first, last = together[0], together[-1]
    span = first.first if first.first == last.last else f"{first.first} to {last.last}"
    return f"{span} {first.title.split(' #')[0]}".strip()


def _wrapped(words: list[str]) -> str:
    lines = ["#"]
    for word in words:
        if len(lines[-1]) + len(word) > 118:
            lines.append("#")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def _escaped(row: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in row)


def main() -> int:
    """Write the file, or check it; exit status 1 where it differs."""
    words = [word for word in sys.argv[1:] if word != "--check"]
    if len(words) != 2:
        raise SystemExit(__doc__)
    try:
        wanted = source(Path(words[0]).read_text("utf-8"), words[1])
    except (OSError, DictionaryError) as error:
        raise SystemExit(f"{words[0]}: {error}") from error
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text("utf-8") != wanted)
    TARGET.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
