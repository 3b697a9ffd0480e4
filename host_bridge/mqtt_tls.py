"""The broker's TLS connection, read and written in large pieces.

paho takes a packet in byte by byte, and gives each one away by itself. Straight on an `ssl.SSLSocket` every one of
those is a call of TLS, of the system, and a fight for the interpreter's lock.
"""

import socket
import ssl
import time
from pathlib import Path
from typing import Any

from host_bridge import config
from host_bridge.errors import ConfigError
from host_bridge.texts import text

_PIECE = 1 << 18  # bytes taken from the system at once
_HELD = 1 << 16  # bytes held back before they are written unasked


class Connection:
    """What paho uses of a socket. What is sent leaves with `flush`; one thread uses it once the handshake is done."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, expected: str) -> None:
        self._sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=expected)
        self._got, self._at = b"", 0  # decrypted, and how far it is read
        self._held = bytearray()  # to be encrypted
        self._cipher = memoryview(b"")  # to be written

    def do_handshake(self) -> None:
        """Within the socket's time-out as a whole. Raises OSError, ssl.SSLError among them."""
        limit = self._sock.gettimeout()
        over = None if limit is None else time.monotonic() + limit
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._sock.sendall(self._out.read())
            except ssl.SSLError:
                self._sock.sendall(self._out.read())  # tells the broker what is wrong with its certificate
                raise
            if over is not None:
                self._sock.settimeout(max(0.001, over - time.monotonic()))
            self._take(self._sock.recv(_PIECE))
        self._sock.sendall(self._out.read())

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end. Raises BlockingIOError where there is nothing yet, OSError."""
        at = self._at
        if at == len(self._got):
            self._got, self._at, at = self._more(), 0, 0
        part = self._got[at : at + size]
        self._at = at + len(part)
        return part

    def pending(self) -> int:
        """Bytes that `recv` gives without asking the system."""
        return len(self._got) - self._at

    def send(self, data: bytes) -> int:
        """Take all of `data`. Raises BlockingIOError where too much is held that the system does not take; OSError."""
        if len(self._held) > _HELD and not self.flush():
            raise BlockingIOError
        self._held += data
        return len(data)

    def flush(self) -> bool:
        """Write what is held; False where the system does not take all of it now. Raises OSError."""
        while True:
            while self._cipher:
                try:
                    self._cipher = self._cipher[self._sock.send(self._cipher) :]
                except BlockingIOError:
                    return False
            if self._held:
                del self._held[: self._tls.write(self._held)]  # a record of 16 KiB at most
            if not self._out.pending:
                return True
            self._cipher = memoryview(self._out.read())

    def close(self) -> None:
        """Write what is held as far as it goes, and end."""
        try:
            self.flush()
        except OSError:
            pass  # there is nobody left to read it
        self._sock.close()

    @property
    def broker_until(self) -> int | None:
        """When the broker's certificate ends, ms UTC."""
        told: Any = (self._tls.getpeercert() or {}).get("notAfter")
        return int(ssl.cert_time_to_seconds(told) * 1000) if isinstance(told, str) else None

    def fileno(self) -> int:
        """For select."""
        return self._sock.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """As socket.settimeout; for the handshake."""
        self._sock.settimeout(seconds)

    def setblocking(self, flag: bool) -> None:
        """As socket.setblocking."""
        self._sock.setblocking(flag)

    def setsockopt(self, level: int, name: int, value: int) -> None:
        """As socket.setsockopt."""
        self._sock.setsockopt(level, name, value)

    def _more(self) -> bytes:
        self._take(self._sock.recv(_PIECE))
        parts: list[bytes] = []
        try:
            while part := self._tls.read(_PIECE):  # a record each
                parts.append(part)
        except ssl.SSLWantReadError:
            if not parts:
                raise BlockingIOError from None
        except ssl.SSLEOFError:
            return b"".join(parts)
        return b"".join(parts)

    def _take(self, cipher: bytes) -> None:
        if cipher:
            self._in.write(cipher)
        else:
            self._in.write_eof()


class Context(ssl.SSLContext):
    """paho gives the address as the host name; the certificate is to bear the name in the settings."""

    expected: str = ""
    files: tuple[str, str] = ("", "")  # certificate and key
    stamps: tuple[int, ...] = ()

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> Any:
        return Connection(sock, self, self.expected)

    def refresh(self) -> bool:
        """Use the certificate in the files from the next connection on; True where it is another than before.

        Raises OSError, ssl.SSLError among them: the one before stays in use.
        """
        stamps = tuple(Path(path).stat().st_mtime_ns for path in self.files)
        if stamps == self.stamps:
            return False
        # What cannot be used would take the one before along.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(*self.files)
        self.load_cert_chain(*self.files)
        self.stamps = stamps
        return True


def context(settings: config.Mqtt) -> Context:
    """As the settings say; connections made with it are `Connection`. Raises ConfigError."""
    made = Context(ssl.PROTOCOL_TLS_CLIENT)
    made.expected = settings.verify or settings.host
    made.check_hostname = True
    made.verify_mode = ssl.CERT_REQUIRED
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.files = str(settings.certificate), str(settings.key)
    try:
        made.load_verify_locations(str(settings.ca))
        made.refresh()
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "mqtt.ca, mqtt.certificate, mqtt.key", text("cannot be used: {error}", error=error)
        ) from error
    return made


def flushed(sock: object) -> bool:
    """Whether all that was sent left; a connection that broke is found so by the next read."""
    try:
        return not isinstance(sock, Connection) or sock.flush()
    except OSError:
        return True


def has_more(sock: object) -> bool:
    """Whether something is there to be read that `select` does not tell of."""
    return isinstance(sock, Connection) and sock.pending() > 0
