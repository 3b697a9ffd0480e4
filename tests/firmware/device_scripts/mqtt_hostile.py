# Meets the hostile broker of test_mqtt_hostile.py once for each case; prints what came of each as a JSON line.
import asyncio
import json
import sys
import time

from scanlatch.send.mqtt import Client, MqttError


class Clock:
    def ms(self):
        return time.ticks_ms()


class Case:
    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.messages = []
        self.acks = 0
        self.feeds = 0

    def client(self, **options):
        options.setdefault("connect_timeout_ms", 400)
        options.setdefault("on_message", self.on_message)
        options.setdefault("before_blocking", self.feed)
        return Client(self.name, "127.0.0.1", self.port, Clock(), **options)

    def feed(self):
        self.feeds += 1

    def on_message(self, topic, payload):
        self.messages.append([topic, len(payload)])

    def on_ack(self):
        self.acks += 1


async def ordinary(case):
    client = case.client()
    try:
        case.kept = await client.connect()
        await client.run()
    finally:
        case.passed_over = client.passed_over


async def subscribes(case):
    client = case.client()
    await client.connect()
    try:
        await client.subscribe([("a", 1), ("b", 1)])
        case.subscribed = True
    finally:
        await client.close()


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
        await client.publish("t", b"x", 1, on_ack=case.on_ack)
        case.published += 1


async def acked(case):
    client = case.client()
    await client.connect()
    for _ in range(3):
        await client.publish("t", b"x", 1, on_ack=case.on_ack)
    await client.run()


async def handler_fails(case):
    def on_message(topic, payload):
        raise KeyError("of the handler")

    client = case.client(on_message=on_message)
    await client.connect()
    await client.run()


async def ack_handler_fails(case):
    def on_ack():
        raise KeyError("of the handler")

    client = case.client()
    await client.connect()
    await client.publish("t", b"x", 1, on_ack=on_ack)
    await client.run()


async def slow_handler(case):
    async def on_message(topic, payload):
        await asyncio.sleep_ms(100)
        case.messages.append([topic, len(payload)])

    client = case.client(on_message=on_message)
    await client.connect()
    await client.run()


async def handler_closes(case):
    async def on_message(topic, payload):
        await client.close()

    client = case.client(on_message=on_message)
    await client.connect()
    await client.run()


async def connect_cancelled(case):
    client = case.client(connect_timeout_ms=10_000)
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep_ms(50)
    connecting.cancel()
    try:
        await connecting
    except asyncio.CancelledError:
        case.cancelled = True
    case.connected = client.connected


async def run_cancelled(case):
    client = case.client()
    await client.connect()
    running = asyncio.create_task(client.run())
    await asyncio.sleep_ms(50)
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        case.cancelled = True
    case.connected = client.connected


async def again(case):
    """The same client after its link died: the address is kept, nothing of the old link is left."""
    client = case.client()
    await client.connect()
    try:
        await client.publish("t", b"x", 1, on_ack=case.on_ack)
        await client.run()
    except MqttError:
        pass
    await client.connect()
    await client.publish("t", b"y", 1, on_ack=case.on_ack)
    await client.run()


async def not_connected(case):
    await case.client().publish("t", b"x", 1)


async def nobody_there(case):
    case.port = int(sys.argv[2])
    await case.client().connect()


async def no_such_name(case):
    client = Client("x", "scanlatch.invalid", 1, Clock(), before_blocking=case.feed)
    await client.connect()


async def too_big(case):
    client = case.client()
    await client.connect()
    try:
        await client.publish("t", bytes(4097), 1)
    finally:
        await client.close()


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
