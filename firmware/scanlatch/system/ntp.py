# Asks a time server, where the site allows it (SNTP, RFC 4330).
import asyncio
import socket

from micropython import const

_PORT = const(123)
_ANSWER_MS = const(2_000)
_LOOK_MS = const(20)
_EVERY_MS = const(21_600_000)  # six hours: a crystal of 40 ppm is then at most a second off
_AGAIN_MS = const(60_000)
_CLIENT = b"\x23" + bytes(47)  # version 4, mode 3
_SERVER_MODE = const(4)
_UNIX_EPOCH_S = const(2_208_988_800)  # NTP counts from 1900
_STRATUM_MAX = const(15)


async def run(host, clock, link, feed):
    """Keep `clock` synchronised with `host` while `link` stands; feed() goes before the name look-up, which blocks."""
    while True:
        wait = _AGAIN_MS
        if link.connected():
            try:
                clock.synchronise(await _ask(host, clock, feed))
                wait = _EVERY_MS
            except (OSError, ValueError, MemoryError):
                pass  # receipts of the bridge set the clock as well
        await asyncio.sleep_ms(wait)


async def _ask(host, clock, feed):
    feed()
    address = socket.getaddrinfo(host, _PORT)[0][-1]
    feed()
    query = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        query.setblocking(False)
        query.connect(address)  # answers from anybody else are dropped by the stack
        sent = clock.ms()
        query.send(_CLIENT)
        for _ in range(0, _ANSWER_MS, _LOOK_MS):
            await asyncio.sleep_ms(_LOOK_MS)
            try:
                answer = query.recv(48)
            except OSError:  # nothing yet
                continue
            return utc_ms(answer) + (clock.ms() - sent) // 2
    finally:
        query.close()
    raise OSError("no answer")


def utc_ms(answer):
    """UTC ms in a server's answer of 48 bytes. Raises ValueError where it is none, or the server has no time."""
    if len(answer) != 48 or answer[0] & 7 != _SERVER_MODE or answer[0] >> 6 == 3 or not 0 < answer[1] <= _STRATUM_MAX:
        raise ValueError("no time in it")
    seconds = int.from_bytes(answer[40:44], "big")
    if seconds < _UNIX_EPOCH_S:  # the count starts again in 2036
        seconds += 1 << 32
    return (seconds - _UNIX_EPOCH_S) * 1000 + (int.from_bytes(answer[44:48], "big") * 1000 >> 32)
