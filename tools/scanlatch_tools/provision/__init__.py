"""Makes an enrolled terminal of a board that runs MicroPython: firmware, keys, certificate, settings, self-test."""
