"""Where load is measured: a site with mosquitto and the platform's stand-in, and its terminals, connected."""

import contextlib
import itertools
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from scanlatch_tools import site
from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.child import Child
from scanlatch_tools.bench.fleet import Device
from scanlatch_tools.bench.load import Terminals
from scanlatch_tools.broker import Mosquitto, free_port
from scanlatch_tools.site import Site
from scanlatch_tools.stage import Platform

_AT = "clinic-7"


@dataclass(slots=True)
class Ground:
    """A running site without its bridge."""

    site: Site
    broker: Mosquitto
    platform: Platform
    devices: list[Device]
    terminals: Terminals
    log: Path
    codes: "itertools.count[int]"

    def sealed(self, operation: int, count: int) -> dict[str, list[bytes]]:
        """`count` records of fresh codes, shared out among the terminals."""
        records: dict[str, list[bytes]] = {}
        for _, device in zip(range(count), itertools.cycle(self.devices)):
            records.setdefault(device.name, []).append(device.seal(operation, fleet.code(next(self.codes))))
        return records

    def bridge(self) -> Child:
        """The bridge as a measured process."""
        return Child("scanlatch_tools.bench.bridge_process", [str(self.site.config)], self.log)

    def echo(self) -> Child:
        """What it is compared with."""
        return Child("scanlatch_tools.bench.echo_process", [str(self.site.config)], self.log)


@contextlib.contextmanager
def laid_out(folder: Path, terminals: int) -> Generator[Ground]:
    """Everything up but the bridge."""
    folder.mkdir(parents=True, exist_ok=True)
    platform = Platform(folder)
    made = site.create(folder / "site", [_AT], port=free_port(), platform_url=platform.url)
    devices = fleet.enrolled(made, [f"d-load-{number:03}" for number in range(terminals)], _AT)
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(made))
        stack.callback(platform.process.stop)
        platform.process.start()
        platform.turn(open=True)
        identified = [(device, fleet.tls(made, device)) for device in devices]
        connected = stack.enter_context(Terminals(made, identified))
        yield Ground(made, broker, platform, devices, connected, folder / "bridge.log", itertools.count(1))
