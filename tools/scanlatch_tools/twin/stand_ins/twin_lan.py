# Ethernet of the twin: a cable that stands once active.
import utime
from machine import Pin
from micropython import const
from network import Interface

PHY_LAN8720 = PHY_LAN8710 = const(1)
PHY_IP101 = const(2)
PHY_RTL8201 = const(3)
PHY_DP83848 = const(4)
PHY_KSZ8041 = const(5)


class LAN(Interface):
    """A cable: it stands once active."""

    def __init__(
        self, id=None, *, mdc, mdio, phy_type, phy_addr, power=None, reset=None, ref_clk=None, ref_clk_mode=None
    ):
        if not PHY_LAN8720 <= phy_type <= PHY_KSZ8041 or not 0 <= phy_addr <= 31:
            raise ValueError("unknown PHY")
        for pin in (mdc, mdio, power, reset, ref_clk):
            if pin is not None and not isinstance(pin, Pin):
                raise TypeError("a Pin, not a number")
        self.begin("lan")

    def active(self, on=None):
        if on:
            self._asked_at = utime.ticks_ms()
        return super().active(on)
