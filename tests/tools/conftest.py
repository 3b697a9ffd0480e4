"""One site that runs, for the tests of provisioning: real mosquitto, bridge, platform."""

from collections.abc import Iterator

import pytest
from scanlatch_tools.stage import Stage

from tests.tools import provision_case as case


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("provision") / "stage", [case.SITE], broker="mosquitto") as running:
        running.platform.know(case.STOCK)
        yield running


@pytest.fixture(scope="package")
def codes() -> Iterator[str]:
    """Codes that the platform knows as unsold, each given once."""
    return iter(case.STOCK)
