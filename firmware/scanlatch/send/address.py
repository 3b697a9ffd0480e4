# Where the broker is: looked up once, and again when no connection came of it.
import socket

from scanlatch.send.causes import MqttError


class Address:
    """feed: called around the look-up, which blocks the loop, or None."""

    def __init__(self, host, port, feed):
        self.good = False  # the last connection came about
        self._host = host
        self._port = port
        self._feed = feed
        self._found = None

    def find(self):
        """An entry of `getaddrinfo`. Where the name server is dead, what it last said still serves.

        Raises MqttError "name".
        """
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
