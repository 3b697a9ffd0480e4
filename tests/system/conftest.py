"""One site for all tests of this folder: real mosquitto with the generated rights, bridge, platform, two terminals."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

SITE, OTHER_SITE = "clinic-7", "pharmacy-3"
STOCK = [f"8338652{number:013}" for number in range(2_000)]


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("system") / "stage", [SITE, OTHER_SITE], broker="mosquitto") as made:
        made.platform.know(STOCK)
        yield made


@pytest.fixture(scope="package")
def codes() -> Iterator[str]:
    """Codes that the platform knows as unsold, each given once."""
    return iter(STOCK)


@pytest.fixture(scope="package")
def window(stage: Stage) -> Desk:
    desk = Desk("d-window-01", SITE, stage.terminal("d-window-01", SITE))
    desk.wait_ready()
    return desk


@pytest.fixture(scope="package")
def other(stage: Stage) -> Desk:
    desk = Desk("d-window-02", OTHER_SITE, stage.terminal("d-window-02", OTHER_SITE))
    desk.wait_ready()
    return desk
