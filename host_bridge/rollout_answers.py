"""What terminals say of an update: replies to its commands, heads of the firmware that runs, health of one on trial."""

import structlog

from host_bridge.ledger import hints, rollouts
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.rollouts import Package, Place
from host_bridge.wire import Reply
from host_bridge.work import Work

TRIES = 20  # refusals that may pass, in all, before a terminal counts as failed
PATIENCE_MS = 24 * 3_600_000  # so long a terminal may be switched off, or too busy, before it counts as failed
LONGEST_MS = 7 * PATIENCE_MS  # and so long it may take in all, however often it comes on: one that never ends holds all
TRIAL_MS = 3_600_000  # from the commit to the first word of the new firmware: it restarts in a quiet moment
PROVEN_MS = 180_000  # new firmware that goes on answering for so long stays, where its health says nothing
LOOK_MS = 5_000  # between two looks at the health of new firmware
_SOON_MS, _LATER_MS = 2_000, 60_000
# The terminal is at work: it has no memory for it just now, or no quiet moment. It is asked at growing waits.
_PUT_OFF = ("busy", "memory")
PUT_OFF_MS = (2_000, 300_000)  # first and longest wait between two asks
# What passes by itself: the terminal starts anew, or what it was told came too late or twice.
_PASSES = {
    "no update begun": 0,
    "on trial": _LATER_MS,
    "clock was never set": _LATER_MS,
    "came too late": _SOON_MS,
    "counter is not above the last": 0,
}
_MAY_PASS = ("store", "content")  # and may not: tried so often, from the beginning of what it says it has
_NOT_FOR_IT = "other family"
_DETAIL_MAX = 200
_SPOKE = "the new firmware speaks"  # details that say more than their state
_UNREACHED = "did not answer for a day"
_NO_ROOM = "was short of memory, or busy, for a day"
_ENDLESS = "did not have it all within a week"

_log = structlog.get_logger("scanlatch.rollout")


def answered(work: Work, row: DeviceRow, reply: Reply) -> None:
    """A terminal's reply to any command, in the transaction that holds its row; nothing where it is no update's."""
    place = rollouts.of_device(work.connection, row.id)
    if place is None or place.counter != reply.counter:
        return
    rollouts.forget_command(work.connection, place, answered=True)
    package = rollouts.package(work.connection, rollouts.get(work.connection, place.rollout).bundle)
    place.counter, place.waits, place.next_at = None, 0, work.now
    at = _offset(reply, package.size)
    if reply.result == "ok" and place.at == package.size:
        place.state, place.boot, place.moved_at = rollouts.TRIAL, row.head_boot, work.now
        place.next_at = work.now + LOOK_MS
    elif at is not None and (reply.result == "ok" or reply.result.startswith("not at ")):
        if place.at is not None and at > place.at:
            place.put_off_at = None
        place.at, place.moved_at = at, work.now
        place.tries += reply.result != "ok"
    else:
        _refused(place, reply.result, work.now)
    if place.tries > TRIES:
        _end(place, rollouts.FAILED, reply.result, work.now)
    rollouts.save(work.connection, place)


def heard(work: Work, row: DeviceRow, firmware: str) -> None:
    """A terminal's head, newly accepted, in the transaction that holds its row."""
    place = rollouts.of_device(work.connection, row.id)
    if place is None:
        return
    package = rollouts.package(work.connection, rollouts.get(work.connection, place.rollout).bundle)
    if firmware == package.version:
        if place.detail != _SPOKE:
            rollouts.forget_command(work.connection, place, answered=False)
            place.state, place.detail, place.moved_at, place.counter = rollouts.TRIAL, _SPOKE, work.now, None
        place.next_at = work.now
    elif place.boot is not None and (row.head_boot > place.boot or place.detail == _SPOKE):
        _end(place, rollouts.FAILED, f"went back to {firmware}: the new firmware did not prove itself", work.now)
    elif place.boot is None:  # it is there again
        if place.state == rollouts.SILENT:
            place.state, place.put_off_at = rollouts.QUEUED, None
        place.since = work.now if place.detail == _UNREACHED else place.since
        place.next_at = work.now if place.counter is None else place.next_at
    rollouts.save(work.connection, place)


def look_after_trial(work: Work, place: Place, package: Package) -> None:
    """Whether firmware on trial has proved itself, or was silent for too long."""
    place.next_at = work.now + LOOK_MS
    if place.detail == _SPOKE:
        said = hints.of_device(work.connection, place.device).get("health")
        well = said is not None and said.received_at >= place.moved_at and said.told.get("update", "") is None
        if well or work.now - place.moved_at >= PROVEN_MS:
            _end(place, rollouts.DONE, f"runs {package.version}", work.now)
    elif work.now - place.moved_at >= TRIAL_MS:
        _end(place, rollouts.SILENT, "not heard of since it was to restart", work.now)


def unreached(place: Place, now: int) -> bool:
    """Whether a terminal that did not come on is given up; it then counts as failed, until it is heard again."""
    if now - place.since >= LONGEST_MS:
        _end(place, rollouts.FAILED, _ENDLESS, now)
    elif now - max(place.since, place.moved_at) >= PATIENCE_MS:
        _end(place, rollouts.SILENT, _UNREACHED, now)
    else:
        return False
    return True


def skipped(place: Place, why: str, now: int) -> None:
    """It is none of the update's any more."""
    _end(place, rollouts.SKIPPED, why, now)


def _offset(reply: Reply, most: int) -> int | None:
    """How much of the content the terminal says that it has; None where that can't be."""
    at = reply.details.get("at")
    return at if isinstance(at, int) and not isinstance(at, bool) and 0 <= at <= most else None


def _refused(place: Place, result: str, now: int) -> None:
    place.at = None
    place.detail = result[:_DETAIL_MAX]
    if result in _PUT_OFF:
        _put_off(place, now)
    elif result in _PASSES:
        place.next_at = now + _PASSES[result]
        place.tries += _PASSES[result] == 0
    elif result.startswith(_MAY_PASS):
        place.tries += 1
        place.next_at = now + _SOON_MS
    else:
        _end(place, rollouts.SKIPPED if result.startswith(_NOT_FOR_IT) else rollouts.FAILED, result, now)


def _put_off(place: Place, now: int) -> None:
    """Ask again later, the longer it lasts; others get its turn. It says nothing of the new firmware."""
    first, longest = PUT_OFF_MS
    if place.put_off_at is None:
        place.put_off_at = now
    lasted = now - place.put_off_at
    if lasted >= PATIENCE_MS:
        _end(place, rollouts.SILENT, _NO_ROOM, now)
    else:
        place.state, place.next_at = rollouts.QUEUED, now + min(max(lasted, first), longest)


def _end(place: Place, state: str, detail: str, now: int) -> None:
    place.state, place.detail, place.moved_at, place.counter = state, detail[:_DETAIL_MAX], now, None
    _log.info("update", device=place.device, state=state, detail=place.detail)
