"""The line that faults are made with does what it says: else a test of them proves nothing."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Line

_SHORT_S, _LONG_S = 0.4, 10.0


@pytest.fixture
def line() -> Iterator[Line]:
    """To somebody who says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        with Line(server.getsockname()[1]) as made:
            yield made


def _echo(server: socket.socket) -> None:
    while True:
        try:
            taken, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_say_back, args=(taken,), daemon=True).start()


def _say_back(taken: socket.socket) -> None:
    try:
        while data := taken.recv(100):
            taken.sendall(data)
        taken.close()
    except OSError:
        return


def _connect(line: Line) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", line.port), _LONG_S)
    made.sendall(b"first")
    assert _got(made, 5) == b"first"
    return made


def _got(sock: socket.socket, size: int, within: float = _LONG_S) -> bytes:
    """Up to `size` bytes, as many as come in time."""
    data = b""
    over = time.monotonic() + within
    while len(data) < size and (left := over - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            data += sock.recv(size - len(data))
        except TimeoutError:
            break
    return data


@pytest.mark.parametrize("wrong", ["stall", "up", "down"])
def test_what_is_held_back_comes_when_the_line_is_healed(line: Line, wrong: str) -> None:
    with _connect(line) as sock:
        line.stall() if wrong == "stall" else line.half_open(wrong)  # type: ignore[arg-type]
        sock.sendall(b"second")
        assert _got(sock, 6, _SHORT_S) == b""
        with socket.create_connection(("127.0.0.1", line.port), _LONG_S) as other:  # it is taken all the same
            other.sendall(b"third")
            assert _got(other, 5, _SHORT_S) == b""
            line.heal()
            assert _got(other, 5) == b"third"
        assert _got(sock, 6) == b"second"


def test_a_slow_line_lets_so_many_bytes_pass_a_second(line: Line) -> None:
    with _connect(line) as sock:
        line.slow(20)
        began = time.monotonic()
        sock.sendall(b"0123456789")
        assert _got(sock, 10) == b"0123456789"
        assert time.monotonic() - began >= 9 / 20
        line.slow(1)
        sock.sendall(b"0123456789")
        assert len(_got(sock, 10, _SHORT_S)) <= 1
        line.heal()
        assert len(_got(sock, 9)) == 9


def test_a_cut_is_told_as_it_is_made_and_new_connections_pass(line: Line) -> None:
    with _connect(line) as sock:
        line.cut("end")
        assert sock.recv(1) == b""
    with _connect(line) as sock:
        line.cut("reset")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    _connect(line).close()


def test_a_line_that_refuses_takes_nobody_until_it_is_healed(line: Line) -> None:
    with _connect(line) as sock:
        line.refuse()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with pytest.raises(OSError, match="reset"), socket.create_connection(("127.0.0.1", line.port)) as sock:
        sock.recv(1)
    line.heal()
    _connect(line).close()


def test_what_was_left_for_dead_stays_so_and_nobody_is_told(line: Line) -> None:
    with _connect(line) as sock:
        line.vanish()
        sock.sendall(b"second")
        assert _got(sock, 6, _SHORT_S) == b""
        _connect(line).close()
        line.heal()
        assert _got(sock, 6, _SHORT_S) == b""
