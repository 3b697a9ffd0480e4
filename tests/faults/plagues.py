"""What can befall a running site: `kill -9` of each part and of all at once, a broker that forgets, lines that fail."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from scanlatch_tools.broker import Mosquitto
from scanlatch_tools.stage import Stage

from tests.faults.person import Stream
from tests.faults.proxy import Wrong
from tests.faults.wired_site import WiredSite

_WRONGS: list[Wrong] = ["stall", "up", "down", "slow", "vanish", "reset", "end"]
_NONE = frozenset[str]()
_BRIDGE_NEEDS = frozenset({"broker", "line of bridge", "line of ledger"})


@dataclass(frozen=True)
class Plague:
    """One thing that goes wrong.

    parts: whom it is about; two plagues of one part are never at work together.
    needs: what must work for its end: the part that it starts would not come up.
    """

    name: str
    parts: frozenset[str]
    begin: Callable[[], None]
    end: Callable[[], None]
    needs: frozenset[str] = _NONE


def kills(site: Stage, streams: list[Stream]) -> list[Plague]:
    """`kill -9` of each part, of the broker with all that it has on its disk, and of everything at once."""
    begin: dict[str, Callable[[], None]] = {
        "bridge": site.bridge.kill,
        "broker": _broker(site).kill,
        "platform": site.platform.process.kill,
        **{stream.person.device: stream.kill for stream in streams},
    }
    end: dict[str, Callable[[], None]] = {
        "broker": site.broker.start,
        "platform": site.platform.process.start,
        "bridge": site.bridge.start,
        **{stream.person.device: stream.start for stream in streams},
    }
    found = [
        Plague(f"kill {part}", frozenset({part}), begin[part], end[part], _BRIDGE_NEEDS if part == "bridge" else _NONE)
        for part in begin
    ]
    found.append(Plague("broker forgets", frozenset({"broker"}), partial(_forget, site), site.broker.start))
    every = partial(_each, list(begin.values())), partial(_each, list(end.values()))
    return [*found, Plague("kill all", frozenset(begin), *every, _BRIDGE_NEEDS)]


def lines(site: WiredSite) -> list[Plague]:
    """Every line of the site in every way that one can fail."""
    return [
        Plague(f"line of {name}: {wrong}", frozenset({f"line of {name}"}), partial(line.be, wrong), line.heal)
        for name, line in site.lines.items()
        for wrong in _WRONGS
    ]


def _broker(site: Stage) -> Mosquitto:
    assert isinstance(site.broker, Mosquitto)
    return site.broker


def _forget(site: Stage) -> None:
    """The broker dies, and with it sessions, queues and what was retained."""
    _broker(site).kill()
    for file in (site.site.folder / "broker" / "data").iterdir():
        file.unlink()


def _each(jobs: list[Callable[[], None]]) -> None:
    for job in jobs:
        job()
