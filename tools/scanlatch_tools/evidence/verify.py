"""Checks a Scanlatch evidence bundle, by itself: python3 verify.py BUNDLE --ca ca.pem. Needs Python 3.11, cryptography.

Believes nothing that the bundle says but what the CA vouches for, and the CA must come from elsewhere. Ends with 0:
proved; 1: something is wrong; 2: it can't be read, or no CA was given."""

import argparse
import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

PROVED, WRONG, UNREADABLE = 0, 1, 2
EVIDENCE = x509.ObjectIdentifier("2.25.47824529592343766326981613123880821142")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
BYTES_MAX, ITEMS_MAX, DEPTH_MAX = 65_536, 100_000, 4
BUNDLE, CA, DEVICE, HEAD, GAP, RECORD, END = range(1, 8)
ITEMS: dict[Any, tuple[type, ...]] = {
    BUNDLE: (str, int, str, list), CA: (bytes,), DEVICE: (str, bytes, bytes), HEAD: (bytes,), END: (int, bytes),
    GAP: (int, int, str, object), RECORD: (int, bytes, bool, object, object)}  # fmt: skip
OPERATIONS = ("sale", "return", "receive", "stock-take", "query", "dispatch", "void", "session end")
OUTCOMES = ("accepted", "rejected", "duplicate here", "pending", "exempt", "error")
CLOCKS = ("was never set", "ran on since an earlier synchronisation", "was synchronised since its start")
MORE = {12: "session", 13: "operator", 16: "voids record"}
SUMMARY = (
    "PROVED: these terminals signed the records above, as they are shown. NOT PROVED:",
    "that these are all the records that the ledger has on this: who made the bundle chose them;",
    "the verdicts, made with keys that bridge and terminal share, and what is said by the ledger: that is its word;",
    "that a terminal's clock was right, that its operator was who the badge says, which box the code was on;",
    "anything before, between or after the records that are shown of a terminal.",
)
ODD = {n: "?" for n in range(0x206A) if not chr(n).isprintable()}  # no text of a bundle makes a line of its own
NO_CA = "NOT PROVED: anything. The CA is only the bundle's own: give the site's with --ca or --fingerprint."


def must(holds: bool, why: str) -> None:
    if not holds:
        raise ValueError(why)


def read_cbor(take: Callable[[int], bytes], depth: int = 0) -> Any:
    """One item of deterministic CBOR (RFC 8949 4.2.1): no floats, no tags, nothing longer than it need be."""
    first = take(1)[0]
    major, number = first >> 5, first & 31
    if major == 7 and 20 <= number <= 22:
        return (False, True, None)[number - 20]
    if number >= 24:
        size = 1 << (number - 24)
        number = int.from_bytes(take(size)) if size <= 8 else -1
        must(number >= (24 if size == 1 else 1 << (4 * size)), "its CBOR is not in the shortest form")
    if major < 2:
        return -1 - number if major else number
    fits = major < 6 and depth < DEPTH_MAX and number <= (BYTES_MAX if major < 4 else ITEMS_MAX)
    must(fits, "its CBOR holds what has no place in it")
    if major < 4:
        return take(number) if major == 2 else str(take(number), "utf-8")
    if major == 4:
        return [read_cbor(take, depth + 1) for _ in range(number)]
    pairs = [(read_cbor(take, depth + 1), read_cbor(take, depth + 1)) for _ in range(number)]
    keys = [key for key, _ in pairs]
    must(keys == sorted({key for key in keys if type(key) is int and key >= 0}), "keys of its CBOR are out of order")
    return dict(pairs)


def taker(file: BinaryIO, raw: bytearray) -> Callable[[int], bytes]:  # reads so many bytes, and adds them to `raw`
    def take(count: int) -> bytes:
        raw.extend(data := file.read(count))
        must(len(data) == count, "it is cut off")
        return data

    return take


def whole(data: bytes) -> Any:
    """One item that is all of these bytes."""
    value = read_cbor(taker(file := BytesIO(data), bytearray()))
    must(not file.read(1), "bytes are left over")
    return value


