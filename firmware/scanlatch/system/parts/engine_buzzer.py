# The scan engine's own buzzer, used like a PWM: silent where the engine has no command for a beep.
from scanlatch.read.engines import beep
from scanlatch.system.log import log


class Buzzer:
    """driver: the engine's, whichever reads now; a silent one is told once, on the console."""

    driver = None

    def __init__(self, _config):
        self._hz = 0
        self._beeper = beep.Beeper()
        self._told = "auto"  # the kind that was told to be silent last; one that is yet to be found is no news

    def freq(self, hz):
        self._hz = hz

    def duty_u16(self, duty):
        driver = self.driver
        kind = driver.kind or "line" if driver else self._told
        if kind in beep.COMMANDS:
            self._beeper.tone(driver, self._hz if duty else 0)
        elif kind != self._told:
            self._told = kind
            log("buzzer", error="engine " + kind + " has no command for a beep: the light alone tells")
