# Commands of the bridge: authenticated, in order, once each.
from scanlatch.keep.store import StoreFault
from scanlatch.prove import cbor, cose, record
from scanlatch.system.clock import NEVER_SET

_ANY_TIME = ("identify", "health")  # allowed where the clock was never set


class Commands:
    """Carries out what the bridge asks and says how it went.

    actions: name -> function(arguments dict) returning "ok" or what went wrong.
    """

    def __init__(self, device, keys, nvs, clock, health, actions):
        self._kid = device.encode()
        self._bridge_kid, self._mac_key = keys
        self._nvs = nvs
        self._clock = clock
        self._health = health
        self._actions = actions
        self._last = nvs.get_int("command") or 0

    def handle(self, message):
        """One message of topic `command`. Returns the reply's bytes, or None where it was not the bridge's."""
        try:
            body = cose.open_mac0(message, record.AAD_COMMAND, self._mac_key, self._bridge_kid)
        except cose.CoseError:
            self._health.count("mac_failures")
            return None
        if not _is_command(body):
            self._health.count("malformed")
            return None
        result = self._carry_out(body[2], body[3], body[4], body[5])
        reply = cbor.dumps({1: 1, 2: body[2], 3: result, 4: self._last, 5: {}})
        return cose.mac0(self._kid, reply, record.AAD_REPLY, self._mac_key)

    def _carry_out(self, counter, name, arguments, not_after):
        if counter <= self._last:
            return "counter is not above the last"
        action = self._actions.get(name)
        if action is None:
            return "not known: " + name[:32]
        now, quality = self._clock.now()
        if quality == NEVER_SET:
            if name not in _ANY_TIME:
                return "clock was never set"
        elif now > not_after:
            return "came too late"
        try:
            self._nvs.set_int("command", counter)  # before it acts: a command is never carried out twice
            self._last = counter
            return action(arguments)
        except StoreFault as fault:
            return "store: " + str(fault)


def _is_command(body):
    if not isinstance(body, dict) or len(body) != 5:
        return False
    for key in (1, 2, 5):
        value = body.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return False
    return body[1] == 1 and isinstance(body.get(3), str) and isinstance(body.get(4), dict)
