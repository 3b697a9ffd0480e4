"""Flashes boards: finds port and chip, writes MicroPython with our partition table, and loses no record on the way."""
