"""The interpreters that the device's code is tested on, each answering calls over a pipe."""

import ast
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

_SCRIPTS = Path(__file__).parent / "device_scripts"
_STUBS = Path(__file__).parents[1] / "stubs"
_WASM = Path(__file__).parents[1] / "wasm"
_WASM_HEAP = 1 << 20  # bytes


class RefusalError(Exception):
    """The device's code raised a ValueError; `kind` is its type's name."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


class Device:
    """A running interpreter with a module of `device_scripts` in it."""

    def __init__(self, command: list[str], path: str = "") -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "MICROPYPATH": path}
        )

    def call(self, name: str, *arguments: object) -> Any:
        """Result of one call. Raises RefusalError where the device's code raised a ValueError."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{(name, *arguments)!r}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the interpreter ended at {name}: its traceback is on standard error"
        kind, *result = ast.literal_eval(line)
        if kind == "refused":
            raise RefusalError(*result)
        return result[0]

    def refusal(self, name: str, *arguments: object) -> RefusalError | None:
        """How a call was refused, None where it was not."""
        try:
            self.call(name, *arguments)
        except RefusalError as refused:
            return refused
        return None

    def close(self) -> None:
        """End the interpreter."""
        try:
            self._process.communicate(timeout=10)
        finally:
            self._process.kill()


class Devices:
    """Starts interpreters, at most one of a kind for each module of `device_scripts`."""

    def __init__(self, compiled: Path) -> None:
        self._compiled = compiled
        self._running: dict[tuple[str, str], Device] = {}

    def get(self, kind: str, module: str) -> Device:
        """The interpreter `unix`, `wasm` or `cpython` with `module` in it."""
        if (kind, module) not in self._running:
            self._running[kind, module] = getattr(self, f"_{kind}")(module)
        return self._running[kind, module]

    def wasm(self, module: str, heap: int) -> Device:
        """A WebAssembly build of its own; heap in bytes. The caller closes it."""
        _install_wasm()
        command = [_program("node"), str(_WASM / "run.mjs"), str(heap), module, str(self._compiled), str(_SCRIPTS)]
        return Device(command)

    def close(self) -> None:
        """End all that still run."""
        for device in self._running.values():
            device.close()

    def _wasm(self, module: str) -> Device:
        return self.wasm(module, _WASM_HEAP)

    def _unix(self, module: str) -> Device:
        path = interpreter.search_path(self._compiled, _SCRIPTS, stand_ins=False)
        return Device(interpreter.command(["-c", f"import {module}; {module}.serve()"]), path)

    def _cpython(self, module: str) -> Device:
        path = [str(places.firmware()), str(_STUBS), str(_SCRIPTS)]
        start = f"import sys; sys.path[:0] = {path!r}; import {module}; {module}.serve()"
        return Device([sys.executable, "-u", "-B", "-c", start])


def _program(name: str) -> str:
    """A program of Node.js: beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.fail(f"{name} of Node.js 18 or newer is missing: apt install nodejs npm, or see nodejs.org")
    return found


def _install_wasm() -> None:
    """Install the WebAssembly build from its lock file, once, whoever comes first."""
    with (_WASM / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_WASM / "node_modules" / ".package-lock.json").exists():
            subprocess.run([_program("npm"), "ci", "--no-audit", "--no-fund"], cwd=_WASM, check=True)
