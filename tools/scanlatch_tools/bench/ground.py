"""Where load is measured: a site with mosquitto and the platform's stand-in, and its terminals, connected."""

import contextlib
import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanlatch_tools import site
from scanlatch_tools.bench import fleet
from scanlatch_tools.bench.child import Child
from scanlatch_tools.bench.fleet import Device
from scanlatch_tools.bench.ledgers import SQLITE, Database
from scanlatch_tools.bench.load import Terminals
from scanlatch_tools.broker import Mosquitto, free_port
from scanlatch_tools.site import Site
from scanlatch_tools.stage import Platform

_AT = "clinic-7"


@dataclass(slots=True)
class Ground:
    """A running site without its bridges."""

    site: Site
    broker: Mosquitto
    platform: Platform
    database: Database
    devices: list[Device]
    terminals: Terminals
    folder: Path
    codes: "itertools.count[int]"

    def sealed(
        self, operation: int, count: int, left: Mapping[str, Sequence[bytes]] | None = None
    ) -> dict[str, list[bytes]]:
        """`count` records of fresh codes, shared out among the terminals; what is `left` of earlier ones goes first."""
        each, more = divmod(count, len(self.devices))
        records: dict[str, list[bytes]] = {}
        for at, device in enumerate(self.devices):
            wanted = each + (at < more)
            mine = records[device.name] = list((left or {}).get(device.name, ())[:wanted])
            while len(mine) < wanted:
                mine.append(device.seal(operation, fleet.code(next(self.codes))))
        return records

    @contextlib.contextmanager
    def bridges(self, profile: Path | None = None) -> Generator[list[Child]]:
        """All of the site's bridges as measured processes; with `profile`, each writes there where its time went."""
        with contextlib.ExitStack() as running:
            children: list[Child] = []
            for config in self.site.configs:
                more = [str(profile / config.stem)] if profile else []
                log = self.folder / f"{config.stem}.log"
                child = Child("scanlatch_tools.bench.bridge_process", [str(config), *more], log)
                children.append(running.enter_context(child))
            yield children

    def echo(self) -> Child:
        """What a bridge is compared with."""
        return Child("scanlatch_tools.bench.echo_process", [str(self.site.config)], self.folder / "echo.log")


@contextlib.contextmanager
def laid_out(folder: Path, terminals: int, database: Database | None = None, bridges: int = 1) -> Generator[Ground]:
    """Everything up but the bridges; the ledger is in SQLite where no other database is given."""
    folder.mkdir(parents=True, exist_ok=True)
    kept_in = database or Database(SQLITE)
    platform = Platform(folder)
    made = site.create(
        folder / "site",
        [_AT],
        port=free_port(),
        platform_url=platform.url,
        bridges=bridges,
        ledger=kept_in.place(folder),
    )
    devices = fleet.enrolled(made, [f"d-load-{number:03}" for number in range(terminals)], _AT)
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(made))
        stack.callback(platform.process.stop)
        platform.process.start()
        platform.turn(open=True)
        identified = [(device, fleet.tls(made, device)) for device in devices]
        connected = stack.enter_context(Terminals(made, identified))
        yield Ground(made, broker, platform, kept_in, devices, connected, folder, itertools.count(1))
