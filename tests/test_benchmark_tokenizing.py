"""What measures the speed of finding tokens and words."""

import sys

import pytest

import competition
from competition import ROOT

FOLDER = "webqa_dgcnn"
sys.path.insert(0, str(ROOT / "scripts"))
import benchmark  # noqa: E402

with competition.inside(FOLDER):
    import text_features


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    few = str(ROOT / "competitions" / FOLDER / "sample" / "dev.json")
    with competition.inside(FOLDER):
        yield lambda: benchmark.main(["tokenizing", "--input", few, "--characters", "2000", "--repeats", "1"])


def test_the_benchmark(measure, capsys):
    speeds = measure()
    assert len(speeds) == 8 and all(speed > 0 for speed in speeds.values())
    lines = capsys.readouterr().out.splitlines()[-8:]
    assert [line.split("  ")[0] for line in lines] == list(speeds)
    assert lines[0].endswith(f" {speeds[text_features.TABLE] / speeds[text_features.BARE]:.2f}")
    assert lines[5].endswith(f" {speeds[text_features.WORDS] / speeds[text_features.JIEBA]:.2f}")
    assert lines[7].endswith(f"{speeds[text_features.PASSAGES]:,.0f} passages")


def test_texts_are_repeated_up_to_a_number_of_characters():
    examples = text_features.read(ROOT / "competitions" / FOLDER / "sample" / "dev.json")
    for characters in (1, 50, 50_000):
        texts = list(text_features.texts_of(examples, characters))
        assert sum(map(len, texts[:-1])) < characters <= sum(map(len, texts))
        assert texts[0] == examples[0].question


@pytest.mark.parametrize("name", ["LIBRARY", "WORDS"])
def test_other_tokens_or_words_stop_the_benchmark(name):
    encoder = text_features.encoder_of(["北京大学2015年"])
    ways = text_features.ways_of(encoder.tokenizer)
    text_features.check_equal(ways, ["北京大学2015年"])
    way = getattr(text_features, name)
    ways[way] = lambda text, right=ways[way]: right(text[:-1])
    with pytest.raises(RuntimeError, match="has other"):
        text_features.check_equal(ways, ["北京大学2015年"])
