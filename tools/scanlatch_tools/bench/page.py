"""Writes the tables of docs/performance.md from what the benches printed.

Run as `python -m scanlatch_tools.bench.page docs/performance.md bridge.json ledger.json drain.json lights.json FOLDER`.
"""

import datetime
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scanlatch_tools.bench.drain import LIVE_MS
from scanlatch_tools.bench.growth import BUDGET as GROWTH
from scanlatch_tools.bench.run import BUDGET, EMPTY_S, P50_MS, P99_MS, RATIO
from scanlatch_tools.bench.shares import shares

# key, words, the aim as it is written
_BRIDGE = (
    ("scans_per_s", "sales a second, sustained", f"at least {BUDGET:,}"),
    ("cpu_ratio_to_echo", "bridge CPU a scan over the echo's", f"at most {RATIO:g}"),
    ("cpu_us_per_scan", "bridge CPU a scan, verdict included, µs", ""),
    ("echo_cpu_us", "CPU of the echo a message, µs", ""),
    ("settlement_cpu_us", "settlement CPU a sale, µs", ""),
    ("cpu_us_per_platform_call", "settlement CPU a platform call, µs", ""),
    ("scans_per_platform_call", "sales a platform call", ""),
    ("p50_ms", "scan to final verdict at half the rate, p50, ms", f"at most {P50_MS:g}"),
    ("p99_ms", "the same, p99, ms", f"at most {P99_MS:g}"),
    ("sold", "sales sent in all", ""),
    ("settled", "of them settled", "all"),
    ("outbox_empty_s", "outbox empty after the last, s", f"at most {EMPTY_S:g}"),
    ("sustained_pending", "told pending first, of the sustained", ""),
    ("broker_cpu_us", "CPU of mosquitto a scan, µs", ""),
    ("ledger_server_cpu_us", "CPU of PostgreSQL a scan, µs", ""),
    ("platform_cpu_us", "CPU of the platform's stand-in a scan, µs, not counted", ""),
    ("generator_cpu_us", "CPU of the load generator a scan, µs, not counted", ""),
    ("echo_per_s", "messages a second through the echo", ""),
)
_DRAIN = (
    ("ring_records", "records in a terminal's full ring", ""),
    ("twin_per_s", "one terminal alone drains, records a second", ""),
    ("twin_s", "its ring is empty after, s", ""),
    ("fleet_per_s", "all drain, records a second", ""),
    ("fleet_s", "their rings are empty after, s", ""),
    ("twin_among_per_s", "one more terminal among them, records a second", ""),
    ("live_scans", "scans at other terminals meanwhile", ""),
    ("live_p50_ms", "such a scan to its first answer, p50, ms", ""),
    ("live_p99_ms", "the same, p99, ms", ""),
    ("live_max_ms", "the same, longest, ms", f"at most {LIVE_MS:,.0f}"),
    ("live_final_p50_ms", "to its final answer, p50, ms", ""),
    ("live_final_p99_ms", "the same, p99, ms", ""),
    ("live_final_max_ms", "the same, longest, ms", ""),
)
_Rows = Iterable[Sequence[str]]


def main(page: Path, told: Sequence[Path]) -> None:
    """Replace what stands between the marks of each table for which something is told."""
    text = page.read_text("utf-8")
    profiles = [path for path in told if path.is_dir()]
    answers = [json.loads(path.read_text("utf-8").splitlines()[-1]) for path in told if not path.is_dir()]
    bridges = [one for answer in answers for one in answer.get("runs", ()) if "scans_per_s" in one]
    ledgers = [one for answer in answers for one in answer.get("runs", ()) if "sizes" in one]
    lights = [figure for answer in answers for figure in answer.get("figures", ())]
    drains = [one for answer in answers for one in answer.get("runs", ()) if "fleet_per_s" in one]
    machines = [answer["machine"] for answer in answers if "machine" in answer]
    if machines:
        text = _put(text, "machine", _machine(machines, [*bridges, *ledgers, *drains]))
    if bridges:
        text = _put(text, "bridge", _bridge(bridges))
    if ledgers:
        text = _put(text, "ledger", _ledger(ledgers))
    if drains:
        text = _put(text, "drain", _drain(drains))
    if lights:
        text = _put(text, "lights", _lights(lights))
    if profiles:
        text = _put(text, "profile", _profile(profiles[0]))
    page.write_text(text, "utf-8")


