# Enrolment: the terminal makes its keys, and takes what its site gives. No private key leaves.
import json
import os
from binascii import hexlify, unhexlify

from scanlatch import load
from scanlatch.keep import files, store
from scanlatch.keep.journal import Journal
from scanlatch.prove import hashes, keys, p256, rfc6979
from scanlatch.system import board, csr, settings, wiring

CA = "ca.der"
CERTIFICATE = "device.der"
_KEYS = ("sign_key", "agree_key", "tls_key")


class EnrolError(Exception):
    """This terminal can't be enrolled as it is; the message says what to do."""


def begin(device):
    """Make the three keys where they are missing; print the public halves and a signing request as one JSON line.

    Repeating it gives the same keys. Raises EnrolError where the terminal already has another id.
    """
    nvs = store.Nvs(board.nvs())
    known = nvs.get_bytes("device")
    if known is not None and known != device.encode() and nvs.get_bytes("sign_key") is None:
        load("system.retire").wipe(nvs)  # that was begun, and cut
        known = None
    if known is not None and known != device.encode():
        raise EnrolError("this terminal is " + known.decode() + "; retire it before it gets another id")
    wiring.radio_on()  # without it os.urandom is not random on the chip
    for name in _KEYS:
        if nvs.get_bytes(name) is None:
            nvs.set_bytes(name, _secret())
    nvs.set_bytes("device", device.encode())
    signing, agreement, tls = (nvs.get_bytes(name) for name in _KEYS)
    public = keys.public_key(tls)
    request = csr.request(device, public, lambda info: rfc6979.sign(tls, hashes.sha256(info)))
    answer = {
        "device": device,
        "signing": hexlify(keys.public_key(signing)).decode(),
        "agreement": hexlify(keys.public_key(agreement)).decode(),
        "csr": hexlify(request).decode(),
    }
    print(json.dumps(answer))


def finish(path="enrol.json"):
    """Take what the site gave, as JSON in the file `path`, and print "enrolled".

    {"settings": {..}, "bridge_public": hex of 65 bytes, "floor": UTC ms, "ca": hex DER, "certificate": hex DER}
    Safe to repeat; an existing journal is kept. Raises EnrolError, settings.SettingsError.
    """
    with open(path) as file:
        given = json.load(file)
    settings.check(given["settings"])
    nvs = store.Nvs(board.nvs())
    device = nvs.get_bytes("device")
    if device is None or device.decode() != given["settings"]["device"]:
        raise EnrolError("the settings are for another terminal: begin again")
    bridge = unhexlify(given["bridge_public"])
    mac_key, cred_key = keys.shared(nvs.get_bytes("agree_key"), bridge, device.decode())
    nvs.set_bytes("mac_key", mac_key)
    nvs.set_bytes("cred_key", cred_key)
    nvs.set_bytes("bridge", bridge)
    for name in ("bridge_next", "not_after"):  # what came over the air is older
        nvs.erase(name)
    nvs.set_int("last_time", given["floor"])
    _journal(nvs)
    files.write_file(CA, unhexlify(given["ca"]))
    files.write_file(CERTIFICATE, unhexlify(given["certificate"]))
    if "next.der" in os.listdir():
        os.remove("next.der")
    settings.save(given["settings"])
    os.remove(path)
    print("enrolled")


def _journal(nvs):
    flash = wiring.scanlog()
    known = nvs.get_bytes("journal")
    if known is None:
        known = os.urandom(8)
        Journal.format(flash, known)
        nvs.set_bytes("journal", known)
    Journal(flash, known).recover()


def _secret():
    # 1 <= d < n; a draw outside is about as likely as a broken random generator, so it is drawn again.
    while True:
        d = os.urandom(32)
        if 0 < int.from_bytes(d, "big") < p256.N:
            return d
