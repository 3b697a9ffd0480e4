# A renewed certificate of this terminal: checked, tried on a link, and kept or dropped. Loaded for each.
import os

from micropython import const

from scanlatch import load
from scanlatch.keep import files
from scanlatch.system.log import log

OLD = "device.der"
NEW = "next.der"
_LARGEST = const(2_048)
_SEQUENCE = const(0x30)
_DAYS_1970 = const(719_468)  # from March of the year 0
_REFUSED = ("certificate", "refused", "protocol")  # how a link ends where the broker takes not this one


def take(terminal, der):
    """Keep `der` beside the one in use: the link's next end has it tried, see `tried`.

    Returns "ok" or what is wrong with it. Raises OSError.
    """
    if not isinstance(der, bytes) or len(der) > _LARGEST:
        return "certificate: at most 2,048 bytes"
    try:
        since, until, subject, point = _read(der)
    except (IndexError, ValueError):
        return "certificate: not DER"
    if point != load("prove.keys").public_key(terminal.nvs.get_bytes("tls_key")):
        return "certificate: for another key"
    if not subject.endswith(terminal.device.encode()):
        return "certificate: for another terminal"
    now = terminal.clock.now()[0]
    if not since <= now < until:
        return "certificate: not valid now"
    if until < (terminal.not_after or 0):
        return "certificate: ends before the one in use"
    files.write_file(NEW, der)
    terminal.waiting = True
    return "ok"


def _use(terminal, name):
    """From the next link on the certificate in the file `name`."""
    terminal.certificate = name
    terminal._tls = None


def tried(terminal, online, cause):
    """A link stands or has ended while a new certificate waits. Raises OSError."""
    if terminal.certificate == OLD:
        if not online:
            _use(terminal, NEW)
    elif online:
        until = _read(files.read_file(NEW))[1]
        terminal.nvs.set_int("not_after", until)
        os.rename(NEW, OLD)
        terminal.not_after = until
        terminal.certificate = OLD  # it is: nothing is loaded anew
        terminal.waiting = False
        log("certificate", until=until)
    else:
        _use(terminal, OLD)
        if cause in _REFUSED:
            log("certificate", error=cause)
            terminal.waiting = False
            os.remove(NEW)


def _read(der):
    # (valid from, until, subject, public point) of an X.509 certificate: RFC 5280 4.1, as far as that goes.
    at, end = _inside(der, 0, _SEQUENCE)
    if end != len(der):
        raise ValueError
    at, _ = _inside(der, at, _SEQUENCE)
    for _ in range(4):  # version, serial number, algorithm, issuer
        at = _inside(der, at)[1]
    first, at = _inside(der, at, _SEQUENCE)
    start, second = _inside(der, first)
    since = _utc(der[start:second])
    start, end = _inside(der, second)
    until = _utc(der[start:end])
    start, end = _inside(der, at, _SEQUENCE)
    subject = der[start:end]
    end = _inside(der, end, _SEQUENCE)[1]
    return since, until, subject, der[end - 65 : end]


def _inside(der, at, tag=None):
    # Where the value of the element at `at` begins and ends.
    if tag is not None and der[at] != tag:
        raise ValueError
    size = der[at + 1]
    at += 2
    if size > 0x80:
        count = size & 0x7F
        size = int.from_bytes(der[at : at + count], "big")
        at += count
    if size > len(der) - at:
        raise ValueError
    return at, at + size


def _utc(text):
    # UTCTime or GeneralizedTime (RFC 5280 4.1.2.5) in ms since 1970.
    if len(text) == 13:
        text = (b"20" if text[0] < 0x35 else b"19") + text
    if len(text) != 15 or text[14] != 0x5A:
        raise ValueError
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    year -= month < 3
    days = year * 365 + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    seconds = (int(text[8:10]) * 60 + int(text[10:12])) * 60 + int(text[12:14])
    return ((days - _DAYS_1970) * 86_400 + seconds) * 1000
