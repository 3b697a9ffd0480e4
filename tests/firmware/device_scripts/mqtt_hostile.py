# Meets the hostile broker of test_mqtt_hostile.py once for each case; prints what came of each as a JSON line.
import asyncio
import json
import sys
import time

from mqtt_desk import Link
from scanlatch.send.mqtt import MqttError


_WAITED_OUT = ("silent_before_connack", "suback_never")  # a deadline is what these are about; the others meet none


class Case:
    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.messages = []
        self.acks = 0
        self.feeds = 0

    def client(self, **options):
        options.setdefault("timeout_ms", 400 if self.name in _WAITED_OUT else 10_000)
        link = Link(self.name, self.port, **options)
        link.on_message, link.on_ack, link.feed = self.on_message, self.on_ack, self.feed
        return link

    def feed(self):
        self.feeds += 1

    def on_message(self, topic, payload):
        self.messages.append([topic, len(payload)])

    def on_ack(self, mark):
        self.acks += 1


async def ordinary(case):
    client = case.client()
    case.kept = await client.connect()
    await client.run()


async def subscribes(case):
    client = case.client()
    await client.connect()
    try:
        await client.subscribe("a", "b")
        case.subscribed = True
    finally:
        client.close()


async def silent(case):
    client = case.client(keepalive=1)
    await client.connect()
    await client.run()


async def blocked(case):
    client = case.client(keepalive=1)
    await client.connect()
    while True:
        await client.publish("t", bytes(4000), 0)


async def blocked_cancelled(case):
    client = case.client(keepalive=1)
    await client.connect()
    while True:
        publishing = asyncio.create_task(client.publish("t", bytes(4000), 0))
        for _ in range(3):
            await asyncio.sleep_ms(0)
        if not publishing.done():
            break
    publishing.cancel()
    try:
        await publishing
    except asyncio.CancelledError:
        case.cancelled = True
    await client.run()


async def sixteen(case):
    client = case.client()
    await client.connect()
    case.published = 0
    while True:
        await client.publish("t", b"x", 1, False, 7)
        case.published += 1


async def acked(case):
    client = case.client()
    await client.connect()
    for _ in range(3):
        await client.publish("t", b"x", 1, False, 7)
    await client.run()


async def handler_fails(case):
    def on_message(topic, payload):
        raise KeyError("of the handler")

    client = case.client()
    client.on_message = on_message
    await client.connect()
    await client.run()


async def ack_handler_fails(case):
    def on_ack(mark):
        raise KeyError("of the handler")

    client = case.client()
    client.on_ack = on_ack
    await client.connect()
    await client.publish("t", b"x", 1, False, 7)
    await client.run()


async def slow_handler(case):
    def on_message(topic, payload):
        time.sleep_ms(100)
        case.messages.append([topic, len(payload)])

    client = case.client()
    client.on_message = on_message
    await client.connect()
    await client.run()


async def handler_closes(case):
    def on_message(topic, payload):
        client.close()

    client = case.client()
    client.on_message = on_message
    await client.connect()
    await client.run()


async def connect_cancelled(case):
    client = case.client(timeout_ms=10_000)
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep_ms(50)
    connecting.cancel()
    try:
        await connecting
    except asyncio.CancelledError:
        case.cancelled = True
    case.connected = client.client is not None


async def again(case):
    """The same client after its link died: the address is kept, nothing of the old link is left."""
    client = case.client()
    await client.connect()
    try:
        await client.publish("t", b"x", 1, False, 7)
        await client.run()
    except MqttError:
        pass
    await client.connect()
    await client.publish("t", b"y", 1, False, 7)
    await client.run()


async def closed(case):
    client = case.client()
    await client.connect()
    client.close()
    await client.publish("t", b"x", 1)


async def nobody_there(case):
    case.port = int(sys.argv[2])
    await case.client().connect()


async def no_such_name(case):
    await Link("x", 1, host="scanlatch.invalid").connect()


async def too_big(case):
    client = case.client()
    await client.connect()
    try:
        await client.publish("t", bytes(4097), 1)
    finally:
        client.close()


async def main():
    for line in sys.stdin:
        name, scenario = line.split()
        case = Case(name, int(sys.argv[1]))
        began = time.ticks_ms()
        error = ["", "", ""]
        try:
            await asyncio.wait_for_ms(globals()[scenario](case), 5000)
        except Exception as raised:
            error = [type(raised).__name__, getattr(raised, "cause", ""), getattr(raised, "detail", str(raised))]
        case.ms = time.ticks_diff(time.ticks_ms(), began)
        case.error, case.cause, case.detail = error
        await asyncio.sleep_ms(0)
        print(json.dumps(case.__dict__))


asyncio.run(main())
