"""Calls of the device's `read` on any interpreter: one expression a line in, one literal a line out."""

import gc
import sys

import scanlatch
from scanlatch.read import digits, gs1, gs1_table, link, pattern, person, symbol, text, trace_code

_MODULES = {
    "digits": digits,
    "gs1": gs1,
    "gs1_table": gs1_table,
    "link": link,
    "pattern": pattern,
    "person": person,
    "symbol": symbol,
    "text": text,
}
_NAMES = ("", "]C0", "]d2", "]E0", "]Q1")
_HEADS = (
    b"",
    b"01",
    b"@",
    b"\x1d01",
    b"424",
    b"opc",
    b"8338",
    b"0106901234567892",
    b"(01)",
    b"SL/ABC123/",
    b"http://",
)
_RULES = ({}, {"own": ["{x6-100}"], "personal": ["1{d10}"], "links": ["*", "*/{code}", "*/q?c={code}"]})


def keep_loaded(keep):
    """Whether what is loaded for one symbol stays, since to load it thousands of times would take its time."""
    trace_code.forget, scanlatch.forget = ((lambda: None), (lambda module: None)) if keep else _forget


_forget = trace_code.forget, scanlatch.forget


def classify(cases):
    """[kind, family] of each (symbology, data, rules, window)."""
    return [list(trace_code.classify(*case)) for case in cases]


def parse(messages):
    """Of each message its fields, or what is wrong with it."""
    return [_parsed(message) for message in messages]


def _parsed(message):
    try:
        return gs1.parse(message)
    except ValueError as error:
        return list(error.args)


def match(cases):
    """Whether each (pattern, data) is one, None where the pattern is none."""
    return [_matched(*case) for case in cases]


def _matched(one, data):
    try:
        return pattern.match(one, data)
    except ValueError:
        return None


def loaded():
    """Which of the modules for one symbol are there, after a plain code and after others."""
    _forget[0]()
    found = []
    for data in (
        b"83386520001941653320",
        b"0106901234567892211",
        b"https://a.example/01/06901234567892/21/1",
        b"AB123456",
    ):
        trace_code.classify("", data, {})
        found.append(sorted(name for name in _MODULES if "scanlatch.read." + name in sys.modules))
    return found


def without_memory(module, error):
    """Kinds of an element string and of a plain code while `module` can't be loaded, and after it."""
    cases = [("]d2", b"010690123456789221A", {}, True), ("", b"83386520001941653320", {}, True)]
    _forget[0]()

    class Lost:
        """Stands where the module's import ended."""

        def __getattr__(self, name):
            raise {"memory": MemoryError, "file": OSError, "gone": ImportError}[error]()

    sys.modules["scanlatch.read." + module] = Lost()
    during = classify(cases)
    return during, classify(cases)


def starve(most, step):
    """What an element string is taken for with ever less memory, from `most` bytes down by `step`; then with all."""
    _forget[0]()
    found = []
    for left in range(most, 0, -step):
        gc.collect()
        spare = [bytearray(256) for _ in range(left // 256)]
        hoard = []
        for size in (1 << 16, 1 << 12, 1 << 8, 1 << 5):
            try:
                while True:
                    hoard.append(None)
                    hoard[-1] = bytearray(size)
            except MemoryError:
                pass
        spare = None
        gc.collect()
        kind = trace_code.classify("]d2", b"010690123456789221A", {}, True)
        hoard = None
        found.append(list(kind))
    gc.collect()
    return found, list(trace_code.classify("]d2", b"010690123456789221A", {}, True))


def shake(count, seed):
    """Random symbols, steered into the parsers; how many of each kind came out. Raises whatever gets away."""
    keep_loaded(True)
    state = seed
    kinds = [0] * 11
    for i in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        head = state >> 7 & 15
        data = bytearray(_HEADS[head] if head < len(_HEADS) else b"")
        digits_only = state >> 5 & 1
        for _ in range((state >> 12) % (1024 if i % 20 == 0 else 60)):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            data.append(0x30 + (state >> 16) % 11 if digits_only else state >> 16 & 0xFF)
        name, rest = _NAMES[i % 5], bytes(data)
        kind, family = trace_code.classify(name, rest, _RULES[i & 1], bool(i & 2))
        if (family in (1, 2, 3, 4)) != (kind == 1) or (family == 5) != (kind == 7):
            raise RuntimeError((kind, family, rest))
        kinds[kind] += 1
        if len(rest) <= 512:
            symbol.classify(name, rest, _RULES[i & 1], bool(i & 2), "8", i % 3 == 0)  # that catches nothing
    keep_loaded(False)
    return kinds


def answer(line):
    """The result of a call written as a literal (name, argument, ...)."""
    name, *arguments = eval(line)  # noqa: S307
    try:
        return repr(("result", globals()[name](*arguments)))
    except ValueError as error:
        return repr(("refused", type(error).__name__, str(error)))


def serve():
    """Answer the lines of standard input."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        print(answer(line))
