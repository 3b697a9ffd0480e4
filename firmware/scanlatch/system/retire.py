# Command `retire`: this terminal's keys are wiped once the reply has left. Loaded for it, and by the next enrolment.
import asyncio
import os

from micropython import const

from scanlatch.system.log import log

_FIRST_MS = const(1_000)  # the reply is on its way by then
_ACKNOWLEDGED_MS = const(5_000)  # the broker's word is waited for so long; then the wipe comes all the same
_FREE = const(-1)  # see mqtt.py
# The signing key goes first and the id last: cut in between, `enrol.begin` finds no signing key, and goes on here.
_STORED = (
    "sign_key tls_key agree_key mac_key cred_key bridge bridge_next wifi_password journal session command"
    " not_after outage_lasts device"
)
_FILES = "settings.json device.der next.der ca.der"


def carry_out(_name, _arguments, terminal, _counter=0, _store=None):
    """Refused while the bridge does not have every record. From here on nothing is scanned."""
    journal = terminal.journal
    waiting = journal.newest - journal.freed
    if waiting:
        return str(waiting) + " records are not with the bridge yet", {}
    terminal.fail("retired")
    asyncio.create_task(_wipe(terminal))  # noqa: RUF006 - MicroPython's loop holds it
    return "ok", {}


async def _wipe(terminal):
    # Whether the link stands or not: the bridge may have the reply, and may have ended the link for it.
    await asyncio.sleep_ms(_FIRST_MS)
    waited = _FIRST_MS
    while waited < _ACKNOWLEDGED_MS and _is_on_its_way(terminal.uplink):
        await asyncio.sleep_ms(_FIRST_MS)
        waited += _FIRST_MS
    try:
        wipe(terminal.nvs)
        log("retired", device=terminal.device)
    finally:
        terminal.restart()


def _is_on_its_way(uplink):
    client = uplink.client
    return bool(uplink._replies) or (client is not None and client._in_flight.count(_FREE) < len(client._in_flight))


def wipe(nvs):
    """Forget who this terminal was: keys, id, settings; the ring is formatted by the next enrolment. Raises OSError."""
    for name in _STORED.split():
        nvs.erase(name)
    for name in _FILES.split():
        try:
            os.remove(name)
        except OSError:  # it has none
            pass
