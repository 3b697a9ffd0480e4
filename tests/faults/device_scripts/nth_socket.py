# A socket whose other end is the broker of nth_bridge, and whose reads and writes may each fail.
import nth
import nth_chip

_IN_PROGRESS = 115


class Socket:
    def __init__(self, *_):
        world = nth_chip.world
        self.open = True
        self.came = b""  # for the terminal to read
        self.line = None  # the broker's end
        self.told = True  # something happened since a read that found nothing was made to fail
        world.sockets.append(self)

    def setblocking(self, _):
        pass

    setsockopt = setblocking

    def setsockopt(self, *_):
        pass

    def connect(self, _address):
        nth_chip.world.fault("connect")
        if not nth_chip.world.net:
            raise OSError(113)
        self.line = nth_chip.world.bridge.accept(self)
        raise OSError(_IN_PROGRESS)

    def _check(self):
        if not self.open or self.line is None or not nth_chip.world.net:
            raise OSError(104)

    def read(self, size):
        if self.came or self.told:  # reads that find nothing, one after the other, are all the same
            self.told = bool(self.came)
            nth_chip.world.fault("read")
        self._check()
        if not self.came:
            return None
        data, self.came = self.came[:size], self.came[size:]
        return data

    def readinto(self, buf):
        data = self.read(len(buf))
        if not data:
            return None
        buf[: len(data)] = data
        return len(data)

    def write(self, data):
        self.told = True
        nth_chip.world.fault("write")
        self._check()
        nth.paused += 1
        try:
            self.line.take(bytes(data))
        finally:
            nth.paused -= 1
        return len(data)

    def close(self):
        if self.open:
            self.cut()

    def cut(self):
        self.open = False
        if self.line is not None:
            nth_chip.world.bridge.gone(self.line)


class _Poll:
    def register(self, *_):
        pass

    def poll(self, _timeout=0):
        return [1]


class _Context:
    def __init__(self, _protocol):
        pass

    def load_verify_locations(self, cadata):
        pass

    def load_cert_chain(self, certificate, key):
        pass

    def wrap_socket(self, sock, server_hostname=None, do_handshake_on_connect=True):
        return sock


def _address(host, port, *_):
    nth_chip.world.fault("name")
    return [(2, 1, 0, "", (host, port))]


def modules(module):
    """socket, select and ssl."""
    return {
        "socket": module(socket=Socket, getaddrinfo=_address, SOCK_STREAM=1),
        "select": module(poll=_Poll, POLLOUT=4),
        "ssl": module(SSLContext=_Context, PROTOCOL_TLS_CLIENT=0, CERT_REQUIRED=2),
    }
