# Engines' drivers in a time of their own; what is at the other end of the pipe is their serial line.
import asyncio
import builtins
import sys

_RECEIVE_MOST = 4096  # bytes that the chip keeps; what comes beyond is lost


class Line:
    """Clock and UART of one driver. Time passes only while the driver sleeps."""

    def __init__(self):
        self.now = 0
        self.baud = 9600
        self.received = bytearray()
        self.next_ms = 0  # until then nothing happens by itself
        self.jobs = []
        self.overruns = 0

    def ms(self):
        return self.now

    def any(self):
        return len(self.received)

    def readinto(self, buffer):
        count = min(len(buffer), len(self.received))
        buffer[:count] = self.received[:count]
        self.received = self.received[count:]
        return count

    def write(self, data):
        say("write", self.now, self.baud, bytes(data))
        self.next_ms = 0
        return len(data)

    def set_baud(self, baud):
        self.baud = baud
        self.received = bytearray()
        say("baud", self.now, baud)
        self.next_ms = 0

    def look(self):
        """Hear what has come by now; what the desk wants done, or ""."""
        if self.now < self.next_ms:
            return ""
        say("now", self.now)
        self.next_ms, data, word = eval(sys.stdin.readline())
        self.received.extend(data)
        if len(self.received) > _RECEIVE_MOST:
            self.received = self.received[:_RECEIVE_MOST]
            self.overruns += 1
        return word


def say(*what):
    print(what)


def sleep_ms(ms):
    yield ms


def fail_imports(of, short=1):
    # What is loaded on demand fails, so often for want of memory and once for a fault of the flash.
    errors = [OSError(5)] + [MemoryError("no room")] * short
    whole = builtins.__import__

    def failing(name, *arguments):
        if errors and name.endswith(of):
            raise errors.pop()
        return whole(name, *arguments)

    builtins.__import__ = failing


def play(kind, auto, baud):
    """One driver, until the desk has had enough. baud: what the board's file says, or None."""
    from scanlatch.read.engines import choice
    from scanlatch.system.parts.engine_buzzer import Buzzer

    line = Line()
    buzzer = Buzzer(None)
    engine = choice.driver(kind, line, line, line.set_baud, auto)
    if baud:
        engine.baud = engine.first = baud

    def on_frame(identifier, data):
        say("frame", line.now, identifier, data)

    def on_state(state, detail):
        say("state", line.now, state, detail)

    running = engine.run(on_frame, on_state)
    while True:
        try:
            line.now += running.send(None)
        except StopIteration as end:  # another driver takes its place
            engine = end.value
            running = engine.run(on_frame, on_state)
            continue
        word = line.look()
        while word:
            if word == "end":
                say("end", line.now, engine.lost, line.overruns)
                return
            if word == "stall":  # as while the flash erases: the UART hears, nobody reads
                line.now += 400
            elif word[:4] == "tone":  # begins, or ends where it has 0 Hz
                buzzer.driver = engine
                buzzer.freq(int(word[4:]))
                buzzer.duty_u16(int(word[4:]))
            else:
                try:
                    engine.trigger(word == "on").send(None)
                except StopIteration:
                    pass
            line.next_ms = 0
            word = line.look()


def serve():
    """Answer ("play", kind, auto, baud), ("value", expression) and ("starve", name, how often), one a line, for ever."""
    asyncio.sleep_ms = sleep_ms
    names = {}
    while True:
        text = sys.stdin.readline()
        if not text:
            return
        what, *rest = eval(text)
        if what == "play":
            play(*rest)
        elif what == "starve":
            fail_imports(*rest)
        elif what == "do":
            exec(rest[0], names)
            say("done")
        else:
            say("value", eval(rest[0], names))
