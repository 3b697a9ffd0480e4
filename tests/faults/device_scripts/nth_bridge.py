# The other end of a terminal's link: a broker that keeps its session, and a bridge that accepts every box.
from hashlib import sha256

import nth_chip
from scanlatch.prove import cbor, cose, record

_NOW = 1_795_000_000_000


class Broken(Exception):
    """A promise is broken."""


class Bridge:
    """Everything that came in, and what goes out, until the terminal acknowledges it.

    prefix: of the terminal's topics; keys: (kid, MAC key).
    """

    def __init__(self, prefix, device, keys):
        self.prefix, self.device, self.keys = prefix, device, keys
        self.ledger = {}  # seq -> message
        self.contents = {}  # seq -> what the record says
        self.replies = []
        self.healths = 0
        self.line = None
        self.waiting = []  # [packet id, topic, payload] without a PUBACK
        self._id = 0
        self._counter = 0
        self.heads = 0

    @property
    def online(self):
        return self.line is not None and self.line.born

    def accept(self, sock):
        self.line = Line(self, sock)
        return self.line

    def gone(self, line):
        if self.line is line:
            self.line = None

    def now(self):
        return _NOW + nth_chip.world.now - nth_chip.START_MS

    def command(self, name, arguments):
        self._counter += 1
        body = {1: 1, 2: self._counter, 3: name, 4: arguments, 5: self.now() + 600_000}
        self.say("command", cose.mac0(self.keys[0], cbor.dumps(body), b"scanlatch/1/command", self.keys[1]))

    def say(self, kind, message):
        self._id = self._id % 60_000 + 1
        self.waiting.append((self._id, self.prefix + kind, message))
        if self.online:
            self.line.give(self.waiting[-1])

    def heard(self, topic, payload):
        kind = topic[len(self.prefix) :]
        if kind == "scan":
            self._scan(payload)
        elif kind == "head":
            self.heads += 1
            self._receipt(payload)
        elif kind == "health":
            self.healths += 1
        elif kind == "reply":
            found = cose.open_mac0(payload, b"scanlatch/1/reply", self.keys[1], self.device)
            self.replies.append((found[2], found[3]))

    def _scan(self, message):
        body = cbor.loads(cbor.loads(message).value[2])
        seq = body[2]
        if self.ledger.setdefault(seq, message) != message:
            raise Broken("record %d came with other bytes" % seq)
        self.contents[seq] = body
        self._answer(seq, message)

    def _answer(self, seq, message):
        whole = all(number in self.ledger for number in range(1, seq))
        body = {1: 1, 2: seq, 3: sha256(message).digest(), 4: 0, 5: 0, 6: self.now(), 7: True, 8: whole}
        self.say("verdict", cose.mac0(self.keys[0], cbor.dumps(body), record.AAD_VERDICT, self.keys[1]))

    def _receipt(self, head):
        upto = 0
        while upto + 1 in self.ledger:
            upto += 1
        digest = sha256(self.ledger[upto]).digest() if upto else bytes(32)
        body = {1: 1, 2: upto, 3: digest, 4: self.now(), 5: sha256(head).digest()}
        self.say("receipt", cose.mac0(self.keys[0], cbor.dumps(body), record.AAD_RECEIPT, self.keys[1]))


class Line:
    """One connection, as bytes."""

    def __init__(self, bridge, sock):
        self.bridge, self.sock = bridge, sock
        self.born = False
        self._in = b""

    def take(self, data):
        self._in += data
        while True:
            length = shift = 0
            at = 1
            while at < len(self._in) and at < 5:
                length |= (self._in[at] & 127) << shift
                shift += 7
                at += 1
                if self._in[at - 1] < 128:
                    break
            else:
                return
            if len(self._in) < at + length:
                return
            first, body = self._in[0], self._in[at : at + length]
            self._in = self._in[at + length :]
            self._packet(first, body)

    def _send(self, first, body):
        head = bytes((first,))
        length = len(body)
        while length > 127:
            head += bytes((length & 127 | 128,))
            length >>= 7
        self.sock.came += head + bytes((length,)) + body

    def _packet(self, first, body):
        kind = first >> 4
        if kind == 1:
            self._send(0x20, b"\x01\x00")
        elif kind == 8:
            self._send(0x90, body[:2] + b"\x01\x01\x01")
            self.born = True
            for one in self.bridge.waiting:
                self.give(one)
        elif kind == 4:
            number = int.from_bytes(body, "big")
            self.bridge.waiting = [one for one in self.bridge.waiting if one[0] != number]
        elif kind == 12:
            self._send(0xD0, b"")
        elif kind == 3:
            size = int.from_bytes(body[:2], "big")
            topic = str(body[2 : 2 + size], "utf-8")
            rest = body[2 + size :]
            if first & 6:
                self.bridge.heard(topic, rest[2:])
                self._send(0x40, rest[:2])
            else:
                self.bridge.heard(topic, rest)

    def give(self, one):
        number, topic, payload = one
        topic = topic.encode()
        self._send(0x32, len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + payload)
