"""Whatever is under the beam: nothing raises, nothing of a person's is kept, and the work is linear."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, SupportsIndex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import scanlatch  # noqa: E402
from scanlatch.read import digits, gs1, gs1_table, link, pattern, person, symbol, text, trace_code  # noqa: E402

from tests.firmware.code_cases import CODE, CREDENTIAL_CODE, IDENTITY, as_bytes  # noqa: E402
from tests.firmware.code_cases_refused import CASES  # noqa: E402

_FULL = os.environ.get("SCANLATCH_FULL") == "1"
_FUZZED_S = 600 if _FULL else 20
_EXAMPLES = 20_000 if _FULL else 600
_STEPS = 40  # looks at a character of the symbol or the table, for each byte of the symbol
_MODULES = {
    "digits": digits, "gs1": gs1, "gs1_table": gs1_table, "link": link, "pattern": pattern, "person": person,
    "symbol": symbol, "text": text,
}  # fmt: skip
_RULES: list[dict[str, Any]] = [
    {},
    {"first_digit": ""},
    {"own": ["{x6-100}", "{d24}"], "personal": ["1{d10}"], "links": ["*", "*/{code}", "a.cn/q?c={code}"]},
]
_SIGNS = "01 21 10 17 \x1d 06901234567892 271231 8 424 opc ( SL/7K3QZM/ SALE https:// a.cn / ?c= %2F @ ."
_PIECES = st.sampled_from([one.encode() for one in (*_SIGNS.split(" "), CODE, IDENTITY, CREDENTIAL_CODE)])
_MESSAGES = st.one_of(
    st.binary(max_size=600), st.lists(st.one_of(_PIECES, st.binary(max_size=9)), max_size=60).map(b"".join)
)
_SYMBOLOGIES = st.sampled_from(["", "]C0", "]C1", "]d2", "]E0", "]E3", "]I1", "]Q1", "]", "x"])


@pytest.fixture(autouse=True, scope="module")
def loaded() -> Any:
    """Modules stay, since loading them for each symbol would take the time that symbols are wanted for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_code, "forget", lambda: None)
        patch.setattr(scanlatch, "forget", lambda module: None)
        for name, module in _MODULES.items():
            patch.setitem(sys.modules, f"scanlatch.read.{name}", module)
            patch.setattr(sys.modules["scanlatch.read"], name, module, raising=False)
        yield


@settings(max_examples=_EXAMPLES, deadline=None)
@given(_MESSAGES, _SYMBOLOGIES, st.sampled_from(_RULES), st.booleans())
def test_no_symbol_raises(data: bytes, symbology: str, rules: dict[str, Any], window: bool) -> None:
    kind, family = trace_code.classify(symbology, data, rules, window)
    assert 1 <= kind <= 10
    assert (family in (1, 2, 3, 4)) == (kind == trace_code.TRACE)
    assert (family == 5) == (kind == trace_code.CONTROL)
    # What `classify` turns into "read it again" for want of memory is here nobody's excuse.
    assert symbol.classify(symbology, data, rules, window, rules.get("first_digit", "8"), False)[0] <= 10


@settings(max_examples=_EXAMPLES, deadline=None)
@given(
    st.from_regex(r"\A(424[0-9]{25}|opc[0-9A-Za-z]{25})\Z"),
    _SYMBOLOGIES,
    st.sampled_from(_RULES),
    st.sampled_from(["{}", "https://a.cn/{}", "c={}", "https://a.cn/q?c={}"]),
)
def test_no_credential_is_kept(shown: str, symbology: str, rules: dict[str, Any], around: str) -> None:
    kind, family = trace_code.classify(symbology, around.format(shown).encode(), rules)
    assert kind != trace_code.TRACE
    assert family == 0
    assert (kind == 3) == (around == "{}")


