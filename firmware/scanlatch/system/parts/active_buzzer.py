# A buzzer with one tone of its own, used like a PWM: what it can tell is rhythm.
import machine


class Buzzer:
    def __init__(self, config):
        self._low = config["active_low"]
        self._pin = machine.Pin(config["pin"], machine.Pin.OUT, value=self._low)

    def freq(self, _hz):
        """It has its own."""

    def duty_u16(self, duty):
        """Sounds where it is not 0."""
        self._pin.value(bool(duty) != self._low)
