"""The platform's book: codes it knows, sales it took, and the first answer to every key, in SQLite."""

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

from scanlatch_tools.platform_sim import interface
from scanlatch_tools.platform_sim.interface import Call, Item

_ADDED = (
    ("codes", "parts", "INTEGER"),
    ("sales", "payer", "TEXT NOT NULL DEFAULT 'insured'"),
    ("sales", "split", "INTEGER NOT NULL DEFAULT 0"),
)
CODE_STATES = ("known", "recalled", "expired", "case")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS codes (code TEXT PRIMARY KEY, state TEXT NOT NULL, parts INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sales (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, institution TEXT NOT NULL, site TEXT NOT NULL,
    key TEXT, at INTEGER NOT NULL, returned_by TEXT,
    payer TEXT NOT NULL DEFAULT 'insured', split INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS sales_code ON sales (code);
CREATE INDEX IF NOT EXISTS sales_key ON sales (institution, key);
CREATE TABLE IF NOT EXISTS items (
    institution TEXT NOT NULL, key TEXT NOT NULL, infno TEXT NOT NULL, code TEXT NOT NULL, site TEXT NOT NULL,
    content TEXT NOT NULL, taken INTEGER NOT NULL, result TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (institution, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY, msgid TEXT NOT NULL, infno TEXT NOT NULL, institution TEXT NOT NULL,
    items INTEGER NOT NULL, at INTEGER NOT NULL
);
"""

_MESSAGES = {
    "OK": "",
    "SOLD_HERE": "sold before by this site",
    "SOLD_ELSEWHERE": "sold before by another",
    "SOLD_SEVERAL": "sold several times",
    "UNKNOWN_CODE": "code not known",
    "RECALLED": "recalled",
    "EXPIRED": "expired",
    "NOT_SALES_UNIT": "not a sales unit",
    "PARTS_EXCEEDED": "more parts than the box has",
    "NOT_SOLD": "no such sale to take back",
    "KEY_CONFLICT": "this key stands for something else",
}
_BARRED = {"recalled": "RECALLED", "expired": "EXPIRED", "case": "NOT_SALES_UNIT"}


class Result(NamedTuple):
    """What became of one key. `seen` is false where the platform never got it."""

    key: str
    seen: bool
    taken: bool
    result: str
    message: str


class CodeError(ValueError):
    """A list of codes to load is not as it must be."""


class Book:
    """The stand-in's database. One connection; every call is one transaction."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # Outlives the death of this process; a power cut of the host is not what the stand-in is for.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)
        self._add_columns()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def process(self, call: Call, *, any_code: bool) -> list[Result]:
        """Process all items of a call, or answer its status query; one result each, in order."""
        now = int(time.time() * 1000)
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO batches (msgid, infno, institution, items, at) VALUES (?,?,?,?,?)",
                (call.msgid, call.infno, call.institution, len(call.items) + len(call.keys), now),
            )
            if call.infno == interface.STATUS:
                return [self._known(call.institution, key) for key in call.keys]
            return [self._item(call, item, now, any_code) for item in call.items]

    def load(self, codes: Iterable[object]) -> int:
        """Make codes known: texts, or objects {code, state?, parts?, sold?: [{institution, site}]}; gives their number.

        `parts` is how many parts a box may be sold in; without it the platform does not count them.

        Raises:
            CodeError: an entry is neither.
        """
        rows: list[tuple[str, str, int | None]] = []
        sales: list[tuple[str, str, str, int]] = []
        for entry in codes:
            code, state, parts, sold = _entry(entry)
            rows.append((code, state, parts))
            sales += [(code, institution, site, int(time.time() * 1000)) for institution, site in sold]
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO codes (code, state, parts) VALUES (?,?,?)", rows)
            self._db.executemany("INSERT INTO sales (code, institution, site, at) VALUES (?,?,?,?)", sales)
        return len(rows)

    def sales(self, code: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """Sales taken, each part of an opened box one, returned ones too, oldest first."""
        where, values = ("WHERE code = ?", (code, limit)) if code else ("", (limit,))
        told = "code, institution, site, key, at, returned_by, payer, split"
        found = self._rows(f"SELECT {told} FROM sales {where} ORDER BY id LIMIT ?", values)  # noqa: S608
        return [{**sale, "split": bool(sale["split"])} for sale in found]

    def stats(self) -> dict[str, int]:
        """Counts of codes, standing sales, returned sales, keys and calls."""
        return self._rows(
            "SELECT (SELECT count(*) FROM codes) AS codes,"
            " (SELECT count(*) FROM sales WHERE returned_by IS NULL) AS sales,"
            " (SELECT count(*) FROM sales WHERE returned_by IS NOT NULL) AS returned,"
            " (SELECT count(*) FROM items) AS keys, (SELECT count(*) FROM batches) AS calls",
            (),
        )[0]

    def batches(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last calls that kept to the interface, newest first."""
        return self._rows("SELECT msgid, infno, institution, items, at FROM batches ORDER BY id DESC LIMIT ?", (limit,))

    def _add_columns(self) -> None:
        """A file of an earlier version has neither payers nor parts."""
        for table, column, kind in _ADDED:
            known = {row[1] for row in self._db.execute(f"PRAGMA table_info({table})")}
            if column not in known:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        with self._lock:
            cursor = self._db.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def _known(self, institution: str, key: str) -> Result:
        row = self._db.execute(
            "SELECT taken, result, message FROM items WHERE institution = ? AND key = ?", (institution, key)
        ).fetchone()
        return Result(key, True, bool(row[0]), row[1], row[2]) if row else Result(key, False, False, "", "")

    def _item(self, call: Call, item: Item, now: int, any_code: bool) -> Result:
        row = self._db.execute(
            "SELECT content FROM items WHERE institution = ? AND key = ?", (call.institution, item.key)
        ).fetchone()
        if row and row[0] != item.content:
            return Result(item.key, True, False, "KEY_CONFLICT", _MESSAGES["KEY_CONFLICT"])
        if row:
            return self._known(call.institution, item.key)
        decide = {interface.SALE: self._sale, interface.RETURN: self._return, interface.CODE: self._query}
        word = decide[call.infno](call.institution, item, now, any_code)
        result = Result(item.key, True, word == "OK", word, _MESSAGES[word])
        self._db.execute(
            "INSERT INTO items VALUES (?,?,?,?,?,?,?,?,?,?)",
            (call.institution, item.key, call.infno, item.code, item.site, item.content, *result[2:], now),
        )
        return result

    def _sale(self, institution: str, item: Item, now: int, any_code: bool) -> str:
        result = self._state(institution, item, any_code)
        if result == "SOLD_SEVERAL":
            return "SOLD_ELSEWHERE"
        if result == "SOLD_HERE" and item.split:
            result = self._next_part(item)
        if result == "OK":
            self._db.execute(
                "INSERT INTO sales (code, institution, site, key, at, payer, split) VALUES (?,?,?,?,?,?,?)",
                (item.code, institution, item.site, item.key, now, item.payer, item.split),
            )
        return result

    def _next_part(self, item: Item) -> str:
        """A further part of a box that this site has opened: as many as it holds, and never of one sold whole."""
        whole, parts, held = self._db.execute(
            "SELECT sum(NOT split), sum(split), (SELECT parts FROM codes WHERE code = ?1)"
            " FROM sales WHERE code = ?1 AND returned_by IS NULL",
            (item.code,),
        ).fetchone()
        if whole:
            return "SOLD_HERE"
        return "PARTS_EXCEEDED" if held is not None and parts >= held else "OK"

    def _return(self, institution: str, item: Item, _now: int, _any_code: bool) -> str:
        changed = self._db.execute(
            "UPDATE sales SET returned_by = ? WHERE institution = ? AND key = ? AND code = ? AND returned_by IS NULL",
            (item.key, institution, item.original, item.code),
        ).rowcount
        return "OK" if changed else "NOT_SOLD"

    def _query(self, institution: str, item: Item, _now: int, any_code: bool) -> str:
        return self._state(institution, item, any_code)

    def _state(self, institution: str, item: Item, any_code: bool) -> str:
        known = self._db.execute("SELECT state FROM codes WHERE code = ?", (item.code,)).fetchone()
        if not known and not any_code:
            return "UNKNOWN_CODE"
        # All parts that one site sold of a box are one sale of it.
        sold = self._db.execute(
            "SELECT institution, site FROM sales WHERE code = ? AND returned_by IS NULL"
            " GROUP BY institution, site, CASE split WHEN 0 THEN id END LIMIT 2",
            (item.code,),
        ).fetchall()
        if len(sold) > 1:
            return "SOLD_SEVERAL"
        if sold:
            return "SOLD_HERE" if sold[0] == (institution, item.site) else "SOLD_ELSEWHERE"
        return _BARRED.get(known[0], "OK") if known else "OK"


def _entry(entry: object) -> tuple[str, str, int | None, list[tuple[str, str]]]:
    told: dict[str, Any] = {"code": entry}
    if isinstance(entry, dict):
        told = cast(dict[str, Any], entry)
    if not set(told) <= {"code", "state", "parts", "sold"}:
        raise CodeError(f"{entry!r}: a text, or an object with code, state, parts, sold"[:200])
    code, state, parts = told.get("code"), told.get("state", "known"), told.get("parts")
    if parts is not None and (type(parts) is not int or parts < 1):
        raise CodeError(f"{entry!r}: parts is a whole number from 1"[:200])
    if not isinstance(code, str) or not 0 < len(code) <= 100 or state not in CODE_STATES:
        raise CodeError(f"{entry!r}: code of 1 to 100 characters; state one of {', '.join(CODE_STATES)}"[:200])
    try:
        return code, state, parts, [(str(sale["institution"]), str(sale["site"])) for sale in told.get("sold", ())]
    except (TypeError, KeyError):
        raise CodeError(f"{entry!r}: sold is a list of objects with institution and site"[:200]) from None
