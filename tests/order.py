"""The order of the test files: the longest first, so that none of them is left to run alone at the end."""

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
LONGEST = (  # measured by `pytest --durations=60`; what waits much and what computes much take turns
    "test_docs_commands.py",
    "tools/test_demo.py",
    "tools/test_bench.py",
    "system/test_keys.py",
    "faults/test_kills.py",
    "system/test_update.py",
    "firmware/test_journal.py",
    "system/test_engines.py",
    "bridge/test_crash_points.py",
    "system/test_heap.py",
    "faults/test_nth_watchdog.py",
    "system/test_drain.py",
    "simulation/test_simulation.py",
    "faults/test_power_cuts_twin.py",
    "faults/test_broker_room.py",
    "firmware/test_outage.py",
    "system/test_clock.py",
    "faults/test_update_trial.py",
    "bridge/test_rules_play.py",
    "faults/test_dns.py",
    "tools/test_doctor.py",
    "test_docs_technician.py",
    "faults/test_disk_full.py",
    "faults/test_full_ring.py",
    "firmware/test_read_classify_fuzz.py",
    "system/test_engine_buzzer.py",
    "tools/test_provision_rescue.py",
    "faults/test_lines.py",
    "system/test_theft.py",
    "faults/test_restore.py",
    "tools/test_minute.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Have each process begin to load at another file: it finds the others' files compiled, if that may be kept."""
    worker = getattr(config, "workerinput", None)
    if worker and config.args == [str(_TESTS.name)]:
        files = [str(path) for path in sorted(_TESTS.rglob("test_*.py"))]
        at = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args[:] = files[at:] + files[:at]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The same order in every process, as pytest-xdist asks."""
    places = {_TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (places.get(item.path, len(places)), item.path))
