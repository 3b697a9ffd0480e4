"""A whole site on this machine: broker, platform, bridges and terminals, for the demo and the tests."""

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import httpx

from scanlatch_tools import enrol, site
from scanlatch_tools.boards import Board
from scanlatch_tools.broker import Amqtt, Mosquitto, SiteBroker, free_port
from scanlatch_tools.service import Service
from scanlatch_tools.twin.device import Twin, twin_board
from scanlatch_tools.twin.engines import Simulator, simulator

_ADMIN_TIMEOUT_S = 10.0


class Platform:
    """The platform's stand-in as a process, and its knobs."""

    def __init__(self, folder: Path) -> None:
        self.port, self._admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # One client, since each reads all certificates of this machine first, 25 ms; a new connection for each call,
        # since the process is killed and started again.
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{self._admin_port}",
            timeout=_ADMIN_TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        ports = ["--port", str(self.port), "--admin-port", str(self._admin_port)]
        arguments = ["platform", "run", *ports, "--database", str(folder / "platform.sqlite")]
        self.process = Service(arguments, "platform ", folder / "platform.log")

    def know(self, codes: list[str]) -> None:
        """Let it know `codes`, canonical trace codes, as unsold."""
        self._admin("POST", "/codes", codes)

    def turn(self, **knobs: Any) -> None:
        """Turn knobs: latency_ms, error_rate, lose_rate, lose_next, outage, open."""
        self._admin("POST", "/knobs", knobs)

    def sales(self, code: str) -> list[dict[str, Any]]:
        """Sales of one code that it took."""
        return self._admin("GET", f"/sales?code={code}")

    def _admin(self, method: str, path: str, body: object = None) -> Any:
        answer = self._client.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()


class Stage:
    """A site with everything that runs in it; a context manager.

    Args:
        folder: for all its files; made here.
        sites: names of the sites that are served.
        broker: "amqtt" in this process, or "mosquitto".
        bridges: how many; more than one need mosquitto and a ledger in PostgreSQL.
        ledger: its URL; default: SQLite in the site's folder.

    `engine`: family of the terminals' scan engines; `detect`: whether they have to find out which it is. Both hold for
    the terminals that are made behind the change.
    """

    def __init__(
        self,
        folder: Path,
        sites: list[str],
        *,
        broker: Literal["amqtt", "mosquitto"] = "amqtt",
        port: int | None = None,
        bridges: int = 1,
        ledger: str | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.engine = "grow"
        self.detect = False
        self.platform = Platform(folder)
        self.site = site.create(
            folder / "site",
            sites,
            port=port or free_port(),
            platform_url=self.platform.url,
            broker=broker,
            bridges=bridges,
            ledger=ledger,
        )
        self.broker: SiteBroker = Amqtt(self.site) if broker == "amqtt" else Mosquitto(self.site)
        self.bridges = [
            Service(["bridge", "run", "--config", str(config)], '"event": "ready"', folder / f"{config.stem}.log")
            for config in self.site.configs
        ]
        self.terminals: dict[str, Twin] = {}

    def __enter__(self) -> "Stage":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bridge(self) -> Service:
        """The bridge; the first of several."""
        return self.bridges[0]

    def start(self) -> None:
        """Start broker, platform and bridges. Raises ToolError."""
        self.broker.start()
        self.platform.process.start()
        for bridge in self.bridges:
            bridge.start()

    def stop(self) -> None:
        """End everything, terminals first."""
        jobs = [*(twin.stop for twin in self.terminals.values()), *(bridge.stop for bridge in self.bridges)]
        for job in (*jobs, self.platform.process.stop, self.broker.stop):
            with contextlib.suppress(OSError):
                job()

    def terminal(
        self,
        device: str,
        at: str,
        *,
        heap_every_ms: int = 0,
        erase_ms: int = 0,
        engine: Simulator | None = None,
        board: Board | None = None,
        **settings: Any,
    ) -> Twin:
        """A new terminal, enrolled as a board would be, and running.

        Args:
            device: its id.
            at: the site where it stands.
            heap_every_ms: how often its trace tells of its heap; 0: never.
            erase_ms: how long an erase of its flash stops everything.
            engine: its scan engine; by default one of the stage's family, as delivered.
            board: its board; by default the twin's, with that engine's family and speed.
            settings: more for `enrol.enrol`, such as operation="query".
        """
        engine = engine or simulator(self.engine)
        board = board or twin_board(engine, detect=self.detect)
        twin = Twin(self.folder / device, heap_every_ms=heap_every_ms, erase_ms=erase_ms, simulator=engine)
        enrol.enrol(self.site.folder, twin, device, at, board, **settings)
        self.terminals[device] = twin
        twin.start()
        return twin
