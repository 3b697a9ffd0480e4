# Wi-Fi and Ethernet that stand while the file `net` in the twin's folder doesn't say "0".
import utime
from micropython import const
from twin_trace import FOLDER, line

STA_IF = const(0)
AP_IF = const(1)
STAT_BEACON_TIMEOUT = const(200)
STAT_NO_AP_FOUND = const(201)
STAT_WRONG_PASSWORD = const(202)
STAT_ASSOC_FAIL = const(203)
STAT_HANDSHAKE_TIMEOUT = const(204)
STAT_IDLE = const(1000)
STAT_CONNECTING = const(1001)
STAT_GOT_IP = const(1010)
PHY_LAN8720 = const(1)
PHY_LAN8710 = PHY_LAN8720
PHY_IP101 = const(2)
PHY_RTL8201 = const(3)
PHY_DP83848 = const(4)
PHY_KSZ8041 = const(5)

_PHYS = (PHY_LAN8720, PHY_IP101, PHY_RTL8201, PHY_DP83848, PHY_KSZ8041)
_CONNECT_MS = const(100)  # the chip takes a second and more
_ADDRESS = "192.168.4.17"
_MAC = b"\x02\x00\x5c\xa1\x1a\x7c"
_hostname = "mpy-esp32"
_stations = [None, None]


def _cable():
    try:
        with open(FOLDER + "/net") as file:
            return file.read(1) != "0"
    except OSError:
        return True


def hostname(name=None):
    global _hostname
    if name is not None:
        _hostname = name
    return _hostname


def country(code=None):
    return code


class _Interface:
    def _begin(self, kind):
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

    def ifconfig(self, addresses=None):
        if addresses is not None:
            return None
        return (_ADDRESS if self.isconnected() else "0.0.0.0",) + ("255.255.255.0", "192.168.4.1", "192.168.4.1")


class WLAN(_Interface):
    IF_STA = STA_IF
    IF_AP = AP_IF
    PM_NONE = const(0)
    PM_PERFORMANCE = const(1)
    PM_POWERSAVE = const(2)

    def __new__(cls, interface=STA_IF):
        # One object an interface, as on the chip.
        if _stations[interface] is None:
            made = _stations[interface] = super().__new__(cls)
            made._begin("wifi" if interface == STA_IF else "ap")
        return _stations[interface]

    def __init__(self, interface=STA_IF):
        pass

    def _begin(self, kind):
        super()._begin(kind)
        self._settings = {
            "mac": _MAC,
            "ssid": "",
            "reconnects": -1,
            "pm": 1,
            "txpower": 20,
            "channel": 1,
            "security": 3,
        }

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._asked_at is not None:
            raise OSError("Wifi Internal State Error")  # already connecting, or connected
        if ssid is not None:
            if not 0 < len(ssid) <= 32:
                raise OSError("Wifi Invalid SSID")
            self._settings["ssid"] = ssid
        self._asked_at = utime.ticks_ms()
        line("net", event="connect", of=self._kind)

    def disconnect(self):
        self._asked_at = None

    def status(self, what=None):
        if what == "rssi":
            if not self.isconnected():
                raise OSError("Wifi Not Connected")
            return -52
        if what is not None:
            raise ValueError("unknown status param")
        if self._asked_at is None:
            return STAT_IDLE
        if self.isconnected():
            return STAT_GOT_IP
        return STAT_CONNECTING if _cable() else STAT_NO_AP_FOUND

    def config(self, name=None, **settings):
        for each in settings:
            if each not in self._settings:
                raise ValueError("unknown config param")
        self._settings.update(settings)
        if name is None:
            return None
        if name not in self._settings:
            raise ValueError("unknown config param")
        return self._settings[name]

    def scan(self):
        if not self._active:
            raise OSError("Wifi Not Started")
        return [(b"twin", _MAC, 1, -52, 3, False)] if _cable() else []


class LAN(_Interface):
    """A cable: it stands once active."""

    def __init__(
        self, id=None, *, mdc, mdio, phy_type, phy_addr, power=None, reset=None, ref_clk=None, ref_clk_mode=None
    ):
        if phy_type not in _PHYS or not 0 <= phy_addr <= 31:
            raise ValueError("unknown PHY")
        for pin in (mdc, mdio, power, reset, ref_clk):
            if pin is not None:
                pin.id()  # a Pin, not a number
        self._begin("lan")

    def active(self, on=None):
        if on:
            self._asked_at = utime.ticks_ms()
        return super().active(on)

    def status(self):
        return STAT_GOT_IP if self.isconnected() else STAT_IDLE
