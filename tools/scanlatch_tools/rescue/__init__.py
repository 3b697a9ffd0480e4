"""Saves the records of a terminal that its bridge may not have, over the cable, signed as they are."""
