"""`--help` in Chinese: every flag has its text, in every script and in a copy of it, and English stays what it is."""

import dataclasses
import json
import re
import shutil
import typing

import pytest

from common import chinese_help
from common.command_line import display_width, parse_flags
from common.jobs import JobOptions
from common.lexicon.options import CorpusOptions
from common.options import EncoderOptions, PredictionOptions, RunOptions, RunPlace, TrainingOptions

import competition
from contests import ALL_SCRIPTS, CONTESTS, every_contest
from workshop import check_refusal, run_here, run_there, sample_of, succeeds

SHARED = (PredictionOptions, RunPlace, RunOptions, TrainingOptions, EncoderOptions, CorpusOptions, JobOptions)
COMMON_TEXTS = json.loads((competition.ROOT / "common/help.zh.json").read_text("utf-8"))


def texts_of(contest):
    return json.loads((sample_of(contest).parent / "help.zh.json").read_text("utf-8"))


def own_flags(config):
    """English texts of a script's flags without the shared ones, by name; None stands for a dataclass of the folder."""
    types, texts = typing.get_type_hints(config), chinese_help.docstrings_of(config)
    found = {}
    for field in dataclasses.fields(config):
        kind = types[field.name]
        if not dataclasses.is_dataclass(kind):
            found[field.name] = texts[field.name]
        elif kind not in SHARED:
            found |= {field.name: None, **own_flags(kind)}
    return found


def check_translation(english, chinese):
    """No test reads Chinese, but the numbers, flags and files of the English text must stand in it."""
    assert re.search("[一-鿿]", chinese)
    fixed = r"--[a-z-]+|[\w.*]+\.(?:json|tsv|txt|py)\b|\d[\d.]*(?:e-\d+)?(?<!\.)"
    assert [word for word in re.findall(fixed, english or "") if word not in chinese] == []


def scripts_in(folder):
    parsed = re.compile(r"parse_(training_)?flags\(Config")
    return {path.stem for path in folder.glob("*.py") if parsed.search(path.read_text("utf-8"))}


def shown(config, *argv, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_flags(config, ["--help", *argv])
    assert not stop.value.code
    return capsys.readouterr().out


def test_every_shared_flag_has_a_chinese_text_and_none_is_left_over():
    assert set(COMMON_TEXTS) == {"frame", *(config.__name__ for config in SHARED)}
    for config in SHARED:
        texts, english = COMMON_TEXTS[config.__name__], own_flags(config)
        inherited = {name for base in config.__bases__ if base in SHARED for name in own_flags(base)}
        assert set(texts) == {"", *english} - inherited
        for name in english.keys() - inherited:
            check_translation(english[name], texts[name])


@every_contest
def test_every_flag_has_a_chinese_text_and_none_is_left_over(contest):
    texts = texts_of(contest)
    assert set(texts) == scripts_in(sample_of(contest).parent) >= set(ALL_SCRIPTS)
    check_texts(contest.folder, texts)


def test_scripts_that_are_no_contests_speak_chinese_too():
    scripts = competition.ROOT / "scripts"
    check_texts(scripts, json.loads((scripts / "help.zh.json").read_text("utf-8")))


def check_texts(folder, texts):
    for script, chinese in texts.items():
        config = competition.load(folder, script).Config
        english = {"": config.__doc__, **own_flags(config)}
        assert set(chinese) == set(english), script
        for name in english:
            check_translation(english[name], chinese[name])


@every_contest
def test_both_languages_show_the_same_flags(contest, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for script in texts_of(contest):
        config = competition.load(contest.folder, script).Config
        english, chinese = (shown(config, "--language", language, capsys=capsys) for language in ("en", "zh"))
        flags = [re.findall(r"^(?:│ |  )(-.*?)(?:  .*| *│)?$", text, re.MULTILINE) for text in (english, chinese)]
        assert flags[0] == flags[1] and "--language {zh,en}" in flags[0]
        needed = re.findall(r" --\S+ \S+", chinese.split("\n")[0])
        assert english.count("(required)") == chinese.count("（必填）") == len(needed)
        assert " ".join(config.__doc__.split()) in " ".join(english.split()) and not re.search("[一-鿿]", english)
        # A path has no place to break it at, and usage shall be copied.
        assert [line for line in chinese.split("\n")[1:] if display_width(line) > 80 and "/" not in line] == []


def test_defaults_are_those_of_the_script_or_of_the_run(capsys):
    config = competition.load("lic2020_relation_extraction", "train").Config
    text = "".join(shown(config, "--language=zh", capsys=capsys).split())
    assert "训练数据过多少轮。" in text and "（默认：40）" in text
    assert "把实体换成同一类型的其他实体的句子所占的比例。0：不用。（默认：0.5）" in text
    with pytest.raises(SystemExit):
        parse_flags(config, ["--help", "--language", "zh"], config(entity_replacement=0.25))
    assert "0：不用。（默认：0.25）" in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("arguments", "environment", "is_chinese"), [
    ("", {}, False),
    ("", {"LANG": "zh_CN.UTF-8"}, True),
    ("", {"LANG": "en_US.UTF-8"}, False),
    ("", {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, False),
    ("", {"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, True),
    ("", {"LC_MESSAGES": "zh_CN", "LC_ALL": "en_US.UTF-8"}, False),
    ("", {"LC_ALL": "", "LANG": "zh_CN"}, True),
    ("", {"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, True),
    ("", {"LANGUAGE": "fr:en:zh", "LANG": "zh_CN.UTF-8"}, False),
    ("", {"LANGUAGE": "zh_CN", "LC_ALL": "C"}, False),
    ("--language zh", {"LC_ALL": "C"}, True),
    ("--language=en", {"LANG": "zh_CN.UTF-8"}, False),
])  # fmt: skip
def test_the_language_is_that_of_the_flag_or_of_the_locale(arguments, environment, is_chinese):
    assert chinese_help.is_chinese(arguments.split(), environment) == is_chinese


@every_contest
def test_language_is_a_flag_but_no_setting(contest):
    config = competition.load(contest.folder, "train").Config
    plain = parse_flags(config, ["--epochs", "3"])
    assert type(plain) is config and parse_flags(config, ["--language", "zh"], plain) == plain
    check_refusal(run_here(contest.folder, "evaluate", ["--language", "fr"]), "--language", "'fr'", "zh", "en")


def test_a_copy_speaks_chinese_too_and_english_where_it_was_changed(tmp_path, monkeypatch):
    copy = tmp_path / "mine"
    shutil.copytree(sample_of(CONTESTS[0]).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    script = copy / "evaluate.py"
    added = '    digits: int = 4\n    """How many\n    decimals."""\n    json: bool'
    script.write_text(script.read_text("utf-8").replace("    json: bool", added), "utf-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    for locale in ("zh_CN.UTF-8", "en_US.UTF-8"):
        monkeypatch.setenv("LC_ALL", locale)
        lines = [line.strip("│ ") for line in succeeds(run_there([script, "--help"], tmp_path)).out.split("\n")]
        is_chinese = locale.startswith("zh")
        assert lines[0].startswith("用法：" if is_chinese else "usage:")
        text = " ".join(" ".join(lines).split())
        assert ("--predictions PATH 提交文件：" in text) == is_chinese
        assert f"--digits INT How many decimals.{'（默认：4）' if is_chinese else ' (default: 4)'}" in text
