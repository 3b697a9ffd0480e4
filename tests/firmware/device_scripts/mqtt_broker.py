# Talks to a real broker in the ways that test_mqtt_broker.py asks for; prints one JSON line a job.
import asyncio
import gc
import json
import sys

from mqtt_desk import Link
from scanlatch.send import tls
from scanlatch.send.mqtt import MqttError


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def client(job, **options):
    if "ca" in job:
        options["tls"] = context(job)
        options["name"] = job["name"]
    return Link(job.get("id", "window-1"), job["port"], **options)


def context(job):
    if job.get("certificate"):
        return tls.context(_read(job["ca"]), _read(job["certificate"]), _read(job["key"]))
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=_read(job["ca"]))
    return made


async def verify_mode(job):
    import ssl

    return context(job).verify_mode == ssl.CERT_REQUIRED


async def connects(job):
    it = client(job)
    await it.connect()
    it.close()
    return "connected"


async def goes_round(job):
    """Publishes to itself: every message comes back, and the heap is where it was."""
    got = []
    acks = [0, 0]  # how many, the last one's mark

    def on_message(topic, payload):
        got.append(payload)

    def on_ack(mark):
        acks[:] = acks[0] + 1, mark

    it = client(job)
    it.on_message, it.on_ack = on_message, on_ack
    await it.connect()
    await it.subscribe("echo/" + job["id"])
    used = []
    for n in range(job["count"]):
        payload = b"%06d" % n + bytes(200)
        await it.publish("echo/" + job["id"], payload, 1, False, n + 1)
        while not got or acks[0] <= n:
            await asyncio.sleep_ms(1)
        if got.pop() != payload:
            return "wrong payload"
        if acks[1] != n + 1:
            return "wrong acknowledgement"
        if n in (99, job["count"] - 1):
            gc.collect()
            used.append(gc.mem_alloc())
    it.close()
    return {"acks": acks[0], "grown": used[1] - used[0] if len(used) > 1 else 0}


async def floods(job):
    """As many as the window lets through, in order."""
    got = []
    done = asyncio.Event()

    def on_message(topic, payload):
        got.append(int(payload))
        if len(got) == job["count"]:
            done.set()

    it = client(job)
    it.on_message = on_message
    await it.connect()
    await it.subscribe("flood")
    for n in range(job["count"]):
        await it.publish("flood", b"%d" % n, 1)
    await asyncio.wait_for_ms(done.wait(), 10_000)
    it.close()
    return got == list(range(job["count"]))


async def session(job):
    """What is published while it is away waits for it; the session is there at the second connection."""
    got = []
    back = asyncio.Event()

    def on_message(topic, payload):
        got.append(str(payload, "utf-8"))
        back.set()

    it = client(job)
    it.on_message = on_message
    first = await it.connect()
    await it.subscribe("away")
    it.close()
    other = Link("other", job["port"])
    acked = asyncio.Event()
    other.on_ack = lambda mark: acked.set()
    await other.connect()
    await other.publish("away", b"while you were away", 1, False, 1)
    await acked.wait()
    other.close()
    second = await it.connect()
    await asyncio.wait_for_ms(back.wait(), 2000)
    it.close()
    return [first, second, got]


async def handler_fails_then_again(job):
    """A message whose handling failed was not acknowledged, so it comes again."""
    got = []
    back = asyncio.Event()

    def on_message(topic, payload):
        got.append(str(payload, "utf-8"))
        if len(got) == 1:
            raise KeyError("once")
        back.set()

    it = client(job)
    it.on_message = on_message
    await it.connect()
    await it.subscribe("again")
    try:
        await it.publish("again", b"message", 1)
        await it.run()
    except KeyError:
        pass
    await it.connect()
    await asyncio.wait_for_ms(back.wait(), 2000)
    it.close()
    return got


async def leaves_a_will(job):
    it = client(job, will=("will/" + job["id"], b"gone", 1, True), keepalive=30)
    await it.connect()
    await it.publish("here/" + job["id"], b"here", 1, retain=True)
    print(json.dumps({"ready": True}))
    await it.run()


async def stays(job):
    """Publishes until the link ends; then once more, on a new one."""
    it = client(job)
    await it.connect()
    print(json.dumps({"ready": True}))
    try:
        while True:
            await it.publish("t", b"x", 1)
            await asyncio.sleep_ms(5)
    except MqttError as error:
        return error.cause


async def main():
    for line in sys.stdin:
        job = json.loads(line)
        try:
            result = {"result": await asyncio.wait_for_ms(globals()[job["do"]](job), 30_000)}
        except MqttError as error:
            result = {"cause": error.cause, "detail": error.detail}
        except Exception as error:
            result = {"error": repr(error)}
        print(json.dumps(result))


asyncio.run(main())
