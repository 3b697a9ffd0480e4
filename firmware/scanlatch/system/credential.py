# A person's credential on its way to the bridge: live only, once, and nothing of it stays. Loaded for each.
import asyncio
import os

from micropython import const

from scanlatch import forget, load
from scanlatch.prove import cbor
from scanlatch.send.mqtt import MqttError

_AAD = const(b"scanlatch/1/credential")
_ANSWER_MS = const(3_000)  # WIRE "Credential"; what could not be sent by then is not sent later either
_LOOK_MS = const(20)


def read(terminal, _symbology, data):
    """A credential was read: encrypt it, and send it where the link stands now."""
    client, session = terminal.uplink.client, terminal.session
    terminal.health.count("credential")
    if terminal.scanner.fault is not None:  # a boot counter that could not be stored would repeat a nonce
        terminal.scanner.refuse("refused_fault", "fault_refused")
        return
    _end_session(session, terminal.nvs)
    if client is None:
        terminal.indicator.show("credential_offline")
        return
    try:
        message = _sealed(terminal, data)
    except OSError:
        terminal.indicator.show("error")
        return
    terminal.indicator.show("credential")
    topic = "scanlatch/v1/" + terminal.settings["site"] + "/" + terminal.device + "/credential"
    asyncio.create_task(_sent(terminal, client, topic, message))  # noqa: RUF006 - MicroPython's loop holds it
    session.asked = terminal.credentials


def _end_session(session, nvs):
    # Whatever becomes of this credential: the boxes that follow are this person's, not the one's before.
    if session.opened is not None:
        session.opened = None
        session.due_ms = 0
        try:
            nvs.erase("session")
        except OSError:  # it comes back with a restart, until its end
            pass


def _sealed(terminal, data):
    key = terminal.nvs.get_bytes("cred_key")
    if key is None:
        raise OSError("no cred_key: enrol this terminal again")
    terminal.credentials += 1
    nonce = terminal.boot.to_bytes(4, "big") + terminal.credentials.to_bytes(4, "big") + os.urandom(5)
    payload = cbor.dumps({1: 1, 2: terminal.clock.now()[0], 3: data})
    encrypt0 = load("prove.encrypt0")
    forget(encrypt0.aesccm)
    return encrypt0.encrypt0(terminal.device.encode(), nonce, payload, _AAD, key)


async def _sent(terminal, client, topic, message):
    session, clock = terminal.session, terminal.clock
    number, until = session.asked, clock.ms() + _ANSWER_MS
    try:
        publishing = asyncio.create_task(_published(client, topic, message))
    except MemoryError:  # a person is told, and no terminal starts again for that
        until = 0
    else:
        del message
        while not publishing.done() and clock.ms() < until:
            await asyncio.sleep_ms(_LOOK_MS)
        if not publishing.done():
            publishing.cancel()
            if client.out:  # half of it may be out: the rest goes with the link
                client.fail(MqttError("network", "takes nothing"))
    while session.asked == number and client.why is None and clock.ms() < until:
        await asyncio.sleep_ms(_LOOK_MS)
    if session.asked == number:
        session.asked = 0
        terminal.indicator.show("error")


async def _published(client, topic, message):
    try:
        await client.publish(topic, message, 1)
    except Exception:  # noqa: S110 - why the link ended; whoever runs it tells that
        pass
