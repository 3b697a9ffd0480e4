"""Where the device's files and the board files are: in the wheel, or in the checkout they were built from."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def _place(name: str) -> Path:
    packed = _PACKAGE / "device_files" / name
    return packed if packed.is_dir() else _CHECKOUT / name


def firmware() -> Path:
    """Folder that holds boot.py, main.py and the package `scanlatch` for the device."""
    return _place("firmware")


def board_configs() -> Path:
    """Folder of the board files, one TOML a board."""
    return _place("board_configs")
