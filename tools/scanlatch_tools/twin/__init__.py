"""A terminal without the hardware: the real firmware on real MicroPython, with stand-in pins and flash."""
