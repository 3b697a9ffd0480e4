"""A box has one name, however its code was carried; the bridge finds in a link what the terminal found."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_bridge import links, trace_code
from host_bridge.code_rules import CodeRules
from host_bridge.config import load
from host_bridge.errors import ConfigError

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import scanlatch  # noqa: E402
from scanlatch.read import link as on_device  # noqa: E402
from scanlatch.read import trace_code as terminal  # noqa: E402

GTIN = "06901234567892"
CODE = "83386520001941653320"
SSCC = "340123451234567895"
UNIT = f"01{GTIN}21ABC123"
_RULES = CodeRules(links=("*", "trace.example.cn/q/{code}", "*.maker.cn/p?c={code}", "maker.cn/*/{code}"))


@pytest.mark.parametrize(
    ("family", "data", "name"),
    [
        (1, CODE, CODE),
        (1, CODE[:-1], None),
        (2, f"01{GTIN}21ABC123\x1d1727123110B7", UNIT),
        (2, f"\x1d1727123110B7\x1d01{GTIN}\x1d21ABC123\x1d", UNIT),
        (2, f"01{GTIN}01{GTIN}21ABC123", UNIT),
        (2, f"01{GTIN}21A\x1d21B", None),
        (2, f"01{GTIN}10B7", None),
        (2, f"00{SSCC}", f"00{SSCC}"),
        (2, f"00{SSCC}02{GTIN}3712", f"00{SSCC}"),
        (2, "00340123451234567896", None),
        (3, "CN12345678", "CN12345678"),
        (3, "CN1234\n5678", None),
        (4, f"https://id.example/01/{GTIN}/21/ABC123", UNIT),
        (4, f"https://id.example/a/01/{GTIN}/10/B7/21/ABC123?17=271231", UNIT),
        (4, "https://id.example/01/6901234567892/21/ABC123", UNIT),
        (4, f"https://id.example/01/{GTIN}/21/A%2FB", f"01{GTIN}21A/B"),
        (4, f"https://id.example/00/{SSCC}", f"00{SSCC}"),
        (4, f"https://trace.example.cn/x?c={CODE}", CODE),
        (4, f"https://trace.example.cn/q/{CODE}", CODE),
        (4, "https://trace.example.cn/q/CN12345678", "CN12345678"),
        (4, f"https://www.maker.cn/p?c=01{GTIN}21ABC123%1D1727123110B7", UNIT),
    ],
)
def test_a_box_has_one_name(family: int, data: str, name: str | None) -> None:
    assert trace_code.canonical(family, data.encode(), _RULES) == name


def test_a_link_that_holds_no_code_by_today_s_rules_is_its_own_name() -> None:
    """It was kept under the rules of its day: what a terminal proved is never dropped."""
    link = "https://else.example/q/CN12345678"
    assert trace_code.canonical(4, link.encode(), _RULES) == link


def test_a_shipping_unit_is_no_twenty_digit_code() -> None:
    assert not trace_code.is_twenty(f"00{SSCC}")
    assert trace_code.prefix(f"00{SSCC}") is None
    assert trace_code.is_twenty(CODE)


@pytest.mark.parametrize(
    ("family", "data", "batch", "expires"),
    [
        (2, f"01{GTIN}21A\x1d1727020010B7", "B7", 20270228),
        (2, f"01{GTIN}21A\x1d70032702281159\x1d10B7", "B7", 20270228),
        (2, f"01{GTIN}21A\x1d17761231", None, 20761231),
        (2, f"01{GTIN}21A\x1d17770131", None, 19770131),
        (4, f"https://id.example/01/{GTIN}/10/B%2F7/21/A?17=280200", "B/7", 20280229),
        (4, f"https://id.example/10/B7?17=280200&c={CODE}", None, None),
        (3, "17271231-10B7", None, None),
    ],
)
def test_what_the_label_says(family: int, data: str, batch: str | None, expires: int | None) -> None:
    assert trace_code.label(family, data.encode(), 2026) == trace_code.Label(batch, expires)


@pytest.fixture(scope="module")
def loaded() -> Iterator[None]:
    """What the terminal loads for one symbol stays: to load it for each would take the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "forget", lambda: None)
        patch.setattr(scanlatch, "forget", lambda _: None)
        yield


