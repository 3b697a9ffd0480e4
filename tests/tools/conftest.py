"""One site that runs, for the tests of provisioning: real mosquitto, bridge, platform."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.tools import provision_case as case
from tests.tools.flash_case import flashed

DOCTORED = "doctored-01"  # the terminal that doctor, monitor and calibrate look at


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("provision") / "stage", [case.SITE], broker="mosquitto") as running:
        running.platform.know(case.STOCK)
        yield running


@pytest.fixture(scope="package")
def codes() -> Iterator[str]:
    """Codes that the platform knows as unsold, each given once."""
    return iter(case.STOCK)


@pytest.fixture(scope="package")
def board(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareBoard]:
    """A terminal that works, provisioned over its cable; who breaks it, mends it."""
    folder = tmp_path_factory.mktemp("doctored")
    with BareBoard(folder / "board") as made:
        made.start()
        flashed(made, folder, "esp32")
        case.made(stage, made, name=DOCTORED)
        yield made
