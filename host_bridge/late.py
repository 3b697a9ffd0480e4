"""Which records came late: read long before they reached the bridge, as after an outage."""

LATE_MS = 60_000  # from capture to receipt; a link that comes and goes is back sooner


def is_late(captured_at: int, received_at: int) -> bool:
    """Whether a record came late; both ms UTC, as far as the bridge knows them."""
    return received_at - captured_at > LATE_MS
