# Time: monotonic milliseconds for waits, UTC milliseconds for evidence. The only file that calls `time`.
import time

from micropython import const

NEVER_SET = const(0)
KEPT = const(1)
SYNCHRONISED = const(2)

_RTC_MARK = const(b"SL1")  # in the RTC's memory, which a power cut empties: the RTC was synchronised and ran on since
_EARLIEST_MS = const(946_684_800_000)  # 2000: before it, and from 2068 on, the ESP32's RTC can't be set
_LATEST_MS = const(3_094_156_800_000)
# The ESP32 counts from 2000, the unix port from 1970: ask, never assume.
_EPOCH_S = 946684800 if time.gmtime(0)[0] == 2000 else 0


class Clock:
    """Monotonic and UTC time of this terminal, in integer milliseconds.

    rtc: `machine.RTC` or None; ran_on: the RTC was not stopped since it was last set (soft reset, deep sleep);
    floor: UTC ms that it surely is by now; ticks and diff: the wrapping tick source; earliest: UTC ms before which
    no time is believed (TLS would take no certificate then, and so nothing could set the clock right again).
    """

    def __init__(self, rtc=None, ran_on=False, floor=0, ticks=time.ticks_ms, diff=time.ticks_diff, earliest=0):
        self._rtc = rtc
        self._ticks = ticks
        self._diff = diff
        self._last = ticks()
        self._ms = 0
        self.kept_at = None  # of these, when the time was stored last; see report.py
        self._earliest = max(earliest, _EARLIEST_MS)
        if ran_on and rtc is not None and rtc.memory()[:3] == _RTC_MARK:
            self.quality = KEPT
            self._base = max((int(time.time()) + _EPOCH_S) * 1000, floor)
        else:
            self.quality = NEVER_SET
            self._base = floor
            if rtc is not None:
                rtc.memory(b"")  # from here on the RTC tells a floor: the next soft reset must not take it for a time
            self._set_rtc(floor)  # TLS checks certificate dates against the RTC

    def ms(self):
        """Milliseconds since this boot; never wraps, where it is called at least every 6 days."""
        now = self._ticks()
        self._ms += self._diff(now, self._last)
        self._last = now
        return self._ms

    def now(self):
        """(UTC ms, quality): the best this terminal knows, and how well it knows it (WIRE: `clock`)."""
        return self._base + self.ms(), self.quality

    def synchronise(self, utc_ms):
        """Take `utc_ms` as the time now, forwards or backwards. Raises ValueError where it can't be."""
        if not self._earliest <= utc_ms < _LATEST_MS:
            raise ValueError("can't be the time")
        self._base = utc_ms - self.ms()
        self.quality = SYNCHRONISED
        self._set_rtc(utc_ms)
        if self._rtc is not None:
            self._rtc.memory(_RTC_MARK)

    def _set_rtc(self, utc_ms):
        if self._rtc is None or not _EARLIEST_MS <= utc_ms < _LATEST_MS:
            return
        year, month, day, hour, minute, second, weekday = time.gmtime(utc_ms // 1000 - _EPOCH_S)[:7]
        self._rtc.datetime((year, month, day, weekday, hour, minute, second, 0))
