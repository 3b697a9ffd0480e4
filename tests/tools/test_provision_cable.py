"""A board's cable: what is run and kept there, what it says when it fails, and that nothing waits for ever."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scanlatch_tools.cable import Cable, CableLostError, DeviceError, NoAnswerError, NonsenseError, connected
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.documents import BIN
from tests.tools.flash_case import flashed


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareBoard]:
    folder = tmp_path_factory.mktemp("cable")
    with BareBoard(folder / "board", chip="esp32c3") as made:
        made.start()
        flashed(made, folder)
        yield made


@pytest.fixture
def cable(board: BareBoard) -> Iterator[Cable]:
    with connected(str(board.port)) as made:
        yield made


def test_what_is_run_gives_what_it_printed_and_its_traceback(cable: Cable) -> None:
    assert cable.run("print('one')\nprint('二')") == "one\n二\n"
    with pytest.raises(DeviceError, match="the board says:\nTraceback") as raised:
        cable.run("print('before')\nopen('missing')")
    assert raised.value.last == "OSError: [Errno 2] ENOENT"
    assert cable.run("print('after')") == "after\n"


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 2049, 9000])
def test_a_file_comes_back_as_it_went(cable: Cable, size: int) -> None:
    data = bytes(number * 7 % 256 for number in range(size))
    cable.put("/deep/in/file.bin", data)
    assert cable.get("/deep/in/file.bin") == data
    cable.put("deep/in/file.bin", b"another")
    assert cable.get("deep/in/file.bin") == b"another"
    assert list(cable.digests("deep", "missing")) == ["deep/in/file.bin"]


def test_a_program_that_runs_is_stopped_and_a_restart_begins_it_again(board: BareBoard) -> None:
    with connected(str(board.port)) as cable:
        cable.put("main.py", b"import time\nprint('I run')\nwhile True:\n    time.sleep(1)\n")
        for _ in range(2):
            cable.restart()
            assert "I run" in cable.lines(60)
            assert cable.run("print('stopped')") == "stopped\n"
        cable.run("os.remove('main.py')")


def test_the_real_mpremote_lists_copies_runs_and_resets(board: BareBoard, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import sys\nprint(sys.implementation._machine)\n")
    for number in range(2):  # again, behind the soft reset with which it came
        chain = (
            "cp",
            "mine.py",
            ":mine.py",
            "+",
            "ls",
            "+",
            "cat",
            ":mine.py",
            "+",
            "run",
            "mine.py",
            "+",
            "soft-reset",
        )
        done = subprocess.run(
            [BIN / "mpremote", "connect", str(board.port), *chain],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Generic ESP32C3 module with ESP32C3" in done.stdout, number
        assert "print(sys.implementation._machine)" in done.stdout, number
        assert " mine.py" in done.stdout, number
    with connected(str(board.port)) as ours:
        assert ours.get("mine.py") == (tmp_path / "mine.py").read_bytes()
        ours.run("os.remove('mine.py')")


def test_code_that_never_ends_is_given_up_in_time(board: BareBoard) -> None:
    with connected(str(board.port)) as cable:
        began = time.monotonic()
        with pytest.raises(CableLostError, match="said nothing more for 1 s"):
            cable.run("while True: pass", silence_s=1)
        assert time.monotonic() - began < 30
        board.power_cycle()  # the stand-in's raw console, unlike a chip's, hears no Ctrl-C while it runs something
        assert cable.run("print('well')") == "well\n"


def test_a_board_that_says_nonsense_of_its_files_is_told_so(board: BareBoard) -> None:
    with connected(str(board.port)) as cable:
        for odd in ("%", "none", "a" * 64):
            cable.run(f"def _get(path, at):\n    print({odd!r} + '!')\n_digest = lambda path: {odd!r}[1:]\n")
            for ask in (lambda: cable.get("boot.py"), lambda: cable.digests(".")):
                cable.run("open('boot.py', 'a').close()")
                with pytest.raises(NonsenseError, match="says what can't be understood") as refusal:
                    ask()
                assert refusal.value.status == 3


def test_a_pulled_cable_says_so(board: BareBoard) -> None:
    with connected(str(board.port)) as cable:
        board.pull_cable()
        with pytest.raises(CableLostError, match="was the cable pulled"):
            cable.run("print(1)")
        with pytest.raises(NoAnswerError, match="is not there"), connected(str(board.port)):
            pass
    board.put_cable_in()
    with connected(str(board.port)) as cable:
        assert cable.run("print(1)") == "1\n"


def test_a_port_where_nobody_is_micropython_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanlatch_tools.cable.cable._ENTRIES", 2)
    with BareBoard(tmp_path / "empty", chip="esp32c3") as empty:
        empty.start()  # waits as a loader
        with pytest.raises(NoAnswerError, match="scanlatch flash"), connected(str(empty.port)):
            pass
