# Wi-Fi and Ethernet that stand while the file `net` in the twin's folder doesn't say "0".
import utime
from micropython import const
from twin_trace import FOLDER, line

STA_IF = const(0)
AP_IF = const(1)
_CONNECT_MS = const(100)  # the chip takes a second and more
_stations = {}


def _cable():
    try:
        with open(FOLDER + "/net") as file:
            return file.read(1) != "0"
    except OSError:
        return True


def __getattr__(name):
    # A board has Wi-Fi or a cable: the cable's code is loaded where there is one.
    import twin_lan

    return getattr(twin_lan, name)


class Interface:
    """What Wi-Fi and cable have in common."""

    def begin(self, kind):
        self._kind = kind
        self._active = False
        self._asked_at = None  # ticks of connect()
        self._up = False

    def active(self, on=None):
        if on is not None and bool(on) != self._active:
            self._active = bool(on)
            if not on:
                self._asked_at = None
            line("net", event="active" if on else "inactive", of=self._kind)
        return self._active

    def isconnected(self):
        up = self._asked_at is not None and _cable()
        up = up and utime.ticks_diff(utime.ticks_ms(), self._asked_at) >= _CONNECT_MS
        if up != self._up:
            self._up = up
            line("net", event="up" if up else "down", of=self._kind)
            if not up and self._asked_at is not None:
                self._asked_at = utime.ticks_ms()  # the chip goes on trying by itself
        return up


class WLAN(Interface):
    IF_STA = STA_IF
    IF_AP = AP_IF

    def __new__(cls, interface=STA_IF):
        # One object an interface, as on the chip.
        if interface not in _stations:
            _stations[interface] = super().__new__(cls)
            _stations[interface].begin(("wifi", "ap")[interface])
        return _stations[interface]

    def __init__(self, interface=STA_IF):
        pass

    def connect(self, ssid="remembered", key=None):
        # Not started, or already connecting or connected.
        if not self._active or self._asked_at is not None or not 0 < len(ssid) <= 32:
            raise OSError("Wifi Internal State Error")
        self._asked_at = utime.ticks_ms()
        line("net", event="connect", of=self._kind)

    def disconnect(self):
        self._asked_at = None

    def status(self, what):
        if what != "rssi":
            raise ValueError("unknown status param")
        if not self.isconnected():
            raise OSError("Wifi Not Connected")
        return -52
