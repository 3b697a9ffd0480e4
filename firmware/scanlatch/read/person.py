# Whether a text holds what is a person's: an identity number, a card's number, a credential, an address.
from micropython import const

from scanlatch.read import pattern
from scanlatch.read.digits import is_identity

_CREDENTIAL_LENGTH = const(28)

# Text that a telephone or its owner made, by what stands before the first colon.
_SCHEMES = (b"tel", b"sms", b"smsto", b"mailto", b"matmsg", b"mecard", b"wifi", b"geo", b"otpauth", b"begin")


def is_personal(data, patterns):
    """Whether `data`, a text of any make, holds a person's number; patterns: those that a site adds.

    Numbers are looked for where digits stand together, patterns where letters or digits do, and in the whole.
    """
    if data[:3] == b"opc" or data[: max(data.find(b":"), 0)].lower() in _SCHEMES:
        return True
    if pattern.any_match(patterns, data, True):
        return True
    word = number = -1  # where letters or digits began to stand together, and digits alone
    for at in range(len(data) + 1):
        byte = data[at] if at < len(data) else 0
        if 0x30 <= byte <= 0x39:
            if number < 0:
                number = at
                if word < 0:
                    word = at
            continue
        letter = 0x41 <= (byte & 0xDF) <= 0x5A
        if number >= 0:
            if _is_number(data, word, number, at, letter):
                return True
            number = -1
        if letter:
            if word < 0:
                word = at
        elif word >= 0:
            if _is_credential(data, word, at, b"opc"):
                return True
            if (word or at < len(data)) and pattern.any_match(patterns, data[word:at], True):
                return True
            word = -1
    return False


def _is_credential(data, start, stop, head):
    # Whether what stands together is one, or begins or ends with one: another code may have run into it.
    last = stop - _CREDENTIAL_LENGTH
    return last >= start and (data[start : start + 3].lower() == head or data[last : last + 3].lower() == head)


def _is_number(data, word, start, stop, letter):
    # Whether the digits from `start` to `stop` are a person's number. word: where the letters before them began;
    # letter: whether one follows.
    count = stop - start
    if count >= 17 and data[stop : stop + 1] in (b"X", b"x"):
        broken = count > 17 or data[stop + 1 : stop + 2].isalpha()
        if is_identity(data[stop - 17 : stop + 1], broken):
            return True
    if count == 18:
        return is_identity(data[start:stop])
    if count >= _CREDENTIAL_LENGTH:
        return _is_credential(data, start, stop, b"424")
    # Social-security card: one letter, eight digits.
    return count == 8 and start - word == 1 and not letter and data[word] <= 0x5A
