"""Every vector of the protocols' manuals and drivers is answered by its engine's stand-in, byte for byte."""

import pytest
from scanlatch_tools.twin.engines import NAMES, simulator

from tests.tools.engine_host import Host
from tests.tools.engine_vectors import ANY, KNOBS, ROWS, START, SYMBOLS, TABLES, YES


def test_none_is_left_out() -> None:
    counts = {name: len(table) for name, table in TABLES.items()}
    assert counts == {"grow": 46, "newland": 19, "m14": 31, "honeywell": 17, "ssi": 38, "ssi_lite": 11, "de2120": 12}
    assert len(ROWS) + len(SYMBOLS) == 178
    assert {*TABLES, "line"} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "sure", "what", "request_", "reply"), ROWS, ids=[f"{row[0]} {row[2]} [{row[1]}]" for row in ROWS]
)
def test_a_request_is_answered_byte_for_byte(name: str, sure: str, what: str, request_: str, reply: str) -> None:
    host = Host(simulator(name, **KNOBS.get(what, {})))
    if name.startswith("ssi"):
        host.ask("00")  # it sleeps
    if what.startswith("("):
        host.ask(what[1 : what.index(")")])
        host.baud = host.sim.baud
    answer = host.ask(request_, 0.8)
    if ANY in reply:
        begins, ends = (bytes.fromhex(part) for part in reply.split(ANY))
        assert answer.startswith(begins) and answer.endswith(ends) and len(answer) > len(begins + ends), what
    else:
        assert answer == bytes.fromhex(reply), what


@pytest.mark.parametrize(
    ("sure", "name", "before", "data", "aim", "sent"), SYMBOLS, ids=[f"{row[1]} {row[4]} [{row[0]}]" for row in SYMBOLS]
)
def test_a_symbol_is_sent_byte_for_byte(
    sure: str, name: str, before: list[str], data: bytes, aim: str, sent: str
) -> None:
    host = Host(simulator(name))
    for request in (["00"] if name == "ssi" else []) + before:
        host.ask(request)
    acknowledged = host.ask(START[name])
    assert acknowledged == (bytes.fromhex(YES) if name == "ssi" else b"")
    assert host.read(data, aim, 0.5) == bytes.fromhex(sent), sure
