# The board at work: pins to objects. With `wiring` and `parts`, the only place that knows how this hardware is wired.
import asyncio

import esp32
import machine
from micropython import const

_TONE_DUTY = const(32768)  # half: the loudest a passive buzzer gets
_LOOK_MS = const(100)
_opened = []


def nvs():
    """The key-value store of this product: one for all, as MicroPython closes none and each takes memory."""
    if not _opened:
        _opened.append(esp32.NVS("scanlatch"))
    return _opened[0]


def restart():
    """Start the box anew."""
    machine.reset()


def watchdog(timeout_ms):
    """Start the hardware watchdog, or give it another time. It can't be stopped again."""
    return machine.WDT(timeout=timeout_ms)


async def until(true, deadline_ms):
    """Wait until `true()`; whether it was within `deadline_ms`."""
    for _ in range(0, deadline_ms, _LOOK_MS):
        if true():
            return True
        await asyncio.sleep_ms(_LOOK_MS)
    return true()


class Board:
    """Objects for everything that is soldered on, as `wiring` makes them.

    uart, wired (what it is always opened with); light, link, button, trigger: a pin or None; buzzer: a PWM, what is
    used like one, or None.
    """

    def __init__(self, uart, wired, light, link, button, active_low, buzzer, trigger):
        self.uart = uart
        self._wired = wired
        self.light = light or self
        self.link = link
        self._button = button
        self._active_low = active_low
        self.buzzer = buzzer
        self._trigger = trigger

    def set_baud(self, baud):
        """Change the scan engine's speed (bits a second). Drops what was received and not read, as the chip does."""
        self.uart.init(baudrate=baud, **self._wired)

    def play(self, hz):
        if self.buzzer:
            self.buzzer.freq(hz)
            self.buzzer.duty_u16(_TONE_DUTY)

    def stop(self):
        if self.buzzer:
            self.buzzer.duty_u16(0)

    def colour(self, red, green, blue):
        """Where the board has no light."""

    def pressed(self):
        """Whether the button is down. The engine's trigger, where one is wired, is held low as long."""
        down = self._button is not None and self._button.value() != self._active_low
        if self._trigger:
            self._trigger.value(not down)
        return down
