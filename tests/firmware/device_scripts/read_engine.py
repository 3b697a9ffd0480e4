# Runs an engine's driver on MicroPython over a pseudo-terminal; what it reports goes to standard output, one JSON a line.
import asyncio
import io
import json
import select
import sys
import time

import termios
from scanlatch.read.engines import choice


class Clock:
    def ms(self):
        return time.ticks_ms()


class Uart(io.IOBase):
    """As much of machine.UART as a driver may use."""

    def __init__(self, path):
        self._file = open(path, "r+b", 0)
        termios.setraw(self._file.fileno())
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def any(self):
        return 1 if self._poll.poll(0) else 0

    def readinto(self, buffer):
        # A file would wait until the buffer is full; a UART gives what it has.
        count = 0
        while count < len(buffer) and self.any():
            buffer[count] = self._file.read(1)[0]
            count += 1
        return count

    def write(self, data):
        return self._file.write(data)

    def set_baud(self, baud):
        # A pseudo-terminal has no speed, but keeps the setting, and its other end can read it.
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[4] = attributes[5] = termios.B9600 if baud == 9600 else termios.B115200
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)
        report("baud", baud)


def report(what, *values):
    print(json.dumps([what, time.ticks_ms()] + list(values)))


def on_frame(identifier, data):
    report("frame", identifier, list(data))


def on_state(state, detail):
    report("state", state, detail)


async def obey(engine):
    # One command a line: "on", "off", "quiet".
    reader = asyncio.StreamReader(sys.stdin.buffer)
    while True:
        line = await reader.readline()
        if not line:
            sys.exit(0)
        word = line.strip()
        if word == b"quiet":
            report("quiet", engine.quiet_ms())
        else:
            await engine.trigger(word == b"on")


async def main(kind, path):
    uart = Uart(path)
    engine = choice.driver(kind, uart, Clock(), uart.set_baud)
    asyncio.create_task(obey(engine))
    report("up")
    await engine.run(on_frame, on_state)


asyncio.run(main(*sys.argv[1:]))
