"""Serves the platform's stand-in over HTTP: one port for the interface, one for its knobs."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scanlatch_tools.platform_sim import interface
from scanlatch_tools.platform_sim.book import Book, CodeError, Result
from scanlatch_tools.platform_sim.interface import Call, Refusal
from scanlatch_tools.platform_sim.knobs import KnobError, Knobs, Panel

PATH = "/api/call"
_ADMIN_LIMIT = 64 * 1024 * 1024  # bytes: a million codes in one file
_IDLE_S = 120  # a connection kept alive without a call

Reply = tuple[int, Any]  # HTTP status and what goes out as JSON; None: close without an answer


class PlatformSim:
    """The running stand-in; also a context manager.

    Args:
        database: its SQLite file, or ":memory:".
        port: of the interface, 0 for a free one; `admin_port` the same for the knobs.
        host: address of the interface; the knobs are on 127.0.0.1 always.
        knobs: their first positions.
        seed: of chance behind error and loss rates.
    """

    def __init__(
        self,
        database: Path | str = ":memory:",
        *,
        port: int = 0,
        admin_port: int = 0,
        host: str = "127.0.0.1",
        knobs: Knobs | None = None,
        seed: int = 0,
    ) -> None:
        self.book = Book(database)
        self._panel = Panel(knobs or Knobs(), seed)
        self._calls = _Listener((host, port), _Handler, self._call, interface.BODY_LIMIT)
        self._admin = _Listener(("127.0.0.1", admin_port), _Handler, self._manage, _ADMIN_LIMIT)

    def __enter__(self) -> "PlatformSim":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raises OSError where a port is taken."""
        self._admin.open()
        if self._panel.knobs.outage != "refuse":
            self._calls.open()

    def stop(self) -> None:
        """Close both ports, every connection and the database."""
        self._calls.close()
        self._admin.close()
        self.book.close()

    @property
    def url(self) -> str:
        """Address of the interface, as bridge.toml wants it."""
        return f"http://{self._calls.host}:{self._calls.port}"

    @property
    def admin_url(self) -> str:
        """Address of the knobs."""
        return f"http://127.0.0.1:{self._admin.port}"

    @property
    def knobs(self) -> Knobs:
        """Positions now."""
        return self._panel.knobs

    def turn(self, **changes: Any) -> Knobs:
        """Change some knobs; gives all of them. Raises KnobError."""
        knobs = self._panel.turn(changes)
        if knobs.outage == "refuse":
            self._calls.close()
        else:
            self._calls.open()
        return knobs

    def _call(self, method: str, target: str, body: bytes) -> Reply:
        knobs = self._panel.knobs
        if knobs.outage == "503":
            return 503, {"error": "outage"}
        if method != "POST" or target != PATH:
            return 404, {"error": f"POST {PATH}"}
        arrived = datetime.now(interface.BEIJING)
        try:
            call = interface.read_call(body, arrived)
        except Refusal as refusal:
            answer = _refused(refusal.message, arrived, refusal.key)
        else:
            if self._panel.fails():
                answer = _refused("system busy, try again", arrived)
            else:
                answer = _answered(call, self.book.process(call, any_code=knobs.open), arrived)
                if self._panel.loses():
                    return 200, None
        if knobs.latency_ms:
            time.sleep(knobs.latency_ms / 1000)
        return 200, answer

    def _manage(self, method: str, target: str, body: bytes) -> Reply:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            match method, parts.path:
                case "GET", "/knobs":
                    return 200, _as_dict(self.knobs)
                case "POST", "/knobs":
                    return 200, _as_dict(self.turn(**json.loads(body)))
                case "POST", "/codes":
                    return 200, {"loaded": self.book.load(json.loads(body))}
                case "GET", "/sales":
                    return 200, self.book.sales(query.get("code"))
                case "GET", "/batches":
                    return 200, self.book.batches()
                case "GET", "/stats":
                    return 200, self.book.stats()
                case _:
                    return 404, {"error": "knobs, codes, sales, batches, stats"}
        except (KnobError, CodeError, TypeError, ValueError, RecursionError) as error:
            return 400, {"error": str(error)}


def _as_dict(knobs: Knobs) -> dict[str, Any]:
    return {name: getattr(knobs, name) for name in knobs.__slots__}


def _refused(message: str, arrived: datetime, key: str | None = None) -> dict[str, Any]:
    output: dict[str, Any] = {"result": {"retRslt": "0", "msgRslt": message}}
    if key is not None:
        output["fixmedins_bchno"] = key
    return {**_envelope(-1, message, arrived), "output": output}


def _answered(call: Call, results: list[Result], arrived: datetime) -> dict[str, Any]:
    status = call.infno == interface.STATUS
    lines = [_line(result, status=status) for result in results]
    node = "selinfoDetail" if call.infno in (interface.SALE, interface.RETURN) else "data"
    return {
        **_envelope(0, "", arrived),
        "output": {"result": {"retRslt": "1", "msgRslt": ""}, node: lines},
    }


def _line(result: Result, *, status: bool) -> dict[str, str]:
    line = {"fixmedins_bchno": result.key}
    if status:
        line["stat"] = "1" if result.seen else "0"
        if not result.seen:
            return line
    return line | {
        "retRslt": "1" if result.taken else "0",
        "rsltCode": result.result,
        "msgRslt": result.message,
    }


def _envelope(infcode: int, message: str, arrived: datetime) -> dict[str, Any]:
    return {
        "infcode": infcode,
        "inf_refmsgid": f"{arrived:%Y%m%d%H%M%S%f}",
        "refmsg_time": f"{arrived:%Y%m%d%H%M%S%f}"[:17],
        "respond_time": f"{datetime.now(interface.BEIJING):%Y%m%d%H%M%S%f}"[:17],
        "err_msg": message[:200],
    }


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    listener: "_Listener"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our concern; anything else shows itself in its call."""


class _Listener:
    """A port that can be closed, connections and all, and opened again."""

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        answer: Callable[[str, str, bytes], Reply],
        limit: int,
    ) -> None:
        self.host, self.port = address
        self.answer = answer
        self.limit = limit
        self.connections: set[socket.socket] = set()
        self._handler = handler
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def open(self) -> None:
        with self._lock:
            if self._server:
                return
            server = _Server((self.host, self.port), self._handler)
            server.listener = self
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            self._server = server

    def close(self) -> None:
        with self._lock:
            server, self._server = self._server, None
            if server is None:
                return
            server.shutdown()
            server.server_close()
            for connection in list(self.connections):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # gone by itself
                    continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    wbufsize = -1  # status, headers and body leave in one write
    disable_nagle_algorithm = True
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        self.server.listener.connections.add(self.connection)

    def finish(self) -> None:
        self.server.listener.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._send(411, {"error": "Content-Length is needed"}, close=True)
            return
        if int(length) > self.server.listener.limit:
            self._send(413, {"error": f"at most {self.server.listener.limit} bytes"}, close=True)
            return
        status, answer = self.server.listener.answer(self.command, self.path, self.rfile.read(int(length)))
        if answer is None:
            self.close_connection = True
            return
        self._send(status, answer)

    def _send(self, status: int, answer: Any, *, close: bool = False) -> None:
        body = json.dumps(answer, ensure_ascii=False).encode()
        self.close_connection = self.close_connection or close
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """One line a call would be noise; `/batches` has them."""
