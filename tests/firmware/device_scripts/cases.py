# Runs every test_* of a module, coroutines too, and prints the outcome of each.
import asyncio
import io
import sys


def run_all(module):
    for name in sorted(dir(module)):
        if name.startswith("test_"):
            print("\x1e" + name + "\x1f" + _run(getattr(module, name)) + "\x1e")  # what a case prints stands between


def _run(case):
    try:
        result = case()
        if hasattr(result, "send"):
            asyncio.run(asyncio.wait_for(result, 30))
            asyncio.new_event_loop()
    except Exception as error:
        out = io.StringIO()
        sys.print_exception(error, out)
        return out.getvalue()
    return "ok"


def equal(found, wanted):
    if found != wanted:
        raise AssertionError("found " + repr(found) + ", wanted " + repr(wanted))


def raises(kind, job, *arguments):
    try:
        job(*arguments)
    except kind as error:
        return error
    raise AssertionError("did not raise " + kind.__name__)
