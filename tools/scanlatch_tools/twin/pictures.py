"""Pictures of barcodes: draws them and reads them, as a printer and a scan engine would."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import zxingcpp
from biip import ParseError
from biip.gs1_messages import GS1Message
from PIL import Image, UnidentifiedImageError

from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

Kind = Literal["code128", "gs1-128", "ean13", "datamatrix", "gs1-datamatrix", "qr"]

_create: Callable[..., zxingcpp.Barcode] = zxingcpp.create_barcode  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

_SCALE = 4  # pixels a module
_FORMATS: dict[Kind, tuple[zxingcpp.BarcodeFormat, dict[str, Any]]] = {
    "code128": (zxingcpp.BarcodeFormat.Code128, {}),
    "gs1-128": (zxingcpp.BarcodeFormat.Code128, {"gs1": True}),
    "ean13": (zxingcpp.BarcodeFormat.EAN13, {}),
    "datamatrix": (zxingcpp.BarcodeFormat.DataMatrix, {"force_square": True}),
    # Square, for the rectangular extension has an AIM identifier of its own that no box of medicine carries.
    "gs1-datamatrix": (zxingcpp.BarcodeFormat.DataMatrix, {"force_square": True, "gs1": True}),
    "qr": (zxingcpp.BarcodeFormat.QRCode, {}),
}
_LINEAR = ("code128", "gs1-128", "ean13")


class PictureError(Exception):
    """The file is no picture, or the content can't be drawn; the message says what to do."""


@dataclass(frozen=True)
class Symbol:
    """One barcode of a picture.

    data: what an engine sends: without AIM identifier, FNC1 between fields as 0x1D; aim: the AIM identifier;
    format: the symbology's name.
    """

    data: bytes
    aim: str
    format: str


def read_picture(path: Path | str) -> list[Symbol]:
    """The barcodes of a picture, from top to bottom; empty where there is none.

    Raises:
        PictureError: the file is missing or no picture.
    """
    try:
        with Image.open(path) as picture:
            found = zxingcpp.read_barcodes(picture.convert("L"))
    except FileNotFoundError:
        raise PictureError(_("{path}: no such file").format(path=path)) from None
    except (UnidentifiedImageError, OSError) as error:
        raise PictureError(
            _("{path}: not a picture that can be read ({error})").format(path=path, error=why(error))
        ) from None
    found = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    return [Symbol(bytes(code.bytes), code.symbology_identifier, str(code.format)) for code in found]


def draw(content: str | bytes, kind: Kind, path: Path | str) -> None:
    """Draw a barcode as a PNG file.

    Args:
        content: text, or bytes where it is binary. For the GS1 kinds either as people write it, "(01)...(21)...", or
            the element string with 0x1D after fields of variable length.
        kind: which barcode.
        path: where the picture goes.

    Raises:
        PictureError: that kind can't hold this content; says why.
    """
    pixels: Any = _coded(content, kind).to_image(scale=_SCALE, add_quiet_zones=True)
    Image.fromarray(pixels).save(path, "PNG")


def modules(content: str | bytes, kind: Kind) -> list[bytes]:
    """A barcode as rows of modules, 1 where dark, without quiet zone; one row where it is linear.

    Args and errors: as `draw`.
    """
    image: Any = _coded(content, kind).to_image(scale=1, add_quiet_zones=False, add_hrt=False)
    height, width = image.shape
    pixels = bytes(memoryview(image).cast("B"))
    rows = [bytes(pixel < 128 for pixel in pixels[i * width : (i + 1) * width]) for i in range(height)]
    return rows[:1] if kind in _LINEAR else rows


def _coded(content: str | bytes, kind: Kind) -> zxingcpp.Barcode:
    if kind not in _FORMATS:
        raise PictureError(_("{kind}: not one of {formats}").format(kind=kind, formats=", ".join(_FORMATS)))
    symbology, options = _FORMATS[kind]
    if kind in ("gs1-128", "gs1-datamatrix"):
        content = _bracketed(content)
    try:
        return _create(content, symbology, **options)
    except ValueError as error:
        raise PictureError(
            _("{content!r} does not go into {kind}: {error}").format(content=content, kind=kind, error=why(error))
        ) from None


def tear(path: Path | str, torn: Path | str, digits: int = 14) -> None:
    """Draw what is left of a linear barcode that was torn: a Code 128 of its first `digits` characters.

    Raises:
        PictureError: `path` holds no linear barcode longer than that.
    """
    for symbol in read_picture(path):
        if symbol.aim[:2] in ("]C", "]E") and len(symbol.data) > digits:
            draw(symbol.data[:digits].decode("ascii"), "code128", torn)
            return
    raise PictureError(
        _("{path}: no linear barcode of more than {digits} characters to tear").format(path=path, digits=digits)
    )


def _bracketed(content: str | bytes) -> str:
    # The writer takes application identifiers in square brackets, so that values may hold round ones.
    if isinstance(content, bytes):
        try:
            message = GS1Message.parse(content.decode("ascii").removeprefix("\x1d"))
        except (ParseError, UnicodeDecodeError) as error:
            raise PictureError(
                _("{content!r} is no GS1 element string: {error}").format(content=content, error=why(error))
            ) from None
        return "".join(f"[{field.ai.ai}]{field.value}" for field in message.element_strings)
    return re.sub(r"\((\d{2,4})\)", r"[\1]", content)
