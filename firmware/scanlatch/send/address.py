# Where the broker is, looked up once and again when no connection came of it; a socket on its way there.
import errno
import socket

from micropython import const

from scanlatch.send.causes import MqttError

_TCP = const(6)  # IPPROTO_TCP and TCP_NODELAY have no names on MicroPython
_NODELAY = const(1)


class Address:
    """feed: called around the look-up, which blocks the loop, or None."""

    def __init__(self, host, port, feed):
        self.good = False  # the last connection came about
        self._host = host
        self._port = port
        self._feed = feed
        self._found = None

    def _find(self):
        # Where the name server is dead, what it last said still serves.
        if not self.good or self._found is None:
            if self._feed:
                self._feed()
            try:
                self._found = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
            except OSError as error:
                if self._found is None:
                    raise MqttError("name", self._host + ": " + str(error))
            if self._feed:
                self._feed()
        return self._found

    def dial(self):
        """A non-blocking socket that connects; it can be written to once it has. Raises MqttError "name", OSError."""
        family, kind, protocol, _, address = self._find()
        dialled = socket.socket(family, kind, protocol)
        try:
            dialled.setblocking(False)
            dialled.setsockopt(_TCP, _NODELAY, 1)  # a TLS socket has no setsockopt: before it is wrapped
            dialled.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                dialled.close()
                raise
        return dialled
