"""A day at two sites as a script, its messages sealed once: the same bytes for every bridge that runs it."""

from dataclasses import dataclass

from host_bridge.wire import Operation
from tests.bridge import shop
from tests.bridge.world import CODES, NOW, OTHER_SITE, Terminal, World


@dataclass(frozen=True)
class Sending:
    """Messages that terminals hand to the broker together: (topic, payload)."""

    messages: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Waiting:
    """Time passes."""

    ms: int


@dataclass(frozen=True)
class Turning:
    """The platform changes its manners."""

    reachable: bool = True
    loses_answers: bool = False


@dataclass(frozen=True)
class Restart:
    """The bridge is ended in order, and started again."""


@dataclass(frozen=True)
class Answering:
    """Every terminal does what the bridge's questions for records ask of it; its ring holds all that it ever had."""


Step = Sending | Waiting | Turning | Restart | Answering


class Day:
    """What happens, in order. Made on a world whose ledger then is what every run starts from."""

    def __init__(self, world: World) -> None:
        self.steps: list[Step] = []
        self._world = world
        shop.product(world)
        self.till = world.terminal("d-window-01")
        self.other = world.terminal("d-window-02", OTHER_SITE)
        self.dock = world.terminal("d-dock-01")
        shop.announce(world, "D-1", *CODES[:6])
        shop.session(world, self.till, "S-1", shop.boxes(3))
        self.terminals = [self.till, self.other, self.dock]
        self._script()
        world.clock.ms = NOW

    def _script(self) -> None:
        till, other, dock = self.terminals
        self._send(*((one, one.head(), "head") for one in self.terminals))
        self._send(*((dock, dock.scan(code, Operation.RECEIVE)) for code in (*CODES[:4], CODES[2], CODES[30])))
        first = till.scan(CODES[0], session="S-1")
        self._send((till, first), (till, till.scan(CODES[1], session="S-1")))
        self._send(
            (other, other.scan(CODES[0])), (till, till.scan(CODES[1], Operation.QUERY)), (other, other.scan(CODES[7]))
        )
        self._send((till, till.void(1, "S-1")), (till, first))
        self._wait(1_000)
        self._turn(loses_answers=True)
        self._send((till, till.scan(CODES[2], session="S-1")), (other, other.scan(CODES[8])))
        self._wait(2_000)
        self._turn()
        self._wait(60_000)
        self._turn(reachable=False)
        self._send((other, other.scan(CODES[9])), (other, other.void(other.seq)), (till, till.scan(CODES[10])))
        self._wait(2_000)
        self.steps.append(Restart())
        self._turn()
        self._wait(60_000, 60_000, 60_000)
        later, sooner = self._swapped(till)
        self._send((till, later))
        self._send((till, sooner), (till, bytes(first[:-1]) + bytes([first[-1] ^ 1])))
        self._send(
            (till, till.scan(CODES[1], Operation.RETURN)),
            (till, till.scan("END", Operation.SESSION_END, session="S-1")),
        )
        kept = other.scan(CODES[13])  # on the terminal, which goes off the air before it is sent
        gone = other.scan(CODES[14])
        self._send(
            (other, other.scan(CODES[15])), (other, other.head(missing=((other.seq - 1, other.seq - 1),)), "head")
        )
        self._wait(30_000, 31_000, 10_000, 61_000)  # also for a bridge that died: it asks a minute after its start
        self._send((other, kept))
        self._send((other, gone))  # found after all
        self._first_of_two = dock.messages[dock.seq]
        self._send((dock, self._rewritten(dock)), (dock, dock.scan(CODES[5], Operation.RECEIVE)))
        self._send(*((one, one.head(), "head") for one in self.terminals))
        self._wait(60_000, 60_000, 60_000)

    def evening(self) -> list[Step]:
        """After the day: each terminal connects anew, says where its chain ends, and is asked for what is missing."""
        self.steps, day = [], self.steps
        for terminal in self.terminals:
            terminal.connection += 1
        self._send(*((one, one.head(), "head") for one in self.terminals))
        made, self.steps = self.steps, day
        return [*made, Waiting(1_000), Answering(), Waiting(60_000), Waiting(60_000), Waiting(60_000)]

    def _swapped(self, till: Terminal) -> tuple[bytes, bytes]:
        sooner = till.scan(CODES[11])
        return till.scan(CODES[12]), sooner

    def _rewritten(self, dock: Terminal) -> bytes:
        """Other bytes under the number that this terminal used last."""
        last = dock.last
        dock.seq -= 1
        made = dock.scan(CODES[31], Operation.RECEIVE)
        dock.last = last
        dock.messages[dock.seq] = self._first_of_two
        return made

    def _send(self, *these: tuple[Terminal, bytes] | tuple[Terminal, bytes, str]) -> None:
        topics = ((f"scanlatch/v1/{one[0].site}/{one[0].peer.device}/{(*one, 'scan')[2]}", one[1]) for one in these)
        self.steps.append(Sending(tuple(topics)))

    def _wait(self, *every_ms: int) -> None:
        for ms in every_ms:
            self.steps.append(Waiting(ms))
            self._world.clock.ms += ms

    def _turn(self, **manners: bool) -> None:
        self.steps.append(Turning(**manners))
