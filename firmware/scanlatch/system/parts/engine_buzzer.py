# The scan engine's own buzzer, used like a PWM: silent where the engine's driver can't sound it.


class Buzzer:
    """driver: the engine's; its `tone(hz)`, where it has one, begins a tone, and ends it where hz is 0."""

    driver = None

    def __init__(self, _config):
        self._hz = 0

    def freq(self, hz):
        self._hz = hz

    def duty_u16(self, duty):
        tone = getattr(self.driver, "tone", None)
        if tone:
            tone(self._hz if duty else 0)
