"""A trained segmenter in jieba's place: it cuts texts, in 32 bits whatever else computes in, and a run keeps it."""

import shutil

import pytest

import common.tokenizers.segmentation as segmentation
from common.encoders import build_encoder, load_encoder, save_encoder
from common.keras_compat import keras, set_precision
from common.lexicon.pseudo_sentences import CHARACTERS
from common.lexicon.segmenter import Segmenter, build_network
from common.options import EncoderOptions
from common.runs.directory import SEGMENTATION, create_run, open_run
from common.runs.weights import named_values, save_arrays
from common.submission import json_bytes
from common.tokenizers.segmentation import segment, segment_all, segmenter_in_use, use_words
from common.tokenizers.words import normal_form, words_of

import competition
from contests import EVENT_EXTRACTION, RELATION_EXTRACTION, in_default
from helpers import refused
from workshop import check_refusal, run_here, succeeds

TEXT = "山上的灯照亮了河流，GPT4"
FILES = ["best.weights.h5", CHARACTERS, "config.json"]


@pytest.fixture(autouse=True)
def jieba_alone():
    yield
    set_precision("no")
    use_words([])


@pytest.fixture
def trained(tmp_path):
    """A run of random weights, whose words are not those of jieba."""
    characters = sorted(set(TEXT) - set("，GPT4"))
    keras.utils.set_random_seed(5)
    network = build_network(len(characters), 8, 2, dropout=0.0)
    network.get_layer("character_embedding").set_weights(
        [50 * network.get_layer("character_embedding").get_weights()[0]]
    )
    run = create_run(SEGMENTATION, tmp_path, "cutter")
    (run.path / CHARACTERS).write_bytes(json_bytes(characters))
    save_arrays(run.best_weights, {"model": named_values(network.weights)})
    settings = {"hidden_size": 8, "layers": 2}
    run.write_json("config.json", {**run.config, "settings": settings})
    return run.path


def cut(text):
    return [text[start:end] for start, end in segment(text)]


def test_it_cuts_in_place_of_jieba(trained):
    """Alone, many at a time and under the encoders' words; what jieba said is forgotten, and comes back."""
    by_jieba = cut(TEXT), words_of(TEXT).strings
    segmenter = Segmenter.of(open_run(trained, SEGMENTATION))
    segmentation.use_segmenter(segmenter)
    [expected] = segmenter.cut([TEXT])
    assert "".join(expected) == TEXT and expected != by_jieba[0]
    assert cut(TEXT) == words_of(TEXT).strings == expected
    texts = [TEXT[place:] for place in range(len(TEXT))] * 200
    for text, ranges in zip(texts, segment_all(texts, processes=2)):
        assert [text[start:end] for start, end in ranges] == segmenter.cut([text])[0]
    use_words([])
    assert (cut(TEXT), words_of(TEXT).strings) == by_jieba


def test_it_computes_in_32_bits(trained):
    run = open_run(trained, SEGMENTATION)
    exact = Segmenter.of(run)
    set_precision("bfloat16")
    again = Segmenter.of(run)
    assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    assert not any("float16" in layer.compute_dtype for layer in again.network.layers)
    assert again.cut([TEXT * 9]) == exact.cut([TEXT * 9])


def test_a_run_keeps_it(trained, tmp_path):
    build_encoder(EncoderOptions(segmenter=trained), [TEXT] * 3)
    first, words = segmenter_in_use(), cut(TEXT)
    encoder = build_encoder(EncoderOptions(segmenter=trained), [TEXT] * 3)
    assert segmenter_in_use() is first and set(map(normal_form, words)) <= set(encoder.words.words)
    (tmp_path / "run").mkdir()
    save_encoder(encoder, tmp_path / "run")
    build_encoder(EncoderOptions(), [TEXT] * 3)
    assert segmenter_in_use() is None and cut(TEXT) != words
    shutil.rmtree(trained)
    load_encoder(tmp_path / "run")
    assert cut(TEXT) == words
    assert sorted(path.name for path in (tmp_path / "run/segmenter").iterdir()) == sorted(FILES)
    use_words([])
    kept = open_run(tmp_path / "run/segmenter", SEGMENTATION)
    kept.write_json("config.json", {**kept.config, "settings": {"hidden_size": 4096, "layers": 4096}})
    refused(lambda: load_encoder(tmp_path / "run"), "run/segmenter", "more weights")
    kept.write_json(CHARACTERS, [1])
    refused(lambda: load_encoder(tmp_path / "run"), CHARACTERS)


@in_default(RELATION_EXTRACTION, reason="all use the same encoders")
def test_a_contest_trains_and_answers_with_it(contest, trained, tmp_path):
    """Without its run, once that of the contest is there."""
    flags = [*contest.tiny, "--segmenter", trained, "--output-dir", tmp_path, "--run-name", "one"]
    succeeds(run_here(contest.folder, "train", flags))
    words = cut(TEXT)
    shutil.rmtree(trained)
    use_words([])
    assert cut(TEXT) != words
    [run] = tmp_path.glob("*/one")
    sample = competition.COMPETITIONS / contest.folder / "sample"
    flags = ["--run", run, "--input", sample / "test.json", "--output", tmp_path / "out.json"]
    succeeds(run_here(contest.folder, "predict", flags))
    assert cut(TEXT) == words
    succeeds(run_here(contest.folder, "train", ["--resume", "--run-name", "one", "--output-dir", tmp_path]))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--segmenter", "nowhere"], ["nowhere", "no run directory"]),
        (["--segmenter", "x", "--dictionary", "words.tsv"], ["--dictionary words.tsv", "--segmenter"]),
        (["--segmenter", "x", "--pretrained-light", "y"], ["--pretrained-light y", "--segmenter"]),
    ],
)
def test_mistakes_are_one_line(flags, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_refusal(run_here(EVENT_EXTRACTION.folder, "train", [*EVENT_EXTRACTION.tiny, *flags]), *words)
    assert not any(tmp_path.iterdir())
