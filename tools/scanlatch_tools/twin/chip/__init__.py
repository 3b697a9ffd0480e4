"""A bare board without the hardware: a chip's loader on a pseudo-terminal, its flash, and what it boots.

Reset lines cannot travel over a pseudo-terminal. So the stand-in plays the finger on BOOT and RESET: whoever sends the
loader's sync gets the loader, and when the port is let go of after that, the board is reset and boots what is there.
"""
