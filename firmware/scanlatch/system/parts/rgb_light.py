# A light made of three plain LEDs, each on a pin of its own.
import machine


class Light:
    def __init__(self, config):
        self._invert = config["active_low"]
        pins = config["red"], config["green"], config["blue"]
        self._pwm = [machine.PWM(machine.Pin(pin), freq=1000, duty_u16=self._duty(0)) for pin in pins]

    def colour(self, red, green, blue):
        """0 to 255 each."""
        for pwm, value in zip(self._pwm, (red, green, blue)):
            pwm.duty_u16(self._duty(value))

    def _duty(self, value):
        return (255 - value if self._invert else value) * 257
