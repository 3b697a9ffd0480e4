# A new bridge key: both are kept until the bridge speaks under the new one, whenever the power fails.
from cases import equal, raises
from scanlatch import start
from scanlatch.prove import cbor, cose, hashes, keys, record
from scanlatch.send import verdict
from scanlatch.system import bridge_key, commands
from system_desk import NOW, Nvs
from system_desk import clock as _clock

_DEVICE, _OWN = "d-1", bytes(31) + b"\x07"
_BRIDGES = {name: bytes(31) + secret for name, secret in (("old", b"\x0b"), ("new", b"\x0d"), ("newer", b"\x11"))}
_PUBLIC = {name: keys.public_key(secret) for name, secret in _BRIDGES.items()}
_KEYS = {name: keys.shared(secret, keys.public_key(_OWN), _DEVICE) for name, secret in _BRIDGES.items()}  # the bridge's


class _PowerCut(Exception):
    pass


class _CutNvs(Nvs):
    """Power fails before one of its writes."""

    left = None

    def _write(self):
        if self.left is not None:
            if not self.left:
                raise _PowerCut
            self.left -= 1

    def set_bytes(self, name, value):
        self._write()
        self.held[name] = value

    def set_int(self, name, value):
        self._write()
        self.held[name] = value

    def erase(self, name):
        self._write()
        self.held.pop(name, None)


class _Dog:
    def feed(self):
        pass


class _Health:
    def count(self, name):
        pass


class _Terminal:
    device, dog, health = _DEVICE, _Dog(), _Health()

    def __init__(self, nvs):
        self.clock, self.nvs = _clock()[0], nvs
        self.clock.synchronise(NOW)
        self.keys = start.bridge_keys(nvs, self.opened)

    def opened(self, message, aad):
        return bridge_key.opened(self, message, aad)


def _enrolled():
    nvs = _CutNvs()
    mac_key, cred_key = _KEYS["old"]
    nvs.held = {"agree_key": _OWN, "bridge": _PUBLIC["old"], "mac_key": mac_key, "cred_key": cred_key}
    return nvs


def _sealed(bridge, payload, aad):
    kid = hashes.sha256(_PUBLIC[bridge])[:8]
    return cose.mac0(kid, cbor.dumps(payload), aad, _KEYS[bridge][0])


def _told(terminal, counter, public, under="old"):
    """Result of the command, and the bridge key that its reply is under."""
    arguments = {"public": public} if public else {}
    message = _sealed(under, {1: 1, 2: counter, 3: "bridge-key", 4: arguments, 5: NOW + 60_000}, commands.AAD_COMMAND)
    reply = commands.handle(message, terminal)
    for name in _KEYS:
        try:
            return cose.open_mac0(reply, commands.AAD_REPLY, _KEYS[name][0], _DEVICE.encode())[3], name
        except (cose.CoseError, TypeError):
            pass
    return None


def _hears(terminal, bridge):
    message = _sealed(bridge, {1: 1, 2: 5}, record.AAD_RECEIPT)
    try:
        return verdict.opened(message, record.AAD_RECEIPT, terminal.keys) == {1: 1, 2: 5}
    except cose.CoseError:
        return False


def test_both_keys_are_understood_until_the_first_message_under_the_new():
    nvs = _enrolled()
    terminal = _Terminal(nvs)
    equal((_hears(terminal, "old"), _hears(terminal, "new")), (True, False))
    equal(_told(terminal, 1, _PUBLIC["new"]), ("ok", "old"))
    equal((_hears(terminal, "old"), _hears(_Terminal(nvs), "old")), (True, True))
    equal((_hears(terminal, "new"), _hears(terminal, "old")), (True, False))
    again = _Terminal(nvs)
    equal((_hears(again, "new"), _hears(again, "old")), (True, False))
    equal((nvs.held["cred_key"], nvs.held["bridge"]), (_KEYS["new"][1], _PUBLIC["new"]))


