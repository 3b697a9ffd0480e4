# The base of every driver: bytes become frames, commands get replies, an engine that went astray is brought back.
# pyright: reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
import asyncio

from micropython import const

import scanlatch

_POLL_MS = const(4)  # how often the line is looked at; 46 bytes at 115200, the receive buffer holds 4,096

_FRAME_MOST = const(1024)  # bytes of one symbol; the largest that any record may hold is half of it
_FRAME_USUAL = const(128)  # room for more is taken when it comes
_CHUNK = const(64)
_CHUNKS = const(64)  # a receive buffer's worth, then the other tasks get their turn

_REPLY_MS = const(500)
_ATTEMPTS = const(4)  # of a command: the first and 3 retries
_BEAT_MS = const(3000)  # an idle engine is asked this often whether it is there, in its mode, and armed
_SAME_MS = const(300)  # the box still lies under the beam: read it again this much later
_WAIT_MS = const(500)  # before an engine that was lost is looked for again, then doubled
_WAIT_MOST_MS = const(8000)
_NO_ROOM = const("no memory")  # to bring it up
_SHORT_MOST = const(5)  # times in a row: fragmented for good, so the terminal restarts,
_OLD_MS = const(600_000)  # where the link had its time to come up and bring out what is kept
NEVER = const(-1)  # so many replies are never due


class EngineLost(Exception):
    """The engine does not answer, or not as it was configured; its argument says to a person why."""


