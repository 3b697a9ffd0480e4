"""MQTT 5's properties with one set of tables for all: paho makes these anew for each packet, a third of its work."""

from typing import Any

from paho.mqtt import properties
from paho.mqtt.packettypes import PacketTypes

_Properties: Any = properties.Properties
_TABLES = ("types", "names", "properties")


def share_tables() -> None:
    """From here on in this process. What properties hold, and what they refuse, stays as paho has it."""
    made = _Properties(PacketTypes.CONNECT)
    for name in _TABLES:
        setattr(_Properties, name, getattr(made, name))
    _Properties.__init__ = _begin
    _Properties.clear = _clear


def _begin(self: Any, packetType: int) -> None:  # noqa: N803  # paho's name for it
    self.packetType = packetType


def _clear(self: object) -> None:
    held = vars(self)
    for name in held.keys() - {"packetType"}:
        del held[name]