class Counted(bytes):
    """Bytes that count how often one of them is looked at, by the device's code or for it by the interpreter.

    An index is one look, a slice as many as it copies, a search as many as it passes, a test of all as many as there
    are. What is cut out of it counts on. The counter is honest where every method that the device's code calls on
    bytes is here: a test below holds that against its source.
    """

    looks = 0

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        found = super().__getitem__(key)
        if isinstance(found, int):
            Counted.looks += 1
            return found
        Counted.looks += len(found)
        return Counted(found)

    def __iter__(self) -> Any:
        for byte in super().__iter__():
            Counted.looks += 1
            yield byte

    def __eq__(self, other: object) -> bool:
        Counted.looks += min(len(self), len(other)) if isinstance(other, bytes) else 0
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = bytes.__hash__

    def __contains__(self, item: Any) -> bool:
        Counted.looks += len(self)
        return super().__contains__(item)

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        """Looks up to where it is found."""
        found = super().find(sub, start, len(self) if end is None else end)
        Counted.looks += max((found if found >= 0 else len(self) if end is None else min(end, len(self))) - start, 0)
        return found

    def rfind(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        """Looks at all, so far as it was asked to."""
        Counted.looks += max((len(self) if end is None else end) - start, 0)
        return super().rfind(sub, start, len(self) if end is None else end)

    def isdigit(self) -> bool:
        """Looks at all."""
        Counted.looks += len(self)
        return super().isdigit()

    def isalpha(self) -> bool:
        """Looks at all."""
        Counted.looks += len(self)
        return super().isalpha()

    def lower(self) -> bytes:
        """Looks at all."""
        Counted.looks += len(self)
        return Counted(super().lower())

    def partition(self, sep: Any) -> Any:
        """Looks at all."""
        Counted.looks += len(self)
        return tuple(Counted(part) for part in super().partition(sep))


def _steps(symbology: str, data: bytes, rules: dict[str, Any]) -> float:
    Counted.looks = 0
    trace_code.classify(symbology, Counted(data), rules, True)
    return Counted.looks / max(len(data), 20)  # of less than a trace code the fixed part would tell


_WORST = [
    b"10A\x1d", b"01", b"0106901234567892", b"/01/", b"/01/06901234567892", b"%41", b"8", b"17", b"1717", b"A1", b"1A",
    b"110101199003074530 ", b"11010519491231002X ", b"/?&=#", b"&c=", b"424", b"opc", b"-", b":", b"(", b"9", b"\x1d",
    b"20", b"2011", b"37", b"90A\x1d", b"/83386520001941653320", b"?c=83386520001941653320",
]  # fmt: skip
_FULL_RULES: dict[str, Any] = {  # as many as a site may have
    "own": ["{x1-500}#"] * 6,
    "personal": ["{n1-500}#"] * 3,
    "links": ["*", "*/{code}", "*?c={code}"],
}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table counts too."""
    for name in ("ROWS", "FORMS"):
        monkeypatch.setattr(gs1_table, name, Counted(getattr(gs1_table, name)))


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("rules", [{}, _RULES[2], _FULL_RULES], ids=["default", "a site's", "a site's most"])
@pytest.mark.parametrize("symbology", ["", "]d2"])
def test_the_work_is_linear(symbology: str, rules: dict[str, Any]) -> None:
    """Forty looks a byte at most: what repeats at any length, labels, and all that stands at a counter."""
    shown = [as_bytes(case[2]) for case in CASES]
    for head in (
        b"",
        b"https://a.cn",
        b"https://a.cn/",
        b"https://a.cn/?c=",
        b"0106901234567892",
        b"0106901234567892211",
        b"\x1d",
        b"A123456",
    ):
        shown += [(head + piece * 512)[:size] for piece in _WORST for size in (20, 64, 100, 512)]
    worst = max(shown, key=lambda data: _steps(symbology, data, rules))
    assert _steps(symbology, worst, rules) <= _STEPS, (worst[:60], len(worst), _steps(symbology, worst, rules))


@settings(max_examples=_EXAMPLES, deadline=None)
@given(_MESSAGES, _SYMBOLOGIES)
def test_no_random_symbol_takes_more_work(data: bytes, symbology: str) -> None:
    assert _steps(symbology, data, {}) <= _STEPS


def test_the_counter_knows_every_method_that_the_device_calls() -> None:
    counted = {name for name in vars(Counted) if not name.startswith("_")} - {"looks"}
    methods = {name for name in dir(bytes) if not name.startswith("_")}
    for module in (digits, gs1, link, pattern, person, symbol, text):
        source = Path(str(module.__file__)).read_text("utf-8")
        used = {name for name in methods if f".{name}(" in source}
        allowed = {"index", "join"} if module is pattern else set[str]()  # of the pattern, which is text
        assert used <= counted | allowed, (module.__name__, used - counted)


_FUZZER = """
import re, sys
sys.path[:0] = [{stubs!r}, {firmware!r}]
import atheris
with atheris.instrument_imports(include=["scanlatch"]):
    import scanlatch
    from scanlatch.read import digits, gs1, link, pattern, person, symbol, text, trace_code
scanlatch.forget = lambda module: None
RULES = {rules!r}
NAMES = ("", "]C0", "]C1", "]d2", "]E0", "]E3", "]I1", "]Q1")

def one(data):
    if not data:
        return
    how, data = data[0], data[1:]
    rules = RULES[(how >> 3) % len(RULES)]
    kind, family = symbol.classify(NAMES[how & 7], data, rules, how < 128, "8", bool(how & 32))
    if (kind == 1) != (family in (2, 3, 4)) or (kind == 7) != (family == 5):
        raise RuntimeError((kind, family))
    if family == 3 and (re.search(rb"(?<![0-9])11010519491231002X(?![A-Za-z])", data) or b"opc" == data[:3]):
        raise RuntimeError("a person's")
    try:
        fields = gs1.parse(data)
    except ValueError:
        return
    if sum(len(ai) + len(value) for ai, value in fields.items()) > len(data):
        raise RuntimeError(fields)

atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="atheris has wheels for Linux alone")
def test_a_fuzzer_finds_nothing_that_raises(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i, case in enumerate(CASES):
        (corpus / str(i)).write_bytes(bytes([i & 0xFF]) + as_bytes(case[2]))
    code = _FUZZER.format(stubs=str(_ROOT / "tests" / "stubs"), firmware=str(_ROOT / "firmware"), rules=_RULES)
    script = tmp_path / "fuzz.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, str(script), str(corpus), f"-max_total_time={_FUZZED_S}", "-max_len=520", "-timeout=5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_FUZZED_S + 120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "DONE" in done.stderr
