# What is said on a link: subscriptions and birth where it begins, then and later where the chain ends. Loaded for each.
import asyncio
import json

from micropython import const

from scanlatch import load
from scanlatch.keep.journal import JournalError
from scanlatch.prove import cose, hashes
from scanlatch.send.mqtt import MqttError, field, packet

_SUBACK = const(0x90)
_SUBSCRIBE_ID = const(b"\x00\x11")  # no publish has that packet id
_FROM_BRIDGE = const(("verdict", "receipt", "command"))
_TIMEOUT_MS = const(10_000)
_POLL_MS = const(10)


async def born(terminal, client, connection):
    """Subscribe to what the bridge sends, and publish the birth. Raises one of FAILURES."""
    prefix = terminal.uplink.prefix
    await subscribe(client, [prefix + kind for kind in _FROM_BRIDGE], terminal.clock)
    status = {"v": 1, "online": True, "boot": terminal.boot, "connection": connection}
    status.update(terminal.told)
    await client.publish(prefix + "status", json.dumps(status).encode(), 1, True)


async def head(terminal, client, connection):
    """Publish where the chain ends. Raises one of FAILURES."""
    journal, clock = terminal.journal, terminal.clock
    try:
        while journal.idle(clock.ms(), 0):  # what nobody has read since the boot: a full ring at once takes a second
            await asyncio.sleep_ms(0)
    except JournalError as error:  # the head still tells how far it came
        terminal.on_journal_fault(error)
    made = load("prove.head")
    payload = made.payload(
        terminal.boot,
        connection,
        clock.ms(),
        journal.newest,
        journal.newest_digest,
        journal.oldest,
        journal.missing(),
        terminal.told["fw"],
    )
    message = cose.sign1(terminal.device.encode(), payload, made.AAD_HEAD, terminal.signer.sign)
    terminal.answers.head = (hashes.sha256(message), clock.ms())  # its receipt may set the clock
    await client.publish(terminal.uplink.prefix + "head", message, 1)


async def subscribe(client, topics, clock, timeout_ms=_TIMEOUT_MS):
    """Subscribe (3.8) with QoS 1. Raises why it failed: MqttError "refused" where the broker grants one not."""
    await client.clear(0)
    body = _SUBSCRIBE_ID
    for topic in topics:
        body += field(topic.encode()) + b"\x01"
    client.answer = _SUBACK
    client.write(packet(0x82, body))
    until = clock.ms() + timeout_ms
    while isinstance(client.answer, int):
        if client.why:
            raise client.why
        if clock.ms() >= until:
            raise MqttError("protocol", "no SUBACK in time")
        await asyncio.sleep_ms(_POLL_MS)
    answer = bytes(client.answer)  # 3.9: the packet id, then a code a topic
    if len(answer) != 2 + len(topics) or answer[:2] != _SUBSCRIBE_ID:
        raise MqttError("protocol", "SUBACK")
    for topic, code in zip(topics, answer[2:]):
        if code == 128:
            raise MqttError("refused", "subscription to " + topic)
        if code > 2:
            raise MqttError("protocol", "SUBACK code %d" % code)
