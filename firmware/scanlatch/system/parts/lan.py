# The way to the network through a cable.
import machine
import network

from scanlatch.system.board import until


class Link:
    """config: `network` of the board, with the PHY's arguments as network.LAN names them (MicroPython v1.24)."""

    def __init__(self, config):
        arguments = {"phy_addr": config["phy_addr"], "phy_type": getattr(network, "PHY_" + config["phy"])}
        for name in ("mdc", "mdio", "power", "reset", "ref_clk"):
            if name in config:
                arguments[name] = machine.Pin(config[name])
        if "ref_clk_mode" in config:
            arguments["ref_clk_mode"] = machine.Pin.OUT if config["ref_clk_mode"] == "out" else machine.Pin.IN
        self._lan = network.LAN(**arguments)
        self.connected = self._lan.isconnected  # pyright: ignore - the stubs have it not

    def rssi(self):
        """A cable has none."""

    async def up(self, deadline_ms):
        """Connect. Returns whether it stands within `deadline_ms`."""
        if not self._lan.active():
            self._lan.active(True)
        return await until(self.connected, deadline_ms)
