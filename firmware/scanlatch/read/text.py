# What a text is that is no element string: control code, engine's set-up code, link, maker's own code, a person's.
from micropython import const

from scanlatch.read import pattern, person
from scanlatch.read.digits import begins

# Kinds and families, as in `trace_code`.
_TRACE = const(1)
_UNKNOWN = const(5)
_PERSONAL = const(6)
_CONTROL = const(7)
_ENGINE = const(8)
_GLUED = const(9)
_MAKERS_OWN = const(3)
_LINK = const(4)
_CONTROL_CODE = const(5)

_TRACE_DIGITS = const(20)

_BADGE_DIGITS = const(16)  # in a row: no operator's name has more, but what ran into a badge has
_OWN = const(("{x8-100,6}",))  # a maker's code where the site names no patterns: GS1 set 82, at least 6 digits
_LINKS = const(("*",))
_WORDS = const(b" SALE RETURN RECEIVE STOCK-TAKE QUERY DISPATCH END CANCEL REPEAT SEEN ")
_CROCKFORD = const(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_UPPER = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def classify(data, rules, window, first):
    """(kind, family) of what is neither twenty digits nor an element string."""
    if data[:3] == b"SL/":
        return (_CONTROL, _CONTROL_CODE) if _is_control(data) else (_UNKNOWN, 0)
    if is_setup(data):
        return _ENGINE, 0
    if data.find(b"://") > 0:
        return _link(data, rules, window, first)
    return own(data, rules)


def _link(data, rules, window, first):
    from scanlatch.read import link, symbol

    if not link.is_link(data):
        return _UNKNOWN, 0
    for byte in data:
        if byte <= 0x20 or byte == 0x7F:
            return _UNKNOWN, 0
    if data.find(b"://", 8) >= 0:
        return _GLUED, 0
    found = link.fields(data)
    told = data if found is None else link.beside(data, b"/01/" if "01" in found else b"/00/")
    if person.is_personal(told, rules.get("personal", ())):
        return _PERSONAL, 0
    if found is not None:
        return symbol.box(found, window, _LINK, _UNKNOWN)
    try:
        code = link.code(data, rules.get("links", _LINKS), first)
    except (ValueError, TypeError, AttributeError):
        code = None  # no pattern, what should be one
    if not code:
        return _UNKNOWN, 0
    if len(code) == _TRACE_DIGITS and code.isdigit():
        return (_TRACE, _LINK) if begins(code, first) else (_UNKNOWN, 0)
    kind, _ = symbol.elements(False, code, window, first)
    if kind == _UNKNOWN:
        kind, _ = own(code, rules, b"%" not in data)
    return kind, _LINK if kind == _TRACE else 0


def own(data, rules, searched=False):
    """(kind, family) of a maker's own code, or of what is none. searched: it was, for a person's numbers."""
    if data[:1] == b"(":
        return _UNKNOWN, 0  # an element string as it is printed for people
    personal = rules.get("personal", ())
    if pattern.any_match(personal, data, True) if searched else person.is_personal(data, personal):
        return _PERSONAL, 0
    if "own" not in rules:
        if data.isdigit():
            return _UNKNOWN, 0
        # Twenty digits at either end, by themselves and as a trace code begins: it stands beside something.
        first = rules.get("first_digit", "8")
        for code, more in (data[:20], data[20:21]), (data[-20:], data[-21:-20]):
            if code.isdigit() and not more.isdigit() and begins(code, first):
                return _GLUED, 0
    if pattern.any_match(rules.get("own", _OWN), data, False):
        return _TRACE, _MAKERS_OWN
    return _UNKNOWN, 0


def _is_control(data):
    # SL/<token>/<WORD> or SL/<token>/BADGE/<ident>
    for byte in data[3:9]:
        if byte not in _CROCKFORD:
            return False
    if len(data) < 11 or data[9] != 0x2F:
        return False
    word = data[10:]
    if word[:6] != b"BADGE/":
        return b" " not in word and _WORDS.find(b" " + word + b" ") >= 0
    digits = 0
    for byte in word[6:]:
        digits = digits + 1 if 0x30 <= byte <= 0x39 else 0
        if digits > _BADGE_DIGITS or not (byte == 0x2D or byte in _UPPER or 0x61 <= byte <= 0x7A):
            return False
    return 7 <= len(word) <= 38


def is_setup(data):
    """Whether `data` is a scan engine's set-up code, or what an engine answers to one.

    Newland and DE2120 commands, Honeywell and Mindeo menus, the older Newland numbers, M3Y-W, and the frames of GROW,
    Newland, Honeywell and M3Y-W. Zebra's are not transmitted by an engine that understands them.
    """
    head = data[:1]
    if head in (b"@", b"#"):
        return len(data) >= 7 and _is_upper(data[1:7])
    if data[:3] == b"^_^" or data[:2] in (
        b"\x7e\x00",
        b"\x02\x00",
        b"\x16M",
        b"\x16T",
        b"\x16U",
        b"\x16\xfe",
        b"Z\x00",
    ):
        return True
    if data[1:6] == b"\x010000" and head in (b"~", b"\x02"):
        return True
    if data[:6] in (b"S_CMD_", b"C_CMD_", b"T_OUT_"):
        return True
    text = data[:-1] if data[-1:] in (b".", b"!", b";") else data
    if len(text) == 10 and text[:3] == b"NLS" and text[3:].isdigit():
        return True
    if len(text) == 8 and text[:2] == b"SR" and text[2:].isdigit():
        return True
    if len(text) in (7, 9) and text[:4].isdigit() and text[4:5] in (b"D", b"H") and _is_upper(text[5:]):
        return True
    return len(text) < len(data) and len(data) >= 7 and data[-1] != 0x3B and _is_upper(text[:6])


def _is_upper(text):
    return all(byte in _UPPER for byte in text)