_PIECES = [
    "/", "/", "?", "&", "=", "#", "c=", "p", "q", "/01/", "/21/", "/10/", "/00/", GTIN, CODE, SSCC, "CN12345678", "%2F",
    "%", "%1D", "A", "http", "trace.example.cn", "www.maker.cn", "maker.cn", "6901234567892", "药",
]  # fmt: skip


@pytest.mark.usefixtures("loaded")
@settings(max_examples=800, deadline=None)
@given(
    st.sampled_from(["https://", "HTTP://"]),
    st.sampled_from(["trace.example.cn", "www.maker.cn", "maker.cn", "id.example"]),
    st.lists(st.sampled_from(_PIECES), max_size=12).map("".join),
    st.sampled_from([CodeRules(), _RULES, CodeRules(first_digit="", links=("*/{code}", "*?c={code}"))]),
)
def test_the_bridge_finds_in_a_link_what_the_terminal_found(
    scheme: str, host: str, rest: str, rules: CodeRules
) -> None:
    data = (scheme + host + rest).encode()
    found = on_device.fields(data)
    elements = links.digital_link(data)
    if found is None or "01" in found or "00" in found:
        assert {ai: value for ai, value in (elements or {}).items() if ai != "17"} == (found or {})
    assert links.code(data, rules) == on_device.code(data, rules.links, rules.first_digit)
    kind, family = terminal.classify("]Q1", data, rules.device(), False)
    if kind == terminal.TRACE:
        name = trace_code.canonical(family, data, rules)
        assert name is not None
        assert name != data.decode()


_TOML = """
[mqtt]
host = "127.0.0.1"
[bridge]
agreement_key = "agreement.key"
[platform]
kind = "rest"
url = "http://127.0.0.1:8810"
institution = "H00000000001"
[sites.clinic-7]
name = "Clinic 7"
"""


def test_a_site_says_what_its_codes_are(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(_TOML)
    assert load(path).sites["clinic-7"].codes.device() == {}
    path.write_text(
        f'{_TOML}first_digit = "78"\nown_codes = ["MK{{d10}}"]\n'
        'personal_codes = ["1{d10}"]\nlink_codes = ["*", "a.cn/{code}"]\n'
    )
    assert load(path).sites["clinic-7"].codes.device() == {
        "first_digit": "78",
        "own": ["MK{d10}"],
        "personal": ["1{d10}"],
        "links": ["*", "a.cn/{code}"],
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('own_codes = "MK{d10}"', "own_codes: must be a list"),
        ('own_codes = ["{d10"]', "made of signs and of items"),
        ('own_codes = ["{q10}"]', "made of signs and of items"),
        ('own_codes = ["{d10-5}"]', "from less to more"),
        ('personal_codes = [""]', "has 1 to"),
        ('own_codes = ["a","b","c","d","e","f","g","h","i"]', "at most 6"),
        ('link_codes = ["https://a.cn/{code}"]', "without http"),
        ('link_codes = ["a.cn/x{code}"]', "whole segment"),
        ('link_codes = ["a.cn/{code}/{code}"]', "{code} once"),
        ('link_codes = ["a.cn?c={code}&d=1"]', "{code} once"),
        ('link_codes = ["A.cn/{code}"]', "small letters"),
        ('link_codes = ["a.cn/q"]', "{code} once"),
    ],
)
def test_a_pattern_that_is_none_is_refused_by_name(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(f"{_TOML}{line}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert says in str(caught.value)
    assert line.split(" ")[0] in str(caught.value)
