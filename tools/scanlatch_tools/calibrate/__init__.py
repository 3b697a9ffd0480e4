"""Finds out which setting of a scan engine is wrong, with a person who scans the calibration sheet, and mends it."""
