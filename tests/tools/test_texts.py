"""What a person reads is in the catalogue, in English and Chinese, and the locale decides which of them is read."""

import ast
import gettext
import importlib.util
import json
import os
import re
import string
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from scanlatch_tools import cli
from scanlatch_tools.texts import language

from host_bridge import texts as of_the_bridge
from host_bridge.errors import ConfigError
from host_bridge.texts import text, told
from tests.tools import spoken

ROOT = Path(__file__).parents[2]
# Errors that only the HTTP interface answers with: a program reads those.
OF_THE_INTERFACE = {
    "catalogue.py", "deliveries.py", "exceptions.py", "inputs.py", "register.py", "reports.py", "sessions.py",
    "stock_take.py", "wire_tables.py",
}  # fmt: skip
CHINESE = re.compile("[\u4e00-\u9fff]")
A_SENTENCE = re.compile("[a-z]{3,} [a-z]{3,}")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("texts_script", ROOT / "tools" / "scripts" / "texts.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_sentence_has_its_chinese_and_no_sentence_is_left_over(script: ModuleType) -> None:
    said, there = script.said(), script.catalogue()
    assert len(said) > 800, "the sentences are not found any more"
    missing = {sentence.one: where for sentence, where in said.items() if not there.get(sentence)}
    assert not missing, "put them into tools/scanlatch_tools/texts/zh.po"
    stale = [sentence.one for sentence in there if sentence not in said]
    assert not stale, "nobody says this any more"


def test_a_sentence_stands_in_the_catalogue_once(script: ModuleType) -> None:
    counts = Counter(re.findall(r'^msgid ((?:".*"\n)+)', script.CATALOGUE.read_text("utf-8"), re.MULTILINE))
    assert not [sentence for sentence, count in counts.items() if count > 1]


def test_the_chinese_is_chinese_and_fills_the_same_places(script: ModuleType) -> None:
    for sentence, chinese in script.catalogue().items():
        assert CHINESE.search(chinese) or not A_SENTENCE.search(re.sub("`[^`]*`", "", chinese)), sentence.one
        places = _places(sentence.several or sentence.one)
        assert _places(chinese) == places, sentence.one
        assert set(re.findall("`[^`]+`", chinese)) == set(re.findall("`[^`]+`", sentence.one)), sentence.one


def _places(template: str) -> set[tuple[str, str, str | None]]:
    """Names, formats and conversions of a template's places."""
    found = string.Formatter().parse(template)
    return {(name, spec or "", conversion) for _, name, spec, conversion in found if name is not None}


def test_what_is_compiled_is_what_the_catalogue_says(script: ModuleType) -> None:
    with script.COMPILED.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    there = script.catalogue()
    stale = [one for (one, several), chinese in there.items() if compiled.ngettext(one, several, 2) != chinese]
    assert not [one for one in stale if compiled.gettext(one) != there[script.Said(one)]], "run tools/scripts/texts.py"


def test_nobody_is_told_anything_around_the_catalogue(script: ModuleType) -> None:
    trees = {
        path.relative_to(ROOT): ast.parse(path.read_text("utf-8"))
        for path in script.sources()
        if path.name not in OF_THE_INTERFACE
    }
    people = spoken.errors(list(trees.values())) - {"WireError"}
    assert {"ToolError", "NotReadyError", "ConfigError"} <= people
    bare = {f"{place}:{line}": words for place, tree in trees.items() for line, words in spoken.bare(tree, people)}
    assert not bare, "say it with _(), or with text() where the bridge raises it"


@pytest.mark.parametrize(
    "line",
    [
        'raise ToolError("no such site")', 'raise ToolError(f"no site {name}")', 'typer.echo("made " + name)',
        'console.print("ready" if ok else "not ready")', 'tell("its keys are made")', 'raise NotThereError("no site")',
    ],
)  # fmt: skip
def test_a_bare_sentence_is_found(line: str) -> None:
    tree = ast.parse(f"class NotThereError(ToolError): ...\n{line}")
    assert list(spoken.bare(tree, {"ToolError", "NotThereError"}))


def test_a_sentence_through_the_catalogue_is_not_taken_for_a_bare_one() -> None:
    tree = ast.parse('raise ToolError(_("no site {name}").format(name=name))\ntell("program", _("runs"))')
    assert not list(spoken.bare(tree, {"ToolError"}))


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "C", "LANGUAGE": "zh"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_locale_decides_the_language(environment: dict[str, str], wanted: str) -> None:
    assert language(environment) == wanted


def test_an_error_of_the_bridge_is_english_in_logs_and_chinese_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"{where}: {detail}": "{where}：{detail}", "is missing": "缺失"}

    def chinese(message: str) -> str:
        return words.get(message, message)

    error = ConfigError("bridge.toml: mqtt.host", text("is missing"))
    assert told(error) == str(error) == "bridge.toml: mqtt.host: is missing"
    monkeypatch.setattr(of_the_bridge, "_reader", [chinese])
    assert str(error) == "bridge.toml: mqtt.host: is missing"
    assert told(error) == "bridge.toml: mqtt.host：缺失"


