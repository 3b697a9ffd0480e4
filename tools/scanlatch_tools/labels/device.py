"""The label on a terminal: its id, its site, and both as a QR code."""

from collections.abc import Sequence
from pathlib import Path

from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels.page import Pages
from scanlatch_tools.site_plan import check_name
from scanlatch_tools.texts import _

SIZE = (62.0, 29.0)  # mm: an address label of the usual printers
LABELS_MOST = 500
_QR_X = 3.0
_QR_WIDE = 20.0  # mm
_TEXT_X = 28.0


def content(site: str, device: str) -> str:
    """What the QR code says. No terminal takes it for a trace code or for a control code."""
    return f"SL/DEVICE/{site}/{device}"


def draw(path: Path, site: str, devices: Sequence[str], name: str = "") -> None:
    """Write the labels of `devices` of `site`, a page each.

    Args:
        path: the PDF.
        site: the site's id.
        devices: ids of terminals.
        name: what people call the site.

    Raises:
        ToolError: a name is none, there are too many, or the file can't be written.
    """
    check_name(site, _("site"))
    if not 0 < len(devices) <= LABELS_MOST:
        raise ToolError(
            _("{count} labels: 1 to {labels_most} at once").format(count=len(devices), labels_most=LABELS_MOST)
        )
    pages = Pages(SIZE, f"Scanlatch {site}")
    for device in devices:
        check_name(device, _("device id"))
        pages.add()
        text = content(site, device)
        module = _QR_WIDE / pages.modules_wide(text, "qr")
        pages.symbol((_QR_X, (SIZE[1] - _QR_WIDE) / 2), text, "qr", module)
        room = SIZE[0] - _TEXT_X - 2
        pages.text(_TEXT_X, 6.5, "药品追溯扫描终端", 7.5, grey=60)
        pages.fitted(_TEXT_X, 13.5, device, 15, room, bold=True)
        pages.fitted(_TEXT_X, 19, site, 10, room)
        if name:
            pages.fitted(_TEXT_X, 23.5, name, 9, room)
        pages.text(_TEXT_X, 27, "Scanlatch", 7, grey=110)
    pages.save(path)