def test_a_command_that_is_repeated_is_answered_and_changes_nothing():
    nvs = _enrolled()
    terminal = _Terminal(nvs)
    equal(_told(terminal, 1, _PUBLIC["old"]), ("ok", "old"))
    equal("bridge_next" in nvs.held, False)
    equal([_told(terminal, at, _PUBLIC["new"]) for at in (2, 3)], [("ok", "old")] * 2)
    equal(_told(terminal, 4, _PUBLIC["new"], under="new"), ("ok", "new"))
    equal((_hears(terminal, "new"), _hears(terminal, "old")), (True, False))


def test_a_newer_key_takes_the_place_of_one_that_was_never_used():
    terminal = _Terminal(_enrolled())
    _told(terminal, 1, _PUBLIC["new"])
    equal(_told(terminal, 2, _PUBLIC["newer"]), ("ok", "old"))
    equal([_hears(terminal, name) for name in ("old", "new", "newer")], [True, False, True])


def test_a_bridge_that_stays_with_its_key_is_understood_and_the_new_one_forgotten():
    nvs = _enrolled()
    terminal = _Terminal(nvs)
    _told(terminal, 1, _PUBLIC["new"])
    equal(_told(terminal, 2, _PUBLIC["old"]), ("ok", "old"))
    equal([_hears(one, name) for one in (terminal, _Terminal(nvs)) for name in ("old", "new")], [True, False] * 2)


def test_what_is_no_point_of_the_curve_is_refused_and_nothing_is_stored():
    nvs = _enrolled()
    terminal = _Terminal(nvs)
    off = _PUBLIC["new"][:-1] + bytes((_PUBLIC["new"][-1] ^ 1,))
    for counter, public in enumerate((off, b"\x04" + bytes(64), _PUBLIC["new"][:64], b"\x02", "text", 7, None), 1):
        equal(_told(terminal, counter, public)[0][:7], "public:")
    equal(("bridge_next" in nvs.held, _hears(terminal, "old")), (False, True))


def test_a_power_cut_at_any_write_leaves_a_terminal_that_understands_the_bridge():
    # The bridge speaks under the old key until it was told "ok", then under the new one.
    for cut in range(9):
        nvs = _enrolled()
        nvs.left = cut
        said = None
        try:
            terminal = _Terminal(nvs)
            said = _told(terminal, 1, _PUBLIC["new"])
            _hears(terminal, "new")
        except _PowerCut:
            pass
        cut_off, nvs.left = nvs.left == 0, None
        speaks = "old" if said is None else "new"
        for _ in range(2):
            again = _Terminal(nvs)
            equal((cut, speaks, _hears(again, speaks)), (cut, speaks, True))
        if speaks == "old":
            equal(_told(_Terminal(nvs), 2, _PUBLIC["new"]), ("ok", "old"))
        terminal = _Terminal(nvs)
        equal((_hears(terminal, "new"), _hears(terminal, "old")), (True, False))
        equal((nvs.held["mac_key"], nvs.held["cred_key"]), _KEYS["new"])
        equal((nvs.held["bridge"], _Terminal(nvs).keys[2]), (_PUBLIC["new"], None))
    equal(cut_off, False)  # the last run was cut nowhere: all writes were tried


def test_a_store_that_refuses_keeps_the_old_key_and_says_so():
    class Full(_CutNvs):
        def set_bytes(self, name, value):
            raise OSError("full")

    nvs = Full()
    nvs.held = _enrolled().held
    terminal = _Terminal(nvs)
    equal(_told(terminal, 1, _PUBLIC["new"]), ("store: full", "old"))
    equal((_hears(terminal, "old"), _hears(terminal, "new")), (True, False))
    raises(cose.CoseError, bridge_key.opened, terminal, _sealed("new", {1: 1}, record.AAD_RECEIPT), record.AAD_RECEIPT)
