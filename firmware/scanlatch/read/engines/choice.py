# Which driver is meant by an engine's kind. Loaded for the choice.
import scanlatch

_KINDS = "line grow newland honeywell ssi ssi_lite m14 de2120 auto"


def driver(kind, uart, clock, set_baud, auto=True):
    """The driver of the engine `kind`: the only one that is loaded, as modules live in the heap.

    uart, clock, set_baud, auto: see `commanded.Commanded`. Raises ValueError for a kind that there is not;
    MemoryError or OSError where its file can't be loaded.
    """
    if kind not in _KINDS.split():
        raise ValueError("engine.kind must be one of " + _KINDS + ", not " + str(kind))
    name = "read.engines." + kind.split("_")[0]  # a dialect has no own
    made = scanlatch.load(name, kind != "auto").Driver(uart, clock, set_baud, auto)
    made.kind = kind
    return made
