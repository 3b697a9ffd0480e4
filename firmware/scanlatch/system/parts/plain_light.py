# A light made of one LED of one colour: what it can tell is rhythm, and bright from dim.
import machine


class Light:
    def __init__(self, config):
        self._invert = config["active_low"]
        self._pwm = machine.PWM(machine.Pin(config["pin"]), freq=1000, duty_u16=65535 if self._invert else 0)

    def colour(self, *rgb):
        """0 to 255 each; the brightest counts."""
        value = max(rgb)
        self._pwm.duty_u16((255 - value if self._invert else value) * 257)
