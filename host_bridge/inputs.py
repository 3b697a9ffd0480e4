"""Checks of what people and other systems enter; each raises BadInput naming the field."""

import re
from datetime import date

from host_bridge.errors import BadInput

CODE_MAX, TEXT_MAX = 512, 200  # characters
_NAME = re.compile(r"[A-Za-z0-9._-]{1,32}\Z")
_IDENT = re.compile(r"[A-Za-z0-9-]{1,32}\Z")  # WIRE.md "Scan" keys 12 and 13
_SITE = re.compile(r"[a-z0-9-]{1,32}\Z")  # WIRE.md "Topics"
_BATCH = re.compile(r"[\x21-\x7e]{1,20}\Z")  # GS1 AI 10
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+\Z")  # half a character of UTF-16 is none: no ledger takes it


def name(where: str, value: str) -> str:
    """An id that its own system gave: 1 to 32 of A-Z a-z 0-9 . _ -"""
    return _matching(_NAME, where, value, "1 to 32 of A-Z a-z 0-9 . _ -")


def ident(where: str, value: str) -> str:
    """A session's or operator's id."""
    return _matching(_IDENT, where, value, "1 to 32 of A-Z a-z 0-9 -")


def site(where: str, value: str) -> str:
    """A site's id."""
    return _matching(_SITE, where, value, "1 to 32 of a-z 0-9 -")


def batch(where: str, value: str | None) -> str | None:
    """A batch number, or none."""
    return None if value is None else _matching(_BATCH, where, value, "1 to 20 printable characters without blanks")


def code(where: str, value: str) -> str:
    """A canonical trace code: twenty digits, 01<gtin>21<serial>, or the maker's text."""
    if len(value) > CODE_MAX:
        raise BadInput(where, f"at most {CODE_MAX} characters")
    return _matching(_PRINTABLE, where, value, "a trace code without control characters")


def text(where: str, value: str) -> str:
    """A sentence for people, never empty."""
    said = value.strip()
    if not said or len(said) > TEXT_MAX or not _PRINTABLE.match(said):
        raise BadInput(where, f"1 to {TEXT_MAX} printable characters")
    return said


def count(where: str, value: int, low: int, high: int) -> int:
    """A whole number between two bounds, both included."""
    if not low <= value <= high:
        raise BadInput(where, f"must lie between {low} and {high}, not {value}")
    return value


def day(where: str, value: int | None) -> int | None:
    """A day as yyyymmdd, or none."""
    if value is None:
        return None
    try:
        date(value // 10_000, value // 100 % 100, value % 100)
    except ValueError as error:
        raise BadInput(where, f"{value} is no day (yyyymmdd): {error}") from error
    return value


def _matching(form: re.Pattern[str], where: str, value: str, said: str) -> str:
    if not form.match(value):
        raise BadInput(where, f"{value[:40]!r} is not {said}")
    return value
