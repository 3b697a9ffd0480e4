# Patterns of a site's settings: which texts are its makers' codes, and which are a person's. docs/codes.md has them.


def match(pattern, data):
    """Whether all of `data` (bytes) is what `pattern` (text) says.

    A character stands for itself; `{d6}` for 6 digits, `{a2-4}` for 2 to 4 letters, `{n..}` letters or digits,
    `{x8-100,6}` for 8 to 100 characters of GS1 set 82, at least 6 of them digits. Each takes all that it may and gives
    nothing back, so the work is linear. Raises ValueError where the pattern is none.
    """
    at = i = 0
    while i < len(pattern):
        sign = pattern[i]
        i += 1
        if sign != "{":
            if at == len(data) or data[at] != ord(sign):
                return False
            at += 1
            continue
        stop = pattern.index("}", i)
        kind = pattern[i : i + 1]
        counts, _, digits = pattern[i + 1 : stop].partition(",")
        least, _, most = counts.partition("-")
        i = stop + 1
        start = at
        end = at + int(most or least)
        if end > len(data):
            end = len(data)
        wanted = int(digits or 0)
        while at < end:
            byte = data[at]
            if 0x30 <= byte <= 0x39:
                wanted -= 1
                if kind == "a":
                    break
            elif kind == "d" or not (
                0x41 <= byte <= 0x5A
                or 0x61 <= byte <= 0x7A
                or (kind == "x" and (byte == 0x5F or (0x21 <= byte <= 0x3F and byte != 0x23 and byte != 0x24)))
            ):
                break
            at += 1
        if at - start < int(least) or wanted > 0:
            return False
    return at == len(data)


def any_match(patterns, data, broken):
    """Whether any of `patterns` does; `broken` is the answer where one of them is no pattern."""
    try:
        for pattern in patterns:
            if match(pattern, data):
                return True
    except (ValueError, TypeError, IndexError):
        return broken
    return False
