# For those who freeze the firmware into an image of their own: `make BOARD=... FROZEN_MANIFEST=.../manifest.py`.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821  # pyright: ignore
package("scanlatch")  # noqa: F821  # pyright: ignore
module("boot.py")  # noqa: F821  # pyright: ignore
module("main.py")  # noqa: F821  # pyright: ignore
