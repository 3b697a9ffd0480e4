"""A site whose every connection goes over a line that can fail: each terminal's, the bridge's, the platform's."""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from scanlatch_tools.service import Service
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import Twin

from tests.faults.proxy import Line
from tests.faults.site_with_terminals import SITE

BRIDGE_KEEPALIVE_S = 5  # the shortest: a broken line is found within twice that
_POSTGRES = ".s.PGSQL.5432"  # its socket in its folder


class WiredSite(Stage):
    """A stage with lines; `lines` by terminal, "bridge" and "platform", and "ledger" where that is on PostgreSQL."""

    def __init__(self, folder: Path, ledger: str | None = None) -> None:
        super().__init__(folder / "stage", [SITE], broker="mosquitto", ledger=ledger)
        self._stack = ExitStack()
        self.lines: dict[str, Line] = {}
        settings = self.site.config.read_text().replace(
            f"{self.platform.port}", f"{self._line('platform', self.platform.port).port}"
        )
        if ledger:
            server = sa.make_url(ledger)
            line = self._line("ledger", Path(str(server.query["host"])) / _POSTGRES)
            wired = server.set(host="127.0.0.1", port=line.port, query={})
            settings = settings.replace(ledger, wired.render_as_string(hide_password=False))
        settings = re.sub(r"keepalive_s = \d+", f"keepalive_s = {BRIDGE_KEEPALIVE_S}", settings)
        self.config = (
            self.site.folder / "wired.toml"
        )  # beside the site's own, which says where terminals are to connect
        self.config.write_text(_with_port(settings, self._line("bridge", self.site.port).port))
        arguments = ["bridge", "run", "--config", str(self.config)]
        self.bridges = [Service(arguments, '"event": "ready"', self.folder / "bridge.log")]

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def terminal(self, device: str, at: str = SITE, **settings: Any) -> Twin:
        """As a stage's, on a line of its own."""
        plain = self.site.config.read_text()
        self.site.config.write_text(_with_port(plain, self._line(device, self.site.port).port))
        try:
            return super().terminal(device, at, **settings)
        finally:
            self.site.config.write_text(plain)

    def stop(self) -> None:
        """End everything, the lines last."""
        super().stop()
        self._stack.close()

    def _line(self, name: str, to: int | Path) -> Line:
        self.lines[name] = self._stack.enter_context(Line(to))
        return self.lines[name]


def _with_port(settings: str, port: int) -> str:
    """A bridge.toml whose broker has this port."""
    changed, count = re.subn(r"(?m)^port = \d+$", f"port = {port}", settings)
    assert count == 1
    return changed