def wrap(data: bytes, major: int = 0x40) -> bytes:  # a CBOR byte string of up to 255 bytes
    return (bytes((major | len(data),)) if len(data) < 24 else bytes((major | 24, len(data)))) + data


def signed(message: bytes, device: str, kind: str, key: ec.EllipticCurvePublicKey) -> Any:
    """What a COSE_Sign1 (RFC 9052 4.2) of this terminal says: ES256, and s not above half the order."""
    protected = b"\xa2\x01\x26\x04" + wrap(device.encode())
    front, end = b"\xd2\x84" + wrap(protected) + b"\xa0", message[-66:]
    must(message.startswith(front) and end[:2] == b"\x58\x40", "it is not a message of this terminal")
    wrapped = message[len(front) : -66]
    structure = b"\x84" + wrap(b"Signature1", 0x60) + wrap(protected) + wrap(f"scanlatch/1/{kind}".encode()) + wrapped
    r, s = int.from_bytes(end[2:34]), int.from_bytes(end[34:])
    must(0 < s <= ORDER // 2, "its signature is not the lower of two")
    key.verify(encode_dss_signature(r, s), structure, ec.ECDSA(hashes.SHA256()))
    said: Any = whole(whole(wrapped))
    must(type(said) is dict, "it is not by the format")
    return said


def certified(ca: x509.Certificate, der: bytes, device: str, point: bytes) -> ec.EllipticCurvePublicKey:
    """The terminal's signing key, if the CA certifies that key for that id and for evidence."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.verify_directly_issued_by(ca)
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        names = [one.value for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except Exception as error:  # noqa: BLE001  # whatever a parser makes of hostile bytes
        raise ValueError(f"this CA did not certify the key of {device} ({type(error).__name__})") from None
    fits = certificate.public_key() == key and names == [device] and EVIDENCE in uses and usage.content_commitment
    fits = fits and der.endswith(bytes((3, len(certificate.signature) + 1, 0)) + certificate.signature)  # no other bits
    must(fits, f"the certificate is not that of {device}'s signing key")
    return key


class Terminal:
    """One terminal of the bundle, as far as it is read: pieces of its chain, each up to a signed head."""

    def __init__(self, device: str, key: Any, tell: Callable[[str], None], about: list[tuple[int, int]]) -> None:
        self.device, self._key, self._tell, self._about = device, key, tell, about
        self._ends: dict[int, tuple[bytes, list[int]]] = {}  # newest record of each head: digest, and the head's place
        self._lost: list[tuple[int, int]] = []  # what heads say that the terminal has no more
        self._place: list[int] = []
        self._first = self._last = 0  # of the piece that is being read
        self._digest: bytes | None = bytes(32)  # of the record `_last`; None where that is not there

    def head(self, message: bytes) -> None:
        """The terminal's word on where its chain ended then."""
        said = signed(message, self.device, "head", self._key)
        before, self._place, known = self._place, [said[2], said[3], said[4]], self._ends.get(said[5], (said[6],))
        must(self._place > before and known[0] == said[6], "a head is in the wrong place, or contradicts another")
        self._ends.setdefault(said[5], (said[6], self._place))
        self._lost += [(1, said[7] - 1), *((first, last) for first, last in said[8])]

    def record(self, seq: int, message: bytes, is_second: bool, verdict: Any, time: Any) -> str | None:
        """A record, which must name the one before it; gives what is wrong where it is a second one of its seq."""
        scan, digest = signed(message, self.device, "scan", self._key), hashlib.sha256(message).digest()
        must(scan.get(2) == seq, "it is another record than it is said to be")
        if is_second:
            must(seq == self._last and digest != self._digest, "what is said to be a second record is none")
            return f"terminal {self.device} signed two different records {seq}: it, or its key, was copied"
        self._goes_on(seq)
        why = f"record {seq} does not name the one before it: one was changed, taken out or put in"
        must(self._digest in (None, scan.get(3)), why)
        self._came(seq, digest)
        if self._covers(seq):
            self._tell(f"  record {seq}: {told(scan, verdict, time)}")
        return None

    def gap(self, first: int, last: int, how: str, digest: Any) -> str:
        """Records that are not here; gives what that means. Of bytes that nobody can read the chain has the digest."""
        must(first <= last, "a gap has no records")
        self._goes_on(first)
        self._came(last, digest)
        self._covers(last)
        borne = any(one[0] <= first and last <= one[1] for one in self._lost)
        words = f"records {first} to {last} of {self.device} are not here ({how}, the bundle says), and "
        return words + ("a head says that it has them no more" if borne else "no head bears that out")

    def end(self, is_last: bool = True) -> None:  # of a piece
        must(not (is_last and self._about), f"records of {self.device} that it is about are not there")
        words = f"  Records {self._first} to {self._last}: each is signed by {self.device} and names the one before it,"
        words += " so none was changed, taken out, put in or moved."
        if self._last in self._ends:
            words += " Up to the head of boot {}, connection {}, uptime {} ms".format(*self._ends[self._last][1])
            self._tell(f"{words}, by which record {self._last} was the newest then.")
        else:
            why = f"records after {self._last} of {self.device} are missing: a later one, or a head of one, is there"
            must(is_last and self._last > max(self._ends, default=0), why)
            self._tell(f"{words} No head is shown that says whether record {self._last} was the newest.")

    def _covers(self, upto: int) -> bool:
        """Whether the bundle is about this record, or some up to it; those are done with."""
        before = list(self._about)
        self._about = [(max(first, upto + 1), last) for first, last in before if last > upto]
        return before != self._about

    def _goes_on(self, seq: int) -> None:
        """What comes next stands at this seq: in the same piece, or at the beginning of another."""
        must(seq > self._last, f"record {seq} stands after record {self._last}")
        must(not self._about or seq <= self._about[0][0], f"records of {self.device} that it is about are not there")
        if seq != self._last + 1 and self._first:
            self.end(is_last=False)
        if seq != self._last + 1 or not self._first:
            self._first, self._digest = seq, None if seq > 1 else self._digest

    def _came(self, seq: int, digest: bytes | None) -> None:
        self._last, self._digest = seq, digest
        must(self._ends.get(seq, (digest,))[0] == digest or not digest, f"a signed head names another record {seq}")


class Check:
    """Reads a bundle item by item; memory does not grow with its records that were not chosen."""

    def __init__(self, ca: bytes | None = None, fingerprint: str = "") -> None:
        self._given, self._fingerprint = ca, fingerprint.replace(":", "").lower()
        self._ca: Any = None  # as the bundle has it
        self._terminal: Any = None
        self._about: dict[str, list[tuple[int, int]]] = {}  # by terminal, the records that are still to come
        self.lines, self.wrong = list[str](), list[str]()

    def run(self, file: BinaryIO) -> int:
        """PROVED, WRONG or UNREADABLE; `lines` and `wrong` say what."""
        so_far, raw, number, kind = hashlib.sha256(), bytearray(), 0, 0
        try:
            while kind != END:
                raw.clear()
                kind, *values = shaped(read_cbor(taker(file, raw)))
                must(kind == number + 1 if number < 2 else kind >= DEVICE, "its items stand in another order")
                self._item(kind, values)
                must(kind != END or values == [number, so_far.digest()], "its bytes were changed")
                so_far.update(raw)
                number += 1
            must(not file.read(1), "bytes are left over at the end")
        except Exception as error:  # noqa: BLE001  # as above
            self.wrong.append(f"item {number + 1} of the bundle: {str(error) or 'a signature does not verify'}")
        if self.wrong:
            return WRONG if number else UNREADABLE
        self.lines.append(f"SHA-256 of the bundle: {so_far.hexdigest()}")
        return PROVED if self._given or self._fingerprint else UNREADABLE

    def _item(self, kind: int, values: list[Any]) -> None:
        one = self._terminal
        if kind in (DEVICE, END) and one is not None:
            one.end()
        must(kind != END or not self._about, "a terminal that it is about is not there")
        if kind == BUNDLE:
            must(values[:2] == ["scanlatch evidence", 1], "it is no bundle of version 1")
            for device, first, last in values[3]:
                self._about.setdefault(device, []).append((first, last))
            self.lines.append(f"The bundle says that it is about: {values[2]}")
        elif kind == CA:
            self._ca, found = x509.load_der_x509_certificate(values[0]), hashlib.sha256(values[0]).hexdigest()
            same = self._given in (None, values[0]) and self._fingerprint in ("", found)
            must(same, f"it is from a site with another CA, SHA-256 {found}")
            self.lines.append(f"CA: {self._ca.subject.rfc4514_string()}, SHA-256 {found}")
        elif kind == DEVICE:
            device, point, certificate = values
            key, about = certified(self._ca, certificate, device, point), sorted(self._about.pop(device))
            self._terminal = Terminal(device, key, self.lines.append, about)
            pieces = ", ".join(f"{first} to {last}" for first, last in about)
            self.lines.append(f"Terminal {device}: the CA certifies its signing key. About its records {pieces}:")
        elif kind != END:
            why = getattr(one, {HEAD: "head", GAP: "gap", RECORD: "record"}[kind])(*values)
            self.wrong += [why] if why else []


def shaped(item: Any) -> Any:
    """An item of the bundle, if it has the entries of its kind."""
    fits = len(item) == len(kinds := ITEMS.get(item[0], ())) + 1 and all(map(isinstance, item[1:], kinds))
    must(fits, "an item is not what the format says")
    return item


def told(scan: Any, verdict: Any, time: Any) -> str:
    """A record in words; one that is not by the format is shown as it is."""
    try:
        at, ours = (f"{datetime.fromtimestamp(t // 1000, UTC):%Y-%m-%d %X} UTC" for t in (scan[4], (time or [0])[0]))
        words = f"{at} by a clock that {CLOCKS[scan[5]]}; {OPERATIONS[scan[8] - 1]}, site {scan[15]}, read "
        words += repr(scan[10].decode("utf-8", "backslashreplace"))
        words += "".join(f", {name} {scan[key]}" for key, name in MORE.items() if key in scan)
        words += f"; captured {ours} by the ledger, known by {time[1]}" if time and time[1] != "given" else ""
    except (LookupError, TypeError, ValueError, AttributeError, OSError):
        words = f"signed, but not by the format: {scan!r}"
    late = ", taken after its terminal was revoked" if verdict and verdict[1] == 63 else ""
    return words + (f". Verdict, by the ledger: {OUTCOMES[verdict[0]]}, reason {verdict[1]}{late}" if verdict else "")


def main(arguments: list[str] | None = None) -> int:
    """Check a file and print what it proves and what not, in sentences."""
    parser = argparse.ArgumentParser(description="Checks a Scanlatch evidence bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--ca", type=Path, help="the site's CA certificate, PEM or DER, from a source that you trust")
    parser.add_argument("--fingerprint", default="", help="or its SHA-256, in hex")
    options = parser.parse_args(arguments)
    try:
        ca = options.ca and options.ca.read_bytes()
        load = x509.load_pem_x509_certificate if ca and ca.startswith(b"-----") else x509.load_der_x509_certificate
        ca = ca and load(ca).public_bytes(serialization.Encoding.DER)
        with options.bundle.open("rb") as file:
            status = (check := Check(ca, options.fingerprint)).run(file)
    except (OSError, ValueError) as error:
        print(f"can't be read: {error}")
        return UNREADABLE
    print(*(one.translate(ODD) for one in (*check.lines, *(f"WRONG: {why}." for why in check.wrong))), sep="\n")
    print(*["NOT PROVED as a whole."] if check.wrong else [NO_CA] if status != PROVED else SUMMARY, sep="\n  ")
    return status


if __name__ == "__main__":
    sys.exit(main())
