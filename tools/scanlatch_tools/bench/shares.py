"""Whose code a profiled bridge spent its CPU time in: by library and thread."""

import pstats
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

_THREADS = (("MainThread", "intake"), ("mqtt", "MQTT"), ("outbox", "settlement"))
# What is not Python is told by its own name; other built-in functions count for whoever called them.
_NATIVE = (
    (r"\.verify|openssl|_rust", "ECDSA and HMAC"),
    (r"_cbor2", "cbor2"),
    (r"sqlite3\.|psycopg_binary", "SQLite, or waiting for PostgreSQL"),
    (r"_ssl\.|_socket\.", "TLS and sockets"),
)
_PLACES = (
    (r"/host_bridge/ledger/", "the bridge: ledger"),
    (r"/host_bridge/settlement/", "the bridge: settlement"),
    (r"/host_bridge/(wire|cose|cbor|opening)", "the bridge: opening and sealing messages"),
    (r"/host_bridge/", "the bridge: admission, rules, replies"),
    (r"/paho/", "paho-mqtt"),
    (r"/sqlalchemy/", "SQLAlchemy"),
    (r"/psycopg", "psycopg"),
    (r"/(httpx|httpcore|h11|anyio)/", "httpx"),
    (r"/prometheus_client/", "prometheus-client"),
    (r"/cbor2/|/cryptography/|/(hmac|hashlib)\.py", "ECDSA and HMAC"),
    (r"/(ssl|socket|selectors)\.py", "TLS and sockets"),
)
_REST = "everything else"
_Function = tuple[str, int, str]


def shares(folder: Path) -> dict[str, dict[str, float]]:
    """Parts of the whole by library, then by thread, from a folder that `Profiler` wrote."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for path in folder.glob("*.prof"):
        thread = next((name for begins, name in _THREADS if path.stem.startswith(begins)), None)
        if thread:
            for library, took in _of(path).items():
                found[library][thread] += took
    whole = sum(sum(threads.values()) for threads in found.values()) or 1.0
    return {library: {name: took / whole for name, took in threads.items()} for library, threads in found.items()}


def _of(path: Path) -> dict[str, float]:
    stats: Any = pstats.Stats(str(path))
    took: dict[str, float] = defaultdict(float)
    for function, (_, _, own, _, callers) in stats.stats.items():
        native = _native(function)
        if native or function[0] != "~":
            took[native or _library(function)] += own
        else:
            for caller, (_, _, part, _) in callers.items():
                took[_library(caller)] += part
    return took


def _native(function: _Function) -> str | None:
    if function[0] != "~":
        return None
    return next((library for pattern, library in _NATIVE if re.search(pattern, function[2])), None)


def _library(function: _Function) -> str:
    return next((library for pattern, library in _PLACES if re.search(pattern, function[0])), _REST)
