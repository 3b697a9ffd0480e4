"""A host at one end of a simulated engine's line; time stands until it is told to go on."""

from scanlatch_tools.twin.engines import Simulator


class Host:
    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.now = 10.0
        self.baud = sim.baud

    def ask(self, request: str | bytes, wait: float = 0.1) -> bytes:
        """What comes within `wait` seconds of a request, given in bytes or in hex."""
        self.sim.receive(request if isinstance(request, bytes) else bytes.fromhex(request), self.now, self.baud)
        return self.wait(wait)

    def wait(self, seconds: float) -> bytes:
        """What comes in so many seconds."""
        self.now += seconds
        return self.sim.poll(self.now, self.baud)

    def read(self, data: bytes, aim: str | None = None, wait: float = 2.0) -> bytes:
        """Hold a symbol under the beam; what comes."""
        self.sim.present(data, self.now, aim)
        return self.wait(wait)