class Commanded:
    """The base of a family's `Driver`. uart: `any`, `readinto`, `write`; clock: `ms()`; set_baud(n): reopens the uart.

    auto: the driver keeps the trigger armed, as a counter needs it. Otherwise `trigger(True)` arms one read.

    A family has ON and OFF, the trigger's commands; BEAT and IS, a query and how its reply ends while the engine
    is as it was configured; `as_reply`, or a `take` of its own. Its module <family>_setup is loaded while it is needed:
    `set_up(engine)` brings the engine from whatever state to where it serves, and returns its version.

    Bytes are collected up to one of `ends`; then they are a frame. A frame over 1,024 bytes, or that memory has no room
    for, is reported at once with empty data, and its rest is skipped. Empty frames are no frames.
    """

    GAP_MS = 0  # between two commands
    SILENCE_MS = 200  # after which what has begun ends no more
    ends = b"\r"  # of a frame; b"" where `take` knows its end
    kind = ""  # as the board file names it
    baud = 9600  # where the engine was found last, or is looked for first
    first = 9600  # what the board's file says that it speaks at first
    saves = 0  # how often it was told in this boot to write its flash, which wears
    wired = ()  # uart, clock, set_baud, auto of an engine that was found: lost for long, it is looked for anew
    buzzer = None  # awaited in place of a pause, while the engine is to sound its own
    lost = 0  # frames that came damaged or without their end, as far as the family's protocol shows it

    def __init__(self, uart, clock, set_baud, auto=True):
        self._uart = uart
        self._clock = clock
        self.set_baud = set_baud
        self.auto = auto
        self._chunk = bytearray(_CHUNK)
        self._heard_ms = clock.ms()
        self._frame = bytearray(_FRAME_USUAL)
        self.count = 0  # bytes of the frame that is open; -1 while its rest is skipped
        self.held = b""  # what may become a reply
        self.asked = b""  # the last command
        self.due = 0  # replies to commands that were sent
        self.reply = b""  # the last one, or b"" where the engine refused
        self._take = self.take  # a bound method is an allocation, and this one is used at every look
        self.tell = None  # whom a frame is told, while frames count; while configuring they don't
        self._wanted = auto  # the trigger is to be armed
        self._switched = False  # and the engine does not know yet
        self._read_ms = None  # when a frame came since the trigger was last armed
        self._mark = 0  # hash of the last frame; the frame itself may be a person's
        self._rest_ms = 0
        self._beat_ms = 0

    async def run(self, on_frame, on_state):
        """Configure, read, recover, for ever; or returns the driver that is to be run in this one's place.

        on_frame(AIM identifier or "", data): the moment a frame is complete; on_state("ready", version) and
        on_state("lost", why). Raises EngineLost where memory is short for good.
        """
        wait = _WAIT_MS
        short = 0
        while True:
            try:
                on_state("ready", await self._set_up())
                wait = _WAIT_MS
                short = 0
                self.tell = on_frame
                await self._serve()
            except EngineLost as lost:
                self.tell = None
                on_state("lost", lost.args[0])
                short = short + 1 if lost.args[0] == _NO_ROOM else 0
                if short >= _SHORT_MOST and self._clock.ms() >= _OLD_MS:
                    raise
                if wait == _WAIT_MOST_MS and not short and self.wired:  # five times in a row: another may be there now
                    try:
                        return scanlatch.load("read.engines.auto").Driver(*self.wired)
                    except (MemoryError, OSError):
                        pass
                await self.until(wait, NEVER)
                wait = min(2 * wait, _WAIT_MOST_MS)

    async def trigger(self, on):
        """Arm or disarm. Takes effect within milliseconds, or as soon as the engine is back."""
        self._wanted = bool(on)
        self._switched = True

    def quiet_ms(self):
        """Milliseconds since the engine sent a byte; 0 where one lies unread."""
        return 0 if self._uart.any() else self._clock.ms() - self._heard_ms

    async def ask(self, command, attempts=_ATTEMPTS):
        """What the engine replies to `command`; b"" where it refused. Raises EngineLost."""
        reply = None
        for attempt in range(attempts):
            self.due += 1
            self.asked = command
            self._uart.write(command)
            if await self.until(_REPLY_MS, attempt):
                reply = self.reply
                # A request before was answered late or never: its reply must not be taken for that of the next.
                await self.until(_REPLY_MS, 0)
                break
        self.due = 0
        if reply is None:
            raise EngineLost("no answer")
        return reply

    async def arm(self, on):
        """Tell the engine to read, or to stop."""
        self._read_ms = None  # a frame that comes from here on asks for the next arming
        await self.ask(self.ON if on else self.OFF)
        self._beat_ms = self._clock.ms()

    async def beat(self):
        """Look whether the engine is as it was configured. Raises EngineLost."""
        reply = await self.ask(self.BEAT)
        if reply and not reply.endswith(self.IS):
            raise EngineLost("forgot its settings")

    async def _set_up(self):
        try:
            return await scanlatch.load("read.engines." + self.kind.split("_")[0] + "_setup").set_up(self)
        except MemoryError:
            raise EngineLost(_NO_ROOM)
        except OSError as error:
            raise EngineLost(str(error))

    async def _serve(self):
        self.count = 0
        self._read_ms = None
        self._switched = self._wanted
        self._beat_ms = self._clock.ms()
        while True:
            self._listen()
            now = self._clock.ms()
            since = now - self._beat_ms
            if since < self.GAP_MS:
                await asyncio.sleep_ms(_POLL_MS)
            elif self._switched:
                self._switched = False
                await self.arm(self._wanted)
            elif self._read_ms is not None and not self.auto:
                self._read_ms = None
                self._wanted = False
            elif self._read_ms is not None and self._wanted and now - self._read_ms >= self._rest_ms:
                await self.arm(True)
            elif since >= _BEAT_MS and not self.count:
                # An engine that was reset answers at another speed or not at all; one that was only unplugged for a
                # moment may answer, in its mode, but is not armed.
                await self.beat()
                self._beat_ms = self._clock.ms()
                if self._wanted and self.auto:
                    self._switched = True
            else:
                await (self.buzzer or asyncio.sleep_ms)(_POLL_MS)

    async def until(self, ms, due):
        """Listen until only so many replies are due (NEVER: the whole time). False where more are after `ms`."""
        until = self._clock.ms() + ms
        while True:
            count = self._listen()
            if self.due <= due:
                return True
            if self._clock.ms() >= until:
                return False
            await asyncio.sleep_ms(0 if count else _POLL_MS)

    # From bytes to replies and frames

    def _listen(self):
        # Takes every byte that has come; how many.
        count = 0
        for _ in range(_CHUNKS):
            n = self._uart.readinto(self._chunk) if self._uart.any() else 0
            if not n:
                break
            self._heard_ms = self._clock.ms()
            for i in range(n):
                self._take(self._chunk[i])
            count += n
        if not count and (self.count or self.held) and self.quiet_ms() >= self.SILENCE_MS:
            self.torn()
        return count

    def take(self, byte):
        """One byte of the engine. Here: symbols as they are, up to one of `ends`, and replies between them.

        A barcode may hold the bytes of a reply; so only as many replies are taken out as are due, and only whole ones.
        `as_reply(held)`: False where that can't become one, True where it may, and the reply where it is one.
        """
        if not self.due and not self.held:
            self.put(byte)
            return
        held = self.held + bytes((byte,))
        reply = False
        while held and reply is False:
            reply = self.as_reply(held) if self.due else False
            if reply is False:
                self.put(held[0])
                held = held[1:]
        self.held = held if reply is True else b""
        if held and reply is not True:
            self.replied(reply)

    def replied(self, reply):
        """One of the replies that are due has come. No engine interrupts a symbol for it: what is open is noise."""
        if self.count:
            self.count = 0
            self.lost += self.tell is not None
        self.reply = reply
        self.due -= 1

    def put(self, byte):
        """One byte of a frame."""
        if byte in self.ends:
            if self.count > 0:
                self.framed(*split(self.cut()))
            self.count = 0
            return
        count, frame = self.count, self._frame
        if count == len(frame):
            try:
                frame.extend(bytes(count if count < _FRAME_MOST else 0))
            except MemoryError:
                pass
            if count == len(frame):
                self.count = -1
                self.framed("", b"")
        if self.count >= 0:
            frame[count] = byte
            self.count = count + 1

    def cut(self):
        """All bytes of the frame that is open; it is no more."""
        count, self.count = self.count, 0
        data = bytes(memoryview(self._frame)[:count])
        if count > _FRAME_USUAL:
            self._frame = bytearray(_FRAME_USUAL)
        return data

    def framed(self, identifier, data):
        """A frame is complete."""
        if self.tell is None:
            return
        mark = hash(data)
        self._rest_ms = _SAME_MS if mark == self._mark else 0
        self._mark = mark
        self._read_ms = self._clock.ms()
        self.tell(identifier, data)

    def torn(self):
        """What came has no end, or is damaged. Where it was a symbol, it is to be read again."""
        held, self.held = self.held, b""
        for byte in held:  # no reply: its rest did not come
            self.put(byte)
        if self.count:
            self.count = 0
            if self.tell is not None:
                self.lost += 1
                self.framed("", b"")


def split(frame):
    """(AIM identifier or "", data) of the bytes that an engine sent (ISO/IEC 15424)."""
    if len(frame) >= 3 and frame[0] == 0x5D and frame[1:2].isalpha() and frame[2:3].isdigit():
        return str(frame[:3], "ascii"), frame[3:]
    return "", frame
