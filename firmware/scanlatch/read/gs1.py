# GS1 element strings: application identifiers and their values (GS1 General Specifications 7.8).
from micropython import const

_SEPARATOR = const(0x1D)  # FNC1 as every reader transmits it
_LONGEST = const(512)  # bytes: what a scan record holds
_MOST_FIELDS = const(32)  # no symbol in use holds a third of that

# The application identifiers that this terminal knows (GS1 General Specifications 3.2): identifier, "*" where no
# separator follows (predefined length) else blank, the kind of value, and its length.
# Digits, all of them: "n", "k" with check digit last, "d" a date YYMMDD whose day may be 00.
# At most that many: "v" digits, "x" characters of set 82.
_TABLE = (
    b"\n00*k18\n01*k14\n02*k14\n11*d06\n12*d06\n13*d06\n15*d06\n16*d06\n17*d06\n20*n02"
    b"\n10 x20\n21 x20\n22 x20\n235 x28\n240 x30\n30 v08\n37 v08\n7003 n10\n7004 v04"
    b"\n710 x20\n711 x20\n712 x20\n713 x20\n714 x20\n715 x20\n716 x20\n717 x20"
    b"\n90 x30\n91 x90\n92 x90\n93 x90\n94 x90\n95 x90\n96 x90\n97 x90\n98 x90\n99 x90"
)
_DAYS = b"\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"


def parse(data):
    """{application identifier: value} as text.

    `data`: bytes without AIM identifier; a separator is taken wherever it is legal: in front, behind a value of
    predefined length, at the end. Raises ValueError(why, position) with a word for what is wrong: "size", "empty",
    "people" (parentheses, printed for them), "identifier" (none that we know), "value" (too short, or of other signs
    than its kind allows), "check" (digit), "date", "twice" (with different values), "many" (elements), "separator":
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
    open_values = []  # identifiers of values whose end only a separator or the message's end tells
    count = 0
    while at < len(data):
        ai, row = _identify(data, at)  # row: separator rule, kind of value, length
        start = at + len(ai)
        most = int(row[2:])
        stop = data.find(b"\x1d", start, start + most)
        if stop < 0:
            stop = min(start + most, len(data))
        value = str(_checked(data[start:stop], row[1], most, start), "ascii")
        if fields.get(ai, value) != value:
            raise ValueError("twice", at)
        if count == _MOST_FIELDS:
            raise ValueError("many", at)
        count += 1
        fields[ai] = value
        if row[1] in b"vx":
            open_values.append(ai)
        at = stop
        if at < len(data):
            if data[at] == _SEPARATOR:
                at += 1
            elif row[0] != 0x2A:
                raise ValueError("separator", at)
    for ai in open_values:
        if _swallowed(fields, fields[ai]):
            raise ValueError("separator", 0)
    return fields


def check_digit_holds(digits):
    """Whether the last of `digits` (text or bytes, digits only) is its check digit: weights 3 and 1 from the right."""
    total = 0
    weight = 1
    for i in range(len(digits) - 1, -1, -1):
        total += weight * int(digits[i : i + 1])
        weight = 4 - weight
    return total % 10 == 0


def _identify(data, at):
    # Identifiers are prefix-free: at most one length of 2, 3, 4 digits stands in the table.
    for end in (at + 2, at + 3, at + 4):
        ai = data[at:end]
        if len(ai) < end - at or not ai.isdigit():
            break
        for rule in (b"*", b" "):
            row = _TABLE.find(b"\n" + ai + rule)
            if row >= 0:
                row += 1 + len(ai)
                return str(ai, "ascii"), _TABLE[row : row + 4]
    raise ValueError("identifier", at)


def _checked(value, kind, most, at):
    # The value, if it is one of its kind.
    if len(value) < (1 if kind in b"vx" else most):
        raise ValueError("value", at)
    if kind == 0x78:
        for byte in value:
            if not 0x21 <= byte <= 0x7A or byte in b"#$@[\\]^`":  # beside these it is set 82
                raise ValueError("value", at)
    elif not value.isdigit():
        raise ValueError("value", at)
    if kind == 0x6B and not check_digit_holds(value):
        raise ValueError("check", at)
    if kind == 0x64 and not _is_date(value):
        raise ValueError("date", at)
    return value


def _is_date(digits):
    # YYMMDD, where day 00 stands for the last day of the month.
    month, day = int(digits[2:4]), int(digits[4:6])
    if month == 2 and int(digits[:2]) % 4:  # in the window 1977..2076 every fourth year is a leap year
        return day <= 28
    return 1 <= month <= 12 and day <= _DAYS[month - 1]


def _swallowed(fields, value):
    # Whether the value's tail reads as a date element that the message has nowhere else (of the years 2015 to 2049, and
    # behind it the end or the start of a batch or serial), or a batch holds what would be the missing serial: most
    # likely the separator was lost. By chance it happens to a digits-only serial once in some thousand codes, and then
    # only where the symbol has no date of its own.
    if "21" not in fields and value.find("21", 1) >= 0:
        return True
    for name in ("17", "11"):
        at = -1 if name in fields else value.find(name, 1)
        while at >= 0:
            date, rest = value[at + 2 : at + 8], value[at + 8 :]
            ends_well = not rest or (len(rest) > 2 and rest[:2] in ("10", "21", "17", "11"))
            if ends_well and len(date) == 6 and date.isdigit() and "15" <= date[:2] <= "49" and _is_date(date):
                return True
            at = value.find(name, at + 1)
    return False
