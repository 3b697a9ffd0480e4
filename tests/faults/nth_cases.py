"""Days of a terminal on real MicroPython, each with one failure: what a day reaches, and what becomes of it."""

import json
import os
import random
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from scanlatch_tools.twin import interpreter

from tests.faults import instrumented

SCRIPTS = Path(__file__).parent / "device_scripts"
FULL = bool(os.environ.get("SCANLATCH_FULL"))
SEED = int(os.environ.get("SCANLATCH_SEED") or random.SystemRandom().randrange(1 << 30))
CLEAN_DAY = [
    *("accepted", "accepted", "wrong_symbol", "kept", "idle_return", "idle_sale", "badge", "credential"),
    *("session_open", "kept", "kept", "kept", "kept", "accepted", 5),
]
_HEAP = "4M"  # of the test's interpreter, in which failures are made and don't come by themselves
_CASE_S = 120  # of one day; it takes a fifth of a second
_WORKERS = 2
_SIGN_KEY = ec.derive_private_key(int.from_bytes(bytes(range(1, 33)), "big"), ec.SECP256R1())

Plan = tuple[int | str, ...]  # (site, nth time, how) of a MemoryError, (kind, nth) of an OSError


@dataclass(frozen=True)
class Reached:
    """What a day without trouble reaches: sites that ask for heap with how often, and operations by their kind."""

    folder: Path
    names: list[str]
    sites: dict[int, int]
    operations: dict[str, int]

    def told(self, plan: Plan) -> str:
        """A plan in words."""
        if isinstance(plan[0], str):
            return f"{plan[0]} {plan[1]} fails"
        return f"no heap, {('ahead of', 'behind', 'from')[int(plan[2])]} {self.names[plan[0]]}, time {plan[1]}"


def a_day(folder: Path) -> Reached:
    """Build the copy of the firmware in `folder`, and go through a day without trouble."""
    instrumented.firmware(folder)
    (found,) = _run(folder, "count")
    assert (found["problems"], found["told"], found["boots"]) == ([], CLEAN_DAY, 3)
    _check_evidence(found["messages"])
    names = json.loads((folder / "sites.json").read_text())
    return Reached(folder, names, dict(found["sites"]), found["io"])


def chosen(plans: Sequence[Plan], most: int) -> list[Plan]:
    """All plans at full size, else so many of them, evenly spread from a start that the seed gives."""
    print(f"seed {SEED}: SCANLATCH_SEED={SEED} gives the same again")
    if FULL or len(plans) <= most:
        return list(plans)
    start = random.Random(SEED).random()  # a choice, no key
    return [plans[int((start + number) * len(plans) / most)] for number in range(most)]


def check(day: Reached, plans: Sequence[Plan]) -> int:
    """Go through a day with each failure; how many of them came to pass. Fails with all that went wrong."""
    shares = [list(plans[start::_WORKERS]) for start in range(_WORKERS)]
    processes = [_started(day, share) for share in shares if share]
    fired, trouble = 0, []
    for process, share in zip(processes, shares, strict=False):
        printed, _ = process.communicate(timeout=60 + _CASE_S * len(share))
        outcomes = list(_outcomes(printed))
        for outcome in outcomes:
            fired += outcome["fired"]
            if outcome["problems"]:
                trouble.append(f"{day.told(outcome['plan'])}: {outcome['problems']} {outcome['reasons']}")
            _check_evidence(outcome["messages"])
        if len(outcomes) != len(share):
            trouble.append(f"{day.told(share[len(outcomes)])}: the interpreter ended\n{printed[-1500:]}")
    assert not trouble, "\n".join([f"seed {SEED}, {len(trouble)} of {len(plans)}:", *trouble[:20]])
    return fired


def _started(day: Reached, share: list[Plan]) -> "subprocess.Popen[str]":
    folder = Path(tempfile.mkdtemp(dir=day.folder))
    (folder / "plans.json").write_text(json.dumps([share, list(day.sites)]))
    return _process(day.folder, folder, "cases", str(folder / "plans.json"))


def _run(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    process = _process(folder, folder, *arguments)
    printed, _ = process.communicate(timeout=_CASE_S)
    found = list(_outcomes(printed))
    assert found and process.returncode == 0, printed[-3000:]
    return found


def _process(built: Path, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        interpreter.command([str(SCRIPTS / "nth_run.py"), str(built), str(folder), *arguments], _HEAP),
        env={**os.environ, "MICROPYPATH": interpreter.search_path(SCRIPTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _outcomes(printed: str) -> Iterable[dict[str, Any]]:
    return (json.loads(line[1:]) for line in printed.split("\n") if line.startswith("\x1e"))


def _check_evidence(messages: list[str]) -> None:
    """Every record is signed by the terminal's key, and no nonce was used twice."""
    nonces = set()
    for message in messages:
        protected, _, payload, signature = cbor2.loads(bytes.fromhex(message)).value
        signed = cbor2.dumps(["Signature1", protected, b"scanlatch/1/scan", payload])
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        _SIGN_KEY.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        nonces.add(r)
    assert len(nonces) == len(messages), "a nonce was used twice"