def _machine(machines: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> str:
    one = machines[0]
    kept_in = sorted({run["version"] for run in runs})
    load = max(machine["load_before"] for machine in machines)
    flush = "/".join(f"{machine['fsync_ms']:g}" for machine in machines)
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC).date()}: {one['cores']} cores of {one['processor']},"
        f" {one['system']}, Python {one['python']}, {', '.join(kept_in)}. Load average before the runs: at most"
        f" {load:g}. A page of 4 KiB with its fsync took {flush} ms (median, before each run).\n"
    )


def _bridge(runs: Sequence[dict[str, Any]]) -> str:
    rows = [[words, aim, *(_number(run[key]) for run in runs)] for key, words, aim in _BRIDGE]
    return _table(["", "aim", *map(_name, runs)], rows)


def _name(run: dict[str, Any]) -> str:
    bridges = "" if run["bridges"] == 1 else f", {run['bridges']} bridges"
    return f"{run['version'].split()[0]}{bridges}, {run['devices']} x {run['window']}, {run['seconds']:g} s"


def _ledger(runs: Sequence[dict[str, Any]]) -> str:
    rows: list[list[str]] = []
    for run in runs:
        for one in run["sizes"]:
            costs = [_number(one["us_per_scan"]), _number(one["cpu_us_per_scan"]), f"{one['times_the_first']:.2f}"]
            filled = [_number(one["batch_p99_ms"]), _number(one["fill_s"]), f"{one['disk_bytes'] / 1e9:.2f}"]
            rows.append([run["version"].split()[0], f"{one['codes']:,}", *costs, *filled])
    heads = ["ledger", "codes", "µs a sale", "CPU, µs", f"times the first (aim: {GROWTH:g})", "p99 of 250 sales, ms"]
    return _table([*heads, "filled in, s", "disk, GB"], rows)


def _drain(runs: Sequence[dict[str, Any]]) -> str:
    heads = [f"{run['version'].split()[0]}, {run['terminals']} x {run['records']:,}" for run in runs]
    rows = [[words, aim, *(_number(run[key]) for run in runs)] for key, words, aim in _DRAIN]
    return _table(["", "aim", *heads], rows)


def _lights(figures: Sequence[dict[str, Any]]) -> str:
    rows = [
        [one["name"], "" if one["budget"] is None else f"{one['budget']:g}", f"{one['value']:.3g} {one['unit']}"]
        for one in figures
    ]
    return _table(["", "aim", "measured"], rows)


def _profile(folder: Path) -> str:
    found = shares(folder)
    threads = sorted({name for parts in found.values() for name in parts})

    def row(library: str, parts: dict[str, float]) -> list[str]:
        return [library, *(f"{100 * parts.get(name, 0.0):.1f}" for name in threads), f"{100 * sum(parts.values()):.1f}"]

    whole = {name: sum(parts.get(name, 0.0) for parts in found.values()) for name in threads}
    ranked = sorted(found.items(), key=lambda item: -sum(item[1].values()))
    rows = [row(library, parts) for library, parts in ranked]
    return _table(["% of the bridge's CPU time", *threads, "all"], [*rows, row("all", whole)])


def _number(value: float | str | None) -> str:
    if not isinstance(value, int | float):
        return str(value or "never")
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:g}"


def _table(heads: Sequence[str], rows: _Rows) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _put(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name}: written by scanlatch_tools.bench.page -->\n", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        sys.exit(f"the marks of {name} are gone")
    return f"{before}{begin}{content}{end}{after}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]])
