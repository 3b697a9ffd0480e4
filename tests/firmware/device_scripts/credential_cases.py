# A person's credential: what leaves the terminal, how often, and what the person is shown.
import asyncio
import sys

from cases import equal
from mode_cases import Terminal
from scanlatch.prove import cbor
from scanlatch.system import credential
from system_desk import NOW

PLAIN = b"424" + b"12345" * 5


class Client:
    """A link: what was published over it, in order."""

    why = None
    out = b""

    def __init__(self):
        self.sent = []
        self.blocked = False
        self.failed = None

    async def publish(self, topic, payload, qos, retain=False, mark=0):
        while self.blocked:
            await asyncio.sleep_ms(5)
        self.sent.append((topic, payload, qos, retain))

    def fail(self, error):
        self.failed = error


class Desk(Terminal):
    """A terminal with a link."""

    device, boot, credentials = "d-1", 7, 0

    def __init__(self):
        super().__init__()
        self.settings["site"] = "clinic-7"
        self.nvs.held["cred_key"] = bytes(range(16))
        self.uplink = self
        self.client = Client()

    def aside(self, kind, symbology, data):
        credential.read(self, symbology, data)


def _opened(message):
    tagged = cbor.loads(message)
    protected, unprotected, sealed = tagged.value
    return tagged.tag, cbor.loads(protected), unprotected[5], sealed


async def test_it_leaves_encrypted_once_and_its_answer_ends_the_wait():
    desk = Desk()
    equal(desk.read(PLAIN), ["read", "credential"])
    await asyncio.sleep_ms(60)
    ((topic, message, qos, retain),) = desk.client.sent
    equal((topic, qos, retain), ("scanlatch/v1/clinic-7/d-1/credential", 1, False))
    tag, protected, nonce, sealed = _opened(message)
    equal((tag, protected, nonce[:8], len(nonce)), (16, {1: 10, 4: b"d-1"}, b"\0\0\0\7\0\0\0\1", 13))
    equal((PLAIN in message, len(sealed)), (False, len(cbor.dumps({1: 1, 2: NOW, 3: PLAIN})) + 8))
    equal(desk.session.asked, 1)
    desk.session.asked = 0  # command `session` came
    desk.ticks.now += 5000
    await asyncio.sleep_ms(60)
    equal((desk.shown, len(desk.client.sent)), (["read", "credential"], 1))
    equal(desk.counted, ["read", "credential"])
    equal((desk.journal.newest, desk.said), (0, ""))


async def test_without_an_answer_in_three_seconds_it_shows_an_error():
    desk = Desk()
    desk.read(PLAIN)
    await asyncio.sleep_ms(30)
    desk.ticks.now += 2999
    await asyncio.sleep_ms(60)
    equal(desk.shown, ["read", "credential"])
    desk.ticks.now += 1
    await asyncio.sleep_ms(60)
    equal((desk.shown, desk.session.asked), (["read", "credential", "error"], 0))


async def test_each_one_has_a_nonce_of_its_own_and_the_newest_alone_is_waited_for():
    desk = Desk()
    desk.read(PLAIN)
    await asyncio.sleep_ms(30)
    desk.ticks.now += 2000
    equal(desk.read(PLAIN), ["read", "credential"])
    await asyncio.sleep_ms(30)
    desk.ticks.now += 1000  # the first one's time is over
    await asyncio.sleep_ms(60)
    equal((desk.shown, desk.session.asked), (["read", "credential"], 2))
    nonces = [_opened(message)[2] for _, message, _, _ in desk.client.sent]
    equal([nonce[:8] for nonce in nonces], [b"\0\0\0\7\0\0\0\1", b"\0\0\0\7\0\0\0\2"])
    equal(nonces[0][8:] == nonces[1][8:], False)
    desk.session.asked = 0
    await asyncio.sleep_ms(60)


async def test_offline_it_is_refused_and_never_sent_later():
    desk = Desk()
    client, desk.client = desk.client, None
    equal(desk.read(PLAIN), ["read", "credential_offline"])
    desk.client = client
    await asyncio.sleep_ms(60)
    equal((client.sent, desk.credentials, desk.session.asked), ([], 0, 0))


async def test_a_link_that_dies_shows_an_error_at_once():
    desk = Desk()
    desk.read(PLAIN)
    await asyncio.sleep_ms(30)
    desk.client.why = OSError(104)
    await asyncio.sleep_ms(60)
    equal(desk.shown, ["read", "credential", "error"])


async def test_what_could_not_be_sent_in_time_is_dropped():
    stuck, half_out = Desk(), Desk()
    for desk in (stuck, half_out):
        desk.client.blocked = True
        desk.read(PLAIN)
    half_out.client.out = b"half of it"
    await asyncio.sleep_ms(2900)
    for desk in (stuck, half_out):
        desk.ticks.now += 3000
    await asyncio.sleep_ms(200)
    for desk in (stuck, half_out):
        equal(desk.shown, ["read", "credential", "error"])
        desk.client.blocked = False
    await asyncio.sleep_ms(60)
    equal((stuck.client.sent, half_out.client.sent), ([], []))
    equal((stuck.client.failed, half_out.client.failed.cause), (None, "network"))  # what is half out ends with the link


def test_one_that_there_is_no_room_to_send_asks_for_nothing():
    desk = Desk()

    def fails(task):
        raise MemoryError

    create_task, asyncio.create_task = asyncio.create_task, fails
    try:
        desk.read(PLAIN)
    except MemoryError:  # app.py tells it
        pass
    finally:
        asyncio.create_task = create_task
    equal(desk.session.asked, 0)  # else any session would be told as this one's


async def test_one_that_there_is_no_room_to_publish_says_error_and_ends_nothing():
    desk = Desk()
    create_task, fallen = asyncio.create_task, []

    def once(task):  # the first is the credential's own, the second what publishes it
        asyncio.create_task = fails
        return create_task(task)

    def fails(task):
        asyncio.create_task = create_task
        raise MemoryError

    asyncio.create_task = once
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: fallen.append(context["exception"]))
    try:
        desk.read(PLAIN)
        await asyncio.sleep_ms(60)
    finally:
        asyncio.create_task = create_task
        asyncio.get_event_loop().set_exception_handler(None)
    equal((desk.shown, desk.session.asked, desk.client.sent), (["read", "credential", "error"], 0, []))
    equal(fallen, [])  # what falls restarts the terminal


def test_a_boot_counter_that_was_not_stored_sends_nothing():
    desk = Desk()
    desk.scanner.fault = "store"
    equal(desk.read(PLAIN), ["read", "fault_refused"])
    equal(desk.client.sent, [])


def test_a_terminal_without_the_key_says_error():
    desk = Desk()
    del desk.nvs.held["cred_key"]
    equal(desk.read(PLAIN), ["read", "error"])


def test_its_helpers_leave_the_heap():
    desk = Desk()
    desk.client = Client()
    credential._sealed(desk, PLAIN)
    equal([name for name in sys.modules if name.startswith("scanlatch.prove.") and "enc" in name or "aes" in name], [])
