"""One HTTP call of the platform: over within its time as a whole, however slowly an answer drips in."""

import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore

_CONNECT_S = 2.0  # a host that is there answers within this, whatever its platform is doing
_CONNECTIONS = 16
_IDLE_S = 60
_ANSWER_LIMIT = 256 * 1024  # bytes; 50 items take about 8 KiB
_HEADERS = [("Content-Type", "application/json"), ("Accept-Encoding", "identity")]


class Caller:
    """Calls of one address, with connections kept. Safe to use from several threads.

    It is httpx without httpx: redirects, cookies, logins and a proxy that someone's shell names are not for a platform,
    and are half of a call's cost. What it raises is httpcore's; httpx brings that along.

    Args:
        url: of every call; https is verified against `verify`.
        limit_s: for a whole call, from its beginning to the last byte of its answer.
    """

    def __init__(self, url: str, limit_s: float, verify: ssl.SSLContext) -> None:
        self._limit_s = limit_s
        self._call = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=_CONNECTIONS,
            keepalive_expiry=_IDLE_S,
            network_backend=_Backend(self._left),
        )
        self._url = httpcore.URL(url)
        host = urlsplit(url).netloc.rpartition("@")[2]
        self._headers = [("Host", host), *_HEADERS]
        waits = {"connect": min(limit_s, _CONNECT_S), "read": limit_s, "write": limit_s, "pool": limit_s}
        self._extensions = {"timeout": waits}

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises httpcore's exceptions, ssl.SSLError, OSError."""
        self._call.over = time.monotonic() + self._limit_s
        headers = [*self._headers, ("Content-Length", str(len(body)))]
        request = httpcore.Request("POST", self._url, headers=headers, content=body, extensions=self._extensions)
        response = self._pool.handle_request(request)
        try:
            return response.status, _bounded(response.iter_stream())
        finally:
            response.close()

    def close(self) -> None:
        """Give back connections."""
        self._pool.close()

    def _left(self, wait_s: float | None) -> float:
        """What of `wait_s` this thread's call still has. Raises httpcore.ReadTimeout where it has nothing."""
        left = self._call.over - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("answer too slow")
        return left if wait_s is None else min(left, wait_s)


class _Backend(httpcore.SyncBackend):
    """Connections on which every wait is one of a call's."""

    def __init__(self, left: Any) -> None:
        self._left = left

    def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*arguments, **options), self._left)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, left: Any) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._left(timeout)), self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _bounded(chunks: Iterable[bytes]) -> bytes:
    raw = bytearray()
    for chunk in chunks:
        raw += chunk
        if len(raw) > _ANSWER_LIMIT:
            raise httpcore.ReadError("answer too long")
    return bytes(raw)
