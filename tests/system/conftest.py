"""One site for all tests of this folder: real mosquitto with the generated rights, bridge, platform, two terminals."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage

SITE, OTHER_SITE = "clinic-7", "pharmacy-3"
WINDOW, OTHER = "d-window-01", "d-window-02"
KEPT_ON = (WINDOW, OTHER)  # the other terminals lose their power behind the file that made them
STOCK = [f"8338652{number:013}" for number in range(2_000)]

_shared: list[Stage] = []


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("system") / "stage", [SITE, OTHER_SITE], broker="mosquitto") as made:
        made.platform.know(STOCK)
        _shared.append(made)
        yield made
        _shared.clear()


@pytest.fixture(scope="module", autouse=True)
def _switched_off() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """Fifteen terminals that nobody looks at any more take half a core from all that runs beside them."""
    yield
    for stage in _shared:
        for device, twin in stage.terminals.items():
            if device not in KEPT_ON:
                twin.stop()


@pytest.fixture(scope="package")
def codes() -> Iterator[str]:
    """Codes that the platform knows as unsold, each given once."""
    return iter(STOCK)


@pytest.fixture(scope="package")
def window(stage: Stage) -> Desk:
    desk = Desk(WINDOW, SITE, stage.terminal(WINDOW, SITE))
    desk.wait_ready()
    return desk


@pytest.fixture(scope="package")
def other(stage: Stage) -> Desk:
    desk = Desk(OTHER, OTHER_SITE, stage.terminal(OTHER, OTHER_SITE))
    desk.wait_ready()
    return desk
