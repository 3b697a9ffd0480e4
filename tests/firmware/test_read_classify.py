"""What the terminal takes for a trace code, and what it refuses: on MicroPython and on CPython."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanlatch_tools.twin import interpreter

_ROOT = Path(__file__).parents[2]
_DEVICE = Path(__file__).parent / "device_scripts"
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import scanlatch  # noqa: E402
from scanlatch.read import symbol, trace_code  # noqa: E402
from scanlatch.read.engines import commanded as port  # noqa: E402

gs1 = symbol.gs1  # which has forgotten how it got it

TRACE, PRODUCT, CREDENTIAL, TORN, UNKNOWN = 1, 2, 3, 4, 5
RULES = {"first_digit": "8"}
ANY = {"first_digit": ""}
GTIN = "06901234567892"
CODE = "83386520001941653320"

CASES = [
    # what, symbology, data, rules, kind, family
    ("twenty digits", "", CODE, RULES, TRACE, 1),
    ("twenty digits, Code 128", "]C0", CODE, RULES, TRACE, 1),
    ("twenty digits that begin otherwise", "]C0", "73386520001941653320", RULES, UNKNOWN, 0),
    ("twenty digits that begin otherwise, allowed", "]C0", "73386520001941653320", ANY, TRACE, 1),
    ("twenty digits, two first digits allowed", "", "73386520001941653320", {"first_digit": "78"}, TRACE, 1),
    ("twenty digits without a rule", "", CODE, {}, TRACE, 1),
    ("twenty signs, one a letter", "]C0", CODE[:-1] + "A", RULES, UNKNOWN, 0),
    ("twenty full-width digits", "]Q1", "８" * 20, RULES, UNKNOWN, 0),
    ("GS1 with its identifier", "]d2", f"01{GTIN}21ABC123\x1d1727123110B7", RULES, TRACE, 2),
    ("GS1 from an engine without identifiers", "", f"01{GTIN}21ABC123\x1d1727123110B7", RULES, TRACE, 2),
    ("GS1, serial last", "]d2", f"01{GTIN}1727123110B7\x1d21ABC123", RULES, TRACE, 2),
    ("GS1 with separator in front", "", f"\x1d01{GTIN}21ABC123", RULES, TRACE, 2),
    ("GS1 with separator at the end", "]C1", f"01{GTIN}21ABC123\x1d", RULES, TRACE, 2),
    ("GS1 with separator after a predefined length", "", f"01{GTIN}\x1d17271231\x1d21A", RULES, TRACE, 2),
    ("GS1 of twenty digits", "", f"01{GTIN}2112", RULES, TRACE, 2),
    ("GS1 whose day is 00", "]d2", f"01{GTIN}1727020021A", RULES, TRACE, 2),
    ("GS1 with a leap day", "]d2", f"01{GTIN}1728022921A", RULES, TRACE, 2),
    (
        "GS1 with a digits-only serial that holds a date of its own",
        "",
        f"01{GTIN}17271231211727123199",
        RULES,
        TRACE,
        2,
    ),
    ("GS1 with a national number", "]d2", f"01{GTIN}21A1\x1d71012345678", RULES, TRACE, 2),
    ("GS1 without serial is the product", "]d2", f"01{GTIN}1727123110B7", RULES, PRODUCT, 0),
    ("GS1 without product", "]d2", "21ABC123", RULES, TORN, 0),
    ("GS1 with a wrong check digit", "]d2", "010690123456789321ABC123", RULES, TORN, 0),
    ("GS1 with a month 13", "]d2", f"01{GTIN}1727133121A", RULES, TORN, 0),
    ("GS1 with 29 February of a common year", "]d2", f"01{GTIN}1727022921A", RULES, TORN, 0),
    ("GS1 cut inside the date", "", f"01{GTIN}172712", RULES, TORN, 0),
    ("GS1 cut inside the product", "]d2", "01069012345", RULES, TORN, 0),
    ("GS1 serial over 20 signs", "]d2", f"01{GTIN}21ABCDEFGHIJKLMNOPQRSTU", RULES, TORN, 0),
    ("GS1 separator lost after the serial", "]d2", f"01{GTIN}21ABC12317271231", RULES, TORN, 0),
    ("GS1 separator lost after the serial, batch behind", "]d2", f"01{GTIN}21AB1727123110B7", RULES, TORN, 0),
    ("GS1 separator lost after the batch", "]d2", f"01{GTIN}1727123110B721ABC123", RULES, TORN, 0),
    ("GS1 with a sign outside the set", "]d2", f"01{GTIN}21ABC 123", RULES, TORN, 0),
    ("GS1 with an empty serial", "]d2", f"01{GTIN}21\x1d17271231", RULES, TORN, 0),
    ("GS1 with two serials", "]d2", f"01{GTIN}21A\x1d21B", RULES, TORN, 0),
    ("GS1 with an unknown identifier", "]d2", f"01{GTIN}21A\x1d8899", RULES, TORN, 0),
    ("GS1 in parentheses", "]d1", f"(01){GTIN}(21)ABC123", RULES, UNKNOWN, 0),
    ("GS1 in parentheses, GS1 identifier", "]d2", f"(01){GTIN}(21)ABC123", RULES, UNKNOWN, 0),
    ("only a separator", "", "\x1d", RULES, TORN, 0),
    ("EAN-13", "]E0", "6901234567892", RULES, PRODUCT, 0),
    ("EAN-13 without identifier", "", "6901234567892", RULES, PRODUCT, 0),
    ("EAN-13 that begins with 8", "]E0", "8712345678906", RULES, PRODUCT, 0),
    ("product barcode in Code 128", "]C0", "6901234567892", RULES, PRODUCT, 0),
    ("EAN-13 with a wrong check digit", "", "6901234567893", RULES, TORN, 0),
    ("EAN-8", "]E4", "95012346", RULES, PRODUCT, 0),
    ("UPC-A", "", "036000291452", RULES, PRODUCT, 0),
    ("ITF-14", "]I1", "04150999999994", RULES, PRODUCT, 0),
    ("standard drug code", "]C0", "86900001000019", RULES, PRODUCT, 0),
    ("e-credential", "]Q1", "424" + "1234567890" * 2 + "12345", RULES, CREDENTIAL, 0),
    ("e-credential, any first digit", "", "424" + "1234567890" * 2 + "12345", ANY, CREDENTIAL, 0),
    ("open platform's code", "]Q1", "opc" + "1234567890" * 2 + "12345", RULES, CREDENTIAL, 0),
    ("e-credential cut short", "]Q1", "424" + "1234567890" * 2, RULES, UNKNOWN, 0),
    ("first fourteen of a code", "]C0", CODE[:14], RULES, TORN, 0),
    ("last thirteen of a code", "]C0", CODE[7:], RULES, TORN, 0),
    ("one digit short", "", CODE[:-1], RULES, TORN, 0),
    ("one digit more", "", CODE + "1", RULES, TORN, 0),
    ("two codes run together", "", CODE + CODE, RULES, TORN, 0),
    ("over the frame limit", "", "", RULES, TORN, 0),
    ("veterinary, 24 digits", "]Q1", "1" * 24, RULES, UNKNOWN, 0),
    ("a few digits", "]C0", "1234", RULES, UNKNOWN, 0),
    ("link", "]Q1", "https://example.cn/01/06901234567892/21/A", RULES, UNKNOWN, 0),
    ("text", "]Q1", "hello", RULES, UNKNOWN, 0),
    ("longer than a record", "]Q1", "8" * 513, RULES, UNKNOWN, 0),
    ("reply of an engine", "", "\x02\x00\x00\x01\x0031", RULES, UNKNOWN, 0),
]

PARSED = [
    (f"01{GTIN}21ABC123\x1d1727123110B7", {"01": GTIN, "21": "ABC123", "17": "271231", "10": "B7"}),
    (f"\x1d01{GTIN}\x1d10B7\x1d", {"01": GTIN, "10": "B7"}),
    (f"01{GTIN}21{'A' * 20}1", ["separator", 38]),
    ("(01)1", ["people", 0]),
    (f"01{GTIN}\x1d\x1d10B", ["identifier", 17]),
    ("", ["empty", 0]),
    ("10A\x1d" * 40, ["many", 128]),
]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    cases = tmp_path_factory.mktemp("classify") / "cases.json"
    wanted = [[symbology, list(data.encode()), rules] for _, symbology, data, rules, _, _ in CASES]
    cases.write_text(json.dumps({"classify": wanted, "parse": [list(data.encode()) for data, _ in PARSED]}))
    path = interpreter.search_path(_ROOT / "firmware", stand_ins=False)
    done = interpreter.run([str(_DEVICE / "read_classify.py"), str(cases)], path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case[0] for case in CASES])
def test_classified_as(device: dict[str, list], index: int) -> None:
    _, symbology, data, rules, kind, family = CASES[index]
    assert device["classify"][index] == [kind, family]
    assert trace_code.classify(symbology, data.encode(), rules) == (kind, family)


@pytest.mark.parametrize("index", range(len(PARSED)))
def test_element_string_parsed(device: dict[str, list], index: int) -> None:
    assert device["parse"][index] == PARSED[index][1]


_PIECES = st.sampled_from(
    [b"01", b"21", b"10", b"17", b"\x1d", b"06901234567892", b"271231", b"8", b"424", b"opc", b"("]
)
_MESSAGES = st.one_of(
    st.binary(max_size=1024), st.lists(st.one_of(_PIECES, st.binary(max_size=9)), max_size=60).map(b"".join)
)


@settings(max_examples=400, deadline=None)
@given(_MESSAGES, st.sampled_from(["", "]C0", "]C1", "]d2", "]E0", "]I1", "]", "x"]), st.sampled_from([RULES, ANY, {}]))
def test_no_bytes_raise(data: bytes, symbology: str, rules: dict[str, str]) -> None:
    kind, family = trace_code.classify(symbology, data[:1024], rules)
    assert kind in (TRACE, PRODUCT, CREDENTIAL, TORN, UNKNOWN)
    assert (family in (1, 2)) == (kind == TRACE)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"\A(424[0-9]{25}|opc[0-9A-Za-z]{25})\Z"), st.sampled_from(["", "]Q1", "]C1", "]d2"]))
def test_credential_is_never_a_trace_code(text: str, symbology: str) -> None:
    assert trace_code.classify(symbology, text.encode(), ANY) == (CREDENTIAL, 0)


@pytest.mark.parametrize("digits", ["9501101531000", "04150999999994", "340123451234567895", "95012346"])
def test_check_digits_of_the_standard_hold(digits: str) -> None:
    assert gs1.check_digit_holds(digits)


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
    assert port.split(frame) == (identifier, data)


@pytest.mark.parametrize("error", [MemoryError, OSError])
def test_what_there_is_no_memory_to_look_into_is_to_be_read_again(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise error

    monkeypatch.setattr(symbol, "classify", no_memory)
    monkeypatch.setitem(sys.modules, symbol.__name__, symbol)
    monkeypatch.setattr(sys.modules["scanlatch.read"], "symbol", symbol, raising=False)
    monkeypatch.setattr(scanlatch, "forget", lambda module: None)
    assert trace_code.classify("]d2", f"01{GTIN}21A".encode(), RULES) == (TORN, 0)
    assert trace_code.classify("]C0", CODE.encode(), RULES) == (TRACE, 1)


def test_every_refused_kind_has_a_pattern() -> None:
    refused = [trace_code.PATTERNS[kind] for kind in (PRODUCT, CREDENTIAL, TORN, UNKNOWN)]
    assert all(refused)
    assert len(set(refused)) == 4
