"""A stand-in for the insurance platform: real HTTP, its own SQLite, strict about its interface (docs/platform.md)."""

from scanlatch_tools.platform_sim.knobs import Knobs
from scanlatch_tools.platform_sim.server import PlatformSim

__all__ = ["Knobs", "PlatformSim"]
