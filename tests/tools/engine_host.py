"""A host at one end of a simulated engine's line, by which engines are set up and read; its time stands still."""

from scanlatch_tools.twin.engines import Simulator, simulator

from tests.tools.engine_requests import SET_UP, TRIGGER

CODE = b"83386520001941653320"
GS1 = b"010415099999999410ABC\x1d21XYZ"
LONG = b"https://example.org/" + b"7" * 492


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


def ready(name: str, **knobs: object) -> Host:
    """An engine that reads when told, and its host."""
    host = Host(simulator(name, **knobs))
    for request in SET_UP[name]:
        answer = host.ask(request, 0.5 if name != "ssi" else 0.1)
        assert request == b"\0" or answer, "it answers what it is told to do"
    return host


def triggered(host: Host, data: bytes, aim: str | None = None) -> bytes:
    """What an engine sends when it is told to read, and this comes under its beam."""
    wake = b"\0" if host.sim.name.startswith("ssi") else b""
    host.ask(wake)
    host.ask(TRIGGER[host.sim.name], 0.1)
    return host.read(data, aim)