def _run(locale: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "scanlatch_tools.cli", *arguments],
        check=False, capture_output=True, env=_environment(locale), timeout=120,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode("utf-8")


def _environment(locale: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return {**kept, "PYTHONUTF8": "1", "COLUMNS": "120", **locale}


def test_a_chinese_technician_reads_chinese(tmp_path: Path) -> None:
    chinese = {"LC_ALL": "zh_CN.UTF-8"}
    pages = _run(chinese, "--help")
    assert "药品追溯码扫码终端" in pages
    assert "命令" in pages
    assert "显示本帮助并退出" in pages
    assert "Make a site" not in pages
    made = _run(chinese, "site", "init", str(tmp_path / "site"), "--site", "clinic-7", "--host", "localhost")
    assert "分开保管" in made
    assert "没有板卡 'nix'" in _run(chinese, "board", "check", "nix")
    assert "nix.toml：" in _run(chinese, "bridge", "check", "--config", str(tmp_path / "nix.toml"))


# What a person types wrong, and what the answer must say in Chinese.
MISTAKES = {
    "nix": "没有命令 'nix'",
    "sit": "没有命令 'sit'。是不是想用 'site'？",
    "flash --bord x": "没有选项 --bord（相近的选项：",
    "flash --baud": "选项 '--baud' 需要一个值",
    "flash --stub=3": "选项 '--stub' 不带值",
    "flash --baud fast": "'--baud' 的值无效：应为整数",
    "bench bridge --devices 0": "'--devices' 的值无效：不得小于 1",
    "demo --scenario nix": "不在可选范围内：'box'",
    "doctor extra": "多出了参数（extra）",
    "site init": "缺少参数 'folder'",
    "site init x": "缺少选项 '--site'",
    "site": "用法：scanlatch site [选项] 命令 [参数]",
    "provision --help": "用法：scanlatch provision [选项]",
    "board check BROKEN.toml": "键后面应有“=”（第 1 行第 5 列）",
    "board check FOLDER.toml": "这是文件夹",
    "fleet list --config NONE.toml": "没有这个文件或文件夹",
    "site certificates BROKEN.toml": "不是文件夹",
    "labels sheet FOLDER.toml --site SITE": "",
    "calibrate --wait 0": "'--wait' 的值无效：不得小于 1",
    "provision --batch --site NONE.toml": "不是站点",
    "bridge outbox list --json --config NONE.toml": '{"event": "error", "status": 1, "text": "NONE.toml：无法读取',
    "bridge outbox list --json": '{"event": "error", "status": 2, "text": "缺少选项 ',
    "fleet list --json --config NONE.toml": '{"event": "error", "status": 1, "text": "NONE.toml：无法读取',
}
_TYPED = """
import io, json, sys
from scanlatch_tools import cli
said = {}
for line in json.loads(sys.argv[1]):
    sys.stdout = sys.stderr = io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        cli.main(line.split())
    except SystemExit as end:
        sys.stdout.seek(0)
        said[line] = [end.code, sys.stdout.read()]
sys.stdout = sys.__stdout__
print(json.dumps(said))
"""


def test_what_is_typed_wrong_is_told_in_chinese_and_in_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "BROKEN.toml").write_text("nix to see")
    (tmp_path / "FOLDER.toml").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _TYPED, json.dumps([*MISTAKES])],
        check=False, capture_output=True, text=True, timeout=120,
        env=_environment({"LC_ALL": "zh_CN.UTF-8"}), cwd=tmp_path,
    )  # fmt: skip
    assert not done.stderr
    told = json.loads(done.stdout)
    for line, wanted in MISTAKES.items():
        status, said = told[line]
        assert wanted in said, line
        assert not A_SENTENCE.search(re.sub("`[^`]*`|'[^']*'|scanlatch [a-z]+", "", said)), said
        assert "--json" not in line or json.loads(said)
        assert status == (0 if "--help" in line else 1 if ".toml" in line else 2), line


def test_the_c_locale_stays_english(tmp_path: Path) -> None:
    english = {"LC_ALL": "C", "LANGUAGE": "zh_CN"}
    assert not CHINESE.search(pages := _run(english, "--help"))
    assert "Make a site: CA, certificates, broker, bridge and ledger." in pages
    assert "no board 'nix'" in _run(english, "board", "check", "nix")


def test_a_screen_without_chinese_characters_gets_english() -> None:
    assert "no board 'nix'" in _run({"LANG": "zh_CN", "PYTHONIOENCODING": "latin-1"}, "board", "check", "nix")


def test_an_interrupt_while_a_command_begins_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_part: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    monkeypatch.setattr(cli, "speak", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main(["flash"])
    assert end.value.code == 130
    assert "the same command can be given again" in capsys.readouterr().err
