"""Which test files run first, and which in one process: nothing long is left for the end, and sites are shared."""

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_TESTS = Path(__file__).parent
TOGETHER = {  # each shares a site that runs, and is one piece of work for one process
    "one half of tests/system": (
        "system/test_engines.py",
        "system/test_heap.py",
        "system/test_clock.py",
        "system/test_commands.py",
        "system/test_day.py",
        "system/test_outages.py",
        "system/test_rights.py",
        "system/test_labels.py",
    ),
    "the other half": (
        "system/test_drain.py",
        "system/test_engine_buzzer.py",
        "system/test_theft.py",
        "system/test_evidence.py",
        "system/test_modes.py",
        "system/test_stall.py",
        "system/test_keys.py",
    ),
    "a provisioned board": (
        "tools/test_doctor.py",
        "tools/test_doctor_bridge.py",
        "tools/test_calibrate.py",
        "tools/test_monitor.py",
    ),
    "boards to be provisioned": (
        "tools/test_provision_rescue.py",
        "tools/test_minute.py",
        "tools/test_provision.py",
        "tools/test_provision_apart.py",
        "tools/test_provision_pulled.py",
        "tools/test_update_cable.py",
    ),
}
LONGEST = (  # as `pytest --durations=60` tells; what waits much and what computes much take turns
    "test_docs_commands.py",
    *TOGETHER["one half of tests/system"],
    *TOGETHER["the other half"],
    "tools/test_bench.py",
    "firmware/test_journal.py",
    "simulation/test_simulation.py",
    "tools/test_demo.py",
    "faults/test_nth_heap.py",
    "bridge/test_crash_points.py",
    "system/test_bridges.py",
    *TOGETHER["a provisioned board"],
    *TOGETHER["boards to be provisioned"],
    "system/test_update.py",
    "firmware/test_read_classify_fuzz.py",
    "faults/test_kills.py",
    "bridge/test_rules_play.py",
    "faults/test_nth_watchdog.py",
    "faults/test_power_cuts_twin.py",
    "faults/test_broker_room.py",
    "firmware/test_outage.py",
    "faults/test_update_trial.py",
    "faults/test_dns.py",
    "test_docs_technician.py",
    "faults/test_disk_full.py",
    "faults/test_full_ring.py",
    "faults/test_lines.py",
    "faults/test_restore.py",
    "firmware/test_mqtt_broker.py",
    "firmware/test_renewal.py",
    "mutants/test_mutants.py",
)
_PIECES = {f"tests/{name}": piece for piece, names in TOGETHER.items() for name in names}


class _Scheduling(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        name = super()._split_scope(nodeid)
        return _PIECES.get(name, name)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """By files, but for those that belong together."""
    return _Scheduling(config, log) if config.option.dist == "loadfile" else None


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
