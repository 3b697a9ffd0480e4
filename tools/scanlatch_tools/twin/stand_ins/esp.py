# A bare board's flash as a whole: its size, and what lies where.
import os

_FILE = "/.twin/flash.bin"


def flash_size():
    return os.stat(_FILE)[6]


def flash_read(at, into):
    with open(_FILE, "rb") as file:
        file.seek(at)
        file.readinto(into)
