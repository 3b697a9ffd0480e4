# The way to the network through a cable.
import machine
import network

from scanlatch.system.board import until


class Link:
    """config: the board's `network` table, with the PHY's pins."""

    def __init__(self, config, _ssid, _password):
        arguments = {"phy_addr": config.get("phy_addr", 0)}
        for name in ("mdc", "mdio", "power", "reset", "ref_clk"):
            if config.get(name) is not None:
                arguments[name] = machine.Pin(config[name])
        if config.get("ref_clk_mode") == "out":
            arguments["ref_clk_mode"] = machine.Pin.OUT
        arguments["phy_type"] = getattr(network, "PHY_" + config.get("phy", "LAN8720"))
        self._lan = network.LAN(**arguments)
        self.connected = self._lan.isconnected  # pyright: ignore - the stubs have it not

    def rssi(self):
        """A cable has none."""

    async def up(self, deadline_ms):
        """Connect. Returns whether it stands within `deadline_ms`."""
        if not self._lan.active():
            self._lan.active(True)
        return await until(self.connected, deadline_ms)
