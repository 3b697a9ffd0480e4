"""Scan engines in bytes and seconds, a file a protocol family: what the manuals say, without a clock or a port."""

from enum import StrEnum
from typing import Any

from scanlatch_tools.twin.engines.base import FAULTS, Faults, Simulator
from scanlatch_tools.twin.engines.de2120 import De2120
from scanlatch_tools.twin.engines.grow import Grow
from scanlatch_tools.twin.engines.honeywell import Honeywell
from scanlatch_tools.twin.engines.line import Line
from scanlatch_tools.twin.engines.m14 import M14
from scanlatch_tools.twin.engines.newland import Newland
from scanlatch_tools.twin.engines.ssi import Ssi
from scanlatch_tools.twin.engines.ssi_lite import SsiLite


class Family(StrEnum):
    """A family of engines that speak one protocol."""

    LINE = "line"
    GROW = "grow"
    NEWLAND = "newland"
    HONEYWELL = "honeywell"
    SSI = "ssi"
    SSI_LITE = "ssi_lite"
    M14 = "m14"
    DE2120 = "de2120"


NAMES = tuple(str(family) for family in Family)
_FAMILIES: dict[str, type[Simulator]] = {
    family.name: family for family in (Line, Grow, Newland, Honeywell, Ssi, SsiLite, M14, De2120)
}

__all__ = ["NAMES", "Family", "Faults", "Simulator", "simulator"]


def simulator(name: str, **knobs: Any) -> Simulator:
    """An engine of the family `name`, as delivered.

    knobs: of its class, or of `Faults`, such as `silent=True`.

    Raises:
        ValueError: there is no such family, or no such knob.
    """
    if name not in _FAMILIES:
        raise ValueError(f"no engine {name!r}: there are {', '.join(NAMES)}")
    faults = Faults(**{knob: knobs.pop(knob) for knob in FAULTS if knob in knobs})
    try:
        return _FAMILIES[name](**knobs, faults=faults)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error
