# GS1 element strings: application identifiers and their values (GS1 General Specifications 7.8).
from micropython import const

import scanlatch
from scanlatch.read import gs1_table
from scanlatch.read.digits import check_digit_holds

scanlatch.forget(gs1_table)  # it is to go with this module

_SEPARATOR = const(0x1D)  # FNC1 as every reader transmits it
_LONGEST = const(512)  # bytes: what a scan record holds
_MOST_FIELDS = const(32)  # no symbol in use holds a third of that
_ROW = const(6)  # bytes of a row of the table
_AI_DIGITS = const(4)

# Bit by character from 0x20 on (GS1 General Specifications 7.11, figures 7.11-1 and 7.11-2; RFC 4648 5).
_SET_82 = const(b"\xe6\xff\xff\xff\xfe\xff\xff\x87\xfe\xff\xff\x07")
_SET_39 = const(b"\x08\xa0\xff\x03\xfe\xff\xff\x07\x00\x00\x00\x00")
_SET_64 = const(b"\x00\x20\xff\x23\xfe\xff\xff\x87\xfe\xff\xff\x07")
_DAYS = const(b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f")


def parse(data):
    """{application identifier: value} as text.

    `data`: bytes without AIM identifier; a separator is taken wherever it is legal: in front, behind a value of
    predefined length, at the end. Raises ValueError(why, position) with a word for what is wrong: "size", "empty",
    "people" (parentheses, printed for them), "identifier" (none there is), "value" (too short, or of other signs than
    its kind allows), "check" (digit), "date", "time", "twice" (with different values), "many" (elements), "separator":
    one seems to be missing, so that the message has two readings, and neither may be guessed.
    """
    if len(data) > _LONGEST:
        raise ValueError("size", _LONGEST)
    at = 1 if data[:1] == b"\x1d" else 0
    if at == len(data):
        raise ValueError("empty", at)
    if data[at] == 0x28:
        raise ValueError("people", at)
    fields = {}
    count = 0
    while at < len(data):
        form = _form(data, at)
        head = gs1_table.FORMS[form]
        start = at + (head & 7)
        ai = str(data[at:start], "ascii")
        stop = _end(data, start, form, head >> 4)
        value = str(data[start:stop], "ascii")
        if fields.get(ai, value) != value:
            raise ValueError("twice", at)
        if count == _MOST_FIELDS:
            raise ValueError("many", at)
        count += 1
        fields[ai] = value
        at = stop
        if at < len(data):
            if data[at] == _SEPARATOR:
                at += 1
            elif not head & 8:
                raise ValueError("separator", at)
    for ai in ("21", "10"):
        if ai in fields and _swallowed(fields, fields[ai]):
            raise ValueError("separator", 0)
    return fields


def _form(data, at):
    # Where the form of the identifier at `at` stands. No identifier is the beginning of another.
    key = digits = 0
    while digits < _AI_DIGITS and at + digits < len(data) and 0x30 <= data[at + digits] <= 0x39:
        key = key * 10 + data[at + digits] - 0x30
        digits += 1
    for _ in range(_AI_DIGITS - digits):
        key *= 10
    rows = gs1_table.ROWS
    low, high = 0, len(rows) // _ROW
    while low < high:
        middle = (low + high) // 2
        row = middle * _ROW
        if key < (rows[row] << 8 | rows[row + 1]):
            high = middle
        elif key > (rows[row + 2] << 8 | rows[row + 3]):
            low = middle + 1
        else:
            form = rows[row + 4] << 8 | rows[row + 5]
            if gs1_table.FORMS[form] & 7 <= digits:
                return form
            break
    raise ValueError("identifier", at)


def _end(data, at, form, parts):
    # Where the value that begins at `at` ends, if it is what its form wants.
    forms = gs1_table.FORMS
    last = form + 3 * parts
    most = 0
    for part in range(form + 3, last + 1, 3):
        most += forms[part]
    stop = data.find(b"\x1d", at, at + most)
    if stop < 0:
        stop = min(at + most, len(data))
    for part in range(form + 1, last, 3):
        kind, least, most = forms[part], forms[part + 1], forms[part + 2]
        if at == stop and least & 0x80:
            continue  # optional, and not there
        value = data[at : min(at + most, stop)]
        if len(value) < least & 0x7F:
            raise ValueError("value", at)
        _check(value, kind, at)
        at += len(value)
    if at < stop:
        raise ValueError("value", at)
    return stop


def _check(value, kind, at):
    if kind >= 0x78:  # "x", "y", "z": characters of a set
        allowed = _SET_82 if kind == 0x78 else _SET_39 if kind == 0x79 else _SET_64
        for byte in value:
            if not 0x20 <= byte <= 0x7F or not allowed[(byte - 0x20) >> 3] >> (byte & 7) & 1:
                raise ValueError("value", at)
        return
    if not value.isdigit():
        raise ValueError("value", at)
    if kind == 0x6B:
        if not check_digit_holds(value):
            raise ValueError("check", at)
    elif kind == 0x64 or kind == 0x65:
        if not _is_date(value) or (kind == 0x65 and value[4:6] == b"00"):
            raise ValueError("date", at)
    elif kind != 0x6E and (
        (kind == 0x68 and value[:2] > b"23") or (kind == 0x6D and value > b"59") or value[2:4] > b"59"
    ):
        raise ValueError("time", at)


def _is_date(digits):
    # YYMMDD, where day 00 stands for the last day of the month.
    month, day = int(digits[2:4]), int(digits[4:6])
    # Two digits of a year mean one from 49 before to 50 after today's (7.12), so 2000 is the only year that ends a
    # century before 2100 comes into sight in 2050; until then every fourth year is a leap year.
    if month == 2 and int(digits[:2]) % 4:
        return day <= 28
    return 1 <= month <= 12 and day <= _DAYS[month - 1]


def _swallowed(fields, value):
    # Whether a batch or a serial holds what the message has nowhere else, so that most likely the separator behind it
    # was lost: what stands here is told from a value that only looks so by what labels of medicines have, see
    # docs/codes.md.
    if "01" not in fields:
        return False
    if "21" not in fields:  # a batch, that has the missing serial in it
        return value.find("21", 1) >= 0
    if value.find("01" + fields["01"]) >= 0:
        return True  # the next label
    if "10" not in fields and ("17" in fields or "11" in fields) and 1 <= value.find("10", 1) < len(value) - 2:
        return True  # who prints a date prints the batch
    for name in ("17", "11"):
        at = -1 if name in fields else value.find(name, 1)
        while at >= 0:
            date, rest = value[at + 2 : at + 8], value[at + 8 : at + 11]
            ends_well = not rest or (len(rest) > 2 and rest[:2] in ("10", "21", "17", "11"))
            if ends_well and len(date) == 6 and date.isdigit() and "15" <= date[:2] <= "49" and _is_date(date):
                return True
            at = value.find(name, at + 1)
    return False
