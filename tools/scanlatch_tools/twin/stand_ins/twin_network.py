# Wi-Fi and Ethernet, but for what is asked over and over (twin_trace).
import os

import twin_trace
import utime
from micropython import const
from twin_trace import line

STA_IF = const(0)
AP_IF = const(1)
PHY_LAN8720 = PHY_LAN8710 = const(1)
PHY_IP101 = const(2)
PHY_RTL8201 = const(3)
PHY_DP83848 = const(4)
PHY_KSZ8041 = const(5)
PHY_KSZ8081 = const(6)


def _begin(link, name):
    link.name = name
    link.on = link.up = False
    link.at = None
    return link


class WLAN:
    IF_STA = STA_IF
    IF_AP = AP_IF

    def __new__(cls, interface=STA_IF):
        # One object an interface, as on the chip.
        hot = twin_trace.WLAN
        if not hasattr(hot, "all"):
            hot.all = [None, None]
        if not 0 <= interface <= AP_IF:
            raise ValueError("invalid WLAN interface identifier")
        if hot.all[interface] is None:
            hot.all[interface] = _begin(hot(), ("wifi", "ap")[interface])
        return hot.all[interface]

    def active(self, on=None):
        if on is not None and bool(on) != self.on:
            self.on = bool(on)
            if not on:
                self.at = None
            line("net", event="active" if on else "inactive", of=self.name)
        return self.on

    def config(self, *, pm):
        # How much the radio naps: 0 not at all; the chip does where it is not told.
        if not self.on or not 0 <= pm <= 2:
            raise OSError("Wifi Invalid Argument")
        line("radio", pm=pm)

    def turn(self, up):
        self.up = up
        line("net", event="up" if up else "down", of=self.name)
        if not up and self.at is not None:
            self.at = utime.ticks_ms()  # the chip goes on trying by itself

    def connect(self, ssid="remembered", key=None):
        # Not started, or already connecting or connected.
        if not self.on or self.at is not None or not 0 < len(ssid) <= 32:
            raise OSError("Wifi Internal State Error")
        self.at = utime.ticks_ms()
        line("net", event="connect", of=self.name)

    def disconnect(self):
        self.at = None

    def status(self, what):
        if what != "rssi":
            raise ValueError("unknown status param")
        if not self.isconnected():
            raise OSError("Wifi Not Connected")
        return -52


class LAN:
    """A cable: it stands once active."""

    turn = WLAN.turn

    def __new__(
        cls, id=None, *, mdc, mdio, phy_type, phy_addr, power=None, reset=None, ref_clk=None, ref_clk_mode=None
    ):
        if not PHY_LAN8720 <= phy_type <= PHY_KSZ8081 or not 0 <= phy_addr <= 31:
            raise ValueError("unknown PHY")
        if (os.getenv("SCANLATCH_TWIN_CHIP") or "").startswith(("esp32s3", "esp32c3")):
            raise ValueError("this chip has no Ethernet")
        said = {"phy": phy_type, "addr": phy_addr, "clock": ref_clk_mode}
        pins = (("mdc", mdc), ("mdio", mdio), ("power", power), ("reset", reset), ("ref_clk", ref_clk))
        for name, pin in pins:
            if pin is not None:
                if not isinstance(pin, twin_trace.Pin):
                    raise TypeError("a Pin, not a number")
                said[name] = pin.number
        line("lan", **said)
        cable = _begin(twin_trace.WLAN(), "lan")
        cable.kind = ("twin_network", "LAN")
        return cable

    def active(self, on=None):
        if on:
            self.at = utime.ticks_ms()
        return WLAN.active(self, on)
