"""Makes the labels' Chinese font: the characters of GB 2312, out of Droid Sans Fallback (Apache-2.0).

    python3 tools/scripts/make_label_font.py DroidSansFallback.ttf

The file is in Debian's package fonts-droid-fallback. Latin text of the labels is in the PDF's own Helvetica.
"""

import sys
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

_TARGET = Path(__file__).parents[1] / "scanlatch_tools" / "labels" / "font" / "gb2312.ttf"
_KEPT_NAMES = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # OpenType "name": copyright, family ... licence and where it stands


def characters() -> set[str]:
    """Every character of GB 2312, rows 1 to 87; ASCII is not among them."""
    found: set[str] = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def main() -> None:
    """Write the font beside the labels."""
    font = TTFont(sys.argv[1])
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = _KEPT_NAMES
    options.notdef_outline = True
    subsetter: Any = Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters()])
    subsetter.subset(font)
    font.save(_TARGET)
    print(f"{_TARGET.name}: {len(characters())} characters, {_TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
