# GS1 element strings: application identifiers and their values (GS1 General Specifications 7.8).
from micropython import const

from scanlatch.read.ai_table import TABLE

SEPARATOR = const(0x1D)  # FNC1 as every reader transmits it
_LONGEST = const(512)  # bytes: what a scan record holds
_MOST_FIELDS = const(32)  # no symbol in use holds a third of that; keeps the work linear
_SIGNS = b"!\"%&'()*+,-./:;<=>?_"  # character set 82 beside digits and letters
_SIGNS_39 = b"#-/"
_DAYS = b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"


class Gs1Error(ValueError):
    """Not a GS1 element string. `why` says what is wrong, `at` where (byte)."""

    def __init__(self, why, at):
        super().__init__(why)
        self.why = why
        self.at = at


def parse(data):
    """[(application identifier, value), ...] as text, in the order of the symbol.

    `data`: bytes without AIM identifier; a separator is taken wherever it is legal: in front, behind a value of
    predefined length, at the end. Raises Gs1Error; so it does where a separator seems to be missing, because the
    message then has two readings and neither may be guessed.
    """
    if len(data) > _LONGEST:
        raise Gs1Error("longer than a record", _LONGEST)
    at = 1 if data[:1] == b"\x1d" else 0
    if at == len(data):
        raise Gs1Error("empty", at)
    if data[at] == 0x28:
        raise Gs1Error("parentheses are for people, not in the data", at)
    fields = []
    open_values = []  # positions in `fields` of values whose end only a separator or the message's end tells
    while at < len(data):
        ai, predefined, rules = _identify(data, at)
        start = at + len(ai)
        end, varies = _value_end(data, start, rules, ai)
        value = str(data[start:end], "ascii")
        _add(fields, ai, value, at)
        if varies:
            open_values.append(len(fields) - 1)
        at = end
        if at < len(data):
            if data[at] == SEPARATOR:
                at += 1
            elif not predefined:
                raise Gs1Error("separator missing after " + ai, at)
    for position in open_values:
        _refuse_swallowed(fields, position)
    return fields


def value_of(fields, ai):
    """The value of `ai` in what `parse` gave, or None."""
    for name, value in fields:
        if name == ai:
            return value
    return None


def check_digit_holds(digits):
    """Whether the last of `digits` (text or bytes, digits only) is its check digit: weights 3 and 1 from the right."""
    if len(digits) < 2:
        return False
    total = 0
    weight = 1
    for i in range(len(digits) - 1, -1, -1):
        total += weight * int(digits[i : i + 1])
        weight = 4 - weight
    return total % 10 == 0


def is_date(text, zero_day=True):
    """Whether `text` is a date YYMMDD. `zero_day`: day 00 stands for the last day of the month."""
    month, day = int(text[2:4]), int(text[4:6])
    if not 1 <= month <= 12:
        return False
    last = _DAYS[month - 1]
    if month == 2 and int(text[:2]) % 4:  # within the century window 1977..2076 every fourth year is a leap year
        last = 28
    return (0 if zero_day else 1) <= day <= last


def _identify(data, at):
    # Identifiers are prefix-free: at most one length of 2, 3, 4 digits stands in the table.
    for length in (2, 3, 4):
        ai = data[at : at + length]
        if len(ai) < length or not _all_digits(ai):
            break
        row = TABLE.find(b"\n" + ai + b"*")
        predefined = row >= 0
        if not predefined:
            row = TABLE.find(b"\n" + ai + b" ")
        if row >= 0:
            start = row + 2 + length
            return str(ai, "ascii"), predefined, TABLE[start : TABLE.find(b"\n", start)].split(b" ")
    raise Gs1Error("no known application identifier", at)


def _value_end(data, start, components, ai):
    # Where the value ends, and whether its length varies.
    stop = data.find(b"\x1d", start)
    if stop < 0:
        stop = len(data)
    at = start
    varies = False
    for component in components:
        least, most, rule = _length(component)
        end = min(at + most, stop)
        if end - at < least:
            raise Gs1Error("value of " + ai + " too short", at)
        _check(data[at:end], component[0], rule, ai, at)
        varies = varies or least != most
        at = end
    return at, varies


def _length(component):
    # (least, most, rule) of b"N14k", b"X..20".
    rule = component[-1:]
    if rule.isdigit():
        rule = b""
    digits = component[1 : len(component) - len(rule)]
    if digits[:2] == b"..":
        return 1, int(digits[2:]), rule
    return int(digits), int(digits), rule


def _check(value, kind, rule, ai, at):
    if kind == 0x4E:
        if not _all_digits(value):
            raise Gs1Error(ai + " takes digits only", at)
    else:
        signs = _SIGNS if kind == 0x58 else _SIGNS_39
        for byte in value:
            if not (_is_alphanumeric(byte, kind == 0x58) or byte in signs):
                raise Gs1Error("character not allowed in " + ai, at)
    if rule == b"k" and not check_digit_holds(value):
        raise Gs1Error("check digit of " + ai, at)
    if rule == b"d" and not is_date(value):
        raise Gs1Error(ai + " is no date", at)


def _add(fields, ai, value, at):
    if len(fields) == _MOST_FIELDS:
        raise Gs1Error("too many elements", at)
    known = value_of(fields, ai)
    if known is not None and known != value:
        raise Gs1Error(ai + " twice with different values", at)
    fields.append((ai, value))


def _refuse_swallowed(fields, position):
    # A value whose tail reads as a date element that the message has nowhere else, or a batch that holds what would be
    # the missing serial: most likely the separator was lost. By chance it happens to a digits-only serial
    # once in some thousand codes, and then only where the symbol has no date of its own.
    ai, value = fields[position]
    if ai != "21" and value_of(fields, "21") is None and value.find("21", 1) >= 0:
        raise Gs1Error("separator missing after " + ai, 0)
    for date in ("17", "11"):
        if value_of(fields, date) is not None:
            continue
        at = value.find(date, 1)
        while at >= 0:
            if _reads_as_date(value, at + 2):
                raise Gs1Error("separator missing after " + ai, 0)
            at = value.find(date, at + 1)


def _reads_as_date(value, at):
    # A date of the years 2015 to 2049, then the end or the start of a batch or serial.
    text = value[at : at + 6]
    if len(text) < 6 or not text.isdigit() or not 15 <= int(text[:2]) <= 49 or not is_date(text):
        return False
    rest = value[at + 6 :]
    return not rest or (len(rest) > 2 and rest[:2] in ("10", "21", "17", "11"))


def _all_digits(value):
    return not value or value.isdigit()


def _is_alphanumeric(byte, lower_too):
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or (lower_too and 0x61 <= byte <= 0x7A)
