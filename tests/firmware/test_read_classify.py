"""What the terminal takes for a trace code, and what it refuses: on CPython and on MicroPython, 64 and 32 bit."""

import sys
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read import digits, kinds, trace_code  # noqa: E402
from scanlatch.read.engines.commanded import split  # noqa: E402

from tests.firmware.code_cases import (  # noqa: E402
    CODE,
    CONTROL,
    CREDENTIAL,
    CREDENTIAL_CODE,
    IDENTITY,
    PERSONAL,
    RULES,
    TORN,
    TRACE,
    as_bytes,
)
from tests.firmware.code_cases_refused import CASES  # noqa: E402
from tests.firmware.interpreters import Device, Devices  # noqa: E402

_INTERPRETERS = ("cpython", "unix", "wasm")
_SHAKEN = 2_000  # random symbols for each interpreter


@pytest.fixture(scope="module", params=_INTERPRETERS)
def desk(request: pytest.FixtureRequest, devices: Devices) -> Device:
    """`read` on CPython, on MicroPython's unix port, and on its 32-bit WebAssembly build."""
    return devices.get(request.param, "read_desk")


@pytest.fixture(scope="module")
def answers(devices: Devices) -> dict[str, list[Any]]:
    """Kind and family of each case, by interpreter."""
    wanted = [(symbology, as_bytes(data), rules, window) for _, symbology, data, rules, window, *_ in CASES]
    found: dict[str, list[Any]] = {}
    for name in _INTERPRETERS:
        found[name] = []
        device = devices.get(name, "read_desk")
        for at in range(0, len(wanted), 50):
            found[name] += device.call("classify", wanted[at : at + 50])
    return found


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0] for case in CASES])
def test_classified_as(answers: dict[str, list[Any]], index: int) -> None:
    *_, kind, family = CASES[index]
    assert {name: found[index] for name, found in answers.items()} == {key: [kind, family] for key in _INTERPRETERS}


def test_no_random_symbol_raises(desk: Device) -> None:
    kinds = desk.call("shake", _SHAKEN, 7)
    assert sum(kinds) == _SHAKEN
    assert sum(1 for count in kinds if count) >= 6, kinds


def test_what_was_loaded_for_a_symbol_is_given_back(desk: Device) -> None:
    assert desk.call("loaded") == [[], [], [], []]


@pytest.mark.parametrize("error", ["memory", "file", "gone"])
@pytest.mark.parametrize("module", ["symbol", "digits", "gs1", "gs1_table"])
def test_what_there_is_no_memory_to_look_into_is_to_be_read_again(desk: Device, module: str, error: str) -> None:
    during, after = desk.call("without_memory", module, error)
    assert during == [[TORN, 0], [TRACE, 1]]
    assert after == [[TRACE, 2], [TRACE, 1]]


def test_whatever_memory_is_left_a_label_is_told_or_read_again(devices: Devices) -> None:
    during, after = devices.get("unix", "read_desk").call("starve", 24 * 1024, 192)
    assert [TORN, 0] in during
    assert [TRACE, 2] in during
    assert all(found in ([TORN, 0], [TRACE, 2]) for found in during)
    assert after == [TRACE, 2]


def test_a_twenty_digit_code_at_a_counter_loads_nothing() -> None:
    trace_code.forget()
    assert trace_code.classify("]C0", CODE.encode(), RULES) == (TRACE, 1)
    assert "scanlatch.read.symbol" not in sys.modules


@pytest.mark.parametrize("window", [True, False])
@pytest.mark.parametrize("symbology", ["", "]Q1", "]C0"])
@pytest.mark.parametrize(
    "rules",
    [RULES, {"first_digit": ""}, {"own": ["{x1-100}", "{d18}", "{d28}"], "links": ["*", "a.example/{code}"]}],
    ids=["default", "any first digit", "own patterns that take all"],
)
@pytest.mark.parametrize("shown", [IDENTITY, "110101199003074530", CREDENTIAL_CODE, "opc" + "x" * 25, "A12345678"])
@pytest.mark.parametrize("around", ["{}", "id={}", "https://a.example/{}", f"https://a.example/{CODE}?p={{}}"])
def test_what_is_a_person_s_is_never_kept(
    around: str, shown: str, rules: dict[str, object], symbology: str, window: bool
) -> None:
    kind, family = trace_code.classify(symbology, around.format(shown).encode(), rules, window)
    assert (kind, family) in ((CREDENTIAL, 0), (PERSONAL, 0))
    assert (kind == CREDENTIAL) == (around == "{}" and len(shown) == 28)


@pytest.mark.parametrize("text", ["9501101531000", "04150999999994", "340123451234567895", "95012346"])
def test_check_digits_of_the_standard_hold(text: str) -> None:
    assert digits.check_digit_holds(text.encode())
    assert not digits.check_digit_holds((text[:-1] + str((int(text[-1]) + 1) % 10)).encode())


@pytest.mark.parametrize(
    ("frame", "identifier", "data"),
    [
        (b"]C08338", "]C0", b"8338"),
        (b"]d2\x1d01", "]d2", b"\x1d01"),
        (b"]CC8338", "", b"]CC8338"),
        (b"]C", "", b"]C"),
        (b"8338", "", b"8338"),
        (b"", "", b""),
    ],
)
def test_aim_identifier_is_split_off(frame: bytes, identifier: str, data: bytes) -> None:
    assert split(frame) == (identifier, data)


def test_every_refused_kind_has_a_pattern_and_a_counter_of_its_own() -> None:
    refused = [kind for kind in range(1, 11) if kind not in (TRACE, CONTROL)]
    for told in (kinds.PATTERNS, kinds.COUNTERS):
        assert len(told) == 11
        assert len({told[kind] for kind in refused} - {""}) == len(refused)
        assert not told[TRACE] and not told[CONTROL]
