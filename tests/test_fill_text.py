"""scripts/fill_text.py: texts of tiny checkpoints with a head of a masked language model, and what it refuses."""

import sys

import numpy as np
import pytest

from common.encoders.bert import BertEncoder
from common.pretraining.model import build_network

import competition
from helpers import write
from hub_checkpoint import VOCABULARY, copy_checkpoint, read_tensors, write_tensors
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
from masked_writing import conditionals_of, encoder_with_head, never_written, text_of  # noqa: E402
from required_words import fit, put, runs_of  # noqa: E402

FAST = ["--steps", 30, "--burn-in", 10, "--thinning", 10, "--chains", 5]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return copy_checkpoint("bert", tmp_path_factory.mktemp("fill") / "bert")


def fill(*flags):
    return run_here(SCRIPTS, "fill_text", flags)


def texts_in(done) -> list[str]:
    return succeeds(done).out.split("\n\n")[0].splitlines()[1:]  # the first line says which weights they are


def test_blanks_are_filled_and_the_rest_stays(checkpoint):
    flags = ["--pretrained", checkpoint, "--text", "一丁[MASK][MASK]七[MASK]", *FAST]
    done = fill(*flags)
    texts = texts_in(done)
    assert len(texts) == 10 and "10 texts, " in done.out and "30 steps of 5 chains" in done.out
    assert {text[:2] + text[4] for text in texts} == {"一丁七"} and {len(text) for text in texts} == {6}
    assert len(set(texts)) > 5 and not set("".join(texts)) & set("[]")
    assert texts_in(fill(*flags)) == texts != texts_in(fill(*flags, "--seed", 2))


@pytest.mark.parametrize("flag", [["--model", "mlm"], ["--model=mlm"]])
def test_write_text_does_the_same(flag, checkpoint):
    flags = ["--pretrained", checkpoint, "--text", "一丁[MASK][MASK]七", *FAST]
    assert texts_in(run_here(SCRIPTS, "write_text", [*flags[:2], *flag, *flags[2:]])) == texts_in(fill(*flags))


@pytest.mark.parametrize("family", ["albert", "roformer", "roformer_v2"])
def test_other_families_write_too_and_keep_required_words(family, tmp_path):
    folder = copy_checkpoint(family, tmp_path / family)
    flags = ["--pretrained", folder, "--length", 7, "--require", "万丈", "三", "丈", *FAST, "--order", "sweep"]
    texts = texts_in(fill(*flags))
    assert all("万丈" in text and "三" in text and len(text) == 7 for text in texts) and len(set(texts)) > 5


def test_the_network_is_asked_for_what_it_hides(checkpoint):
    encoder = encoder_with_head(checkpoint)
    conditionals = conditionals_of(encoder)
    texts = np.array([[2, 10, 11, 12, 3], [2, 10, 40, 12, 3], [2, 10, 11, 13, 3]])
    said = conditionals(texts, np.array([2, 2, 2]))
    np.testing.assert_allclose(np.exp(said).sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(said[0], said[1], atol=1e-6)  # whatever stands there
    assert np.abs(said[0] - said[2]).max() > 0.1
    network, _ = build_network(BertEncoder.from_checkpoint(checkpoint, 12))
    tokens = np.array([[2, 10, 4, 12, 3]], np.int32)
    inputs = {"token_ids": tokens, "segment_ids": 0 * tokens, "hidden_places": np.array([[2]], np.int32)}
    logits = network(inputs)["logits"].numpy()[0, 0]
    np.testing.assert_allclose(said[0], logits - np.log(np.exp(logits).sum()), atol=1e-5)


def test_special_tokens_and_inner_ideographs_are_never_written(tmp_path):
    folder = copy_checkpoint("bert", tmp_path / "bert")
    vocabulary = [*VOCABULARY[:57], "[unused1]", "##七", "##ing"]
    write(folder / "vocab.txt", "\n".join(vocabulary))
    assert [vocabulary[token] for token in never_written(encoder_with_head(folder))] == [
        *vocabulary[:5],
        "[unused1]",
        "##七",
    ]


def test_latin_words_stand_apart():
    assert text_of(["天", "ok", "##ay", "2", "!"], ["GPT ", "", "", "", "x", "3"]) == "GPT 天okay 2 x!3"
    assert text_of(["b"], ["a", "c"]) == "a b c"


def test_words_stand_side_by_side_wherever_they_fit():
    free = np.array([0, 1, 1, 1, 0, 1, 1, 0, 1], bool)
    runs = runs_of(free)
    assert [list(run) for run in runs] == [[1, 2, 3], [5, 6], [8]]
    words = [[7], [9, 9], [8, 8, 8]]
    found = set()
    for seed in range(20):
        text = np.zeros(9, int)
        put(words, runs, text, np.random.default_rng(seed))
        found.add(tuple(text.tolist()))
    assert found == {(0, 8, 8, 8, 0, 9, 9, 0, 7)}
    found = set()
    for seed in range(60):
        text = np.zeros(9, int)
        put(words[:2], runs, text, np.random.default_rng(seed))
        assert sorted(text.tolist()) == [0] * 6 + [7, 9, 9] and not text[~free].any()
        found.add(tuple(text.tolist()))
    assert len(found) > 8
    assert not fit([[7], [7, 7], [9, 9], [5, 5]], runs) and fit([[7]] * 6, runs) and not fit([[7]] * 7, runs)
    assert not fit([[7, 7]] * 30, [range(3)] * 29), "answered at once"


def test_what_it_cannot_write_is_refused_in_one_line(checkpoint, tmp_path):
    headless = copy_checkpoint("bert", tmp_path / "headless")
    write_tensors(
        headless, {name: value for name, value in read_tensors(headless).items() if "predictions" not in name}
    )
    given = ["--pretrained", checkpoint]
    for flags, words in (
        (["--pretrained", headless, "--length", 3], ["--pretrained", headless, "no head", "scripts/pretrain.py"]),
        (["--pretrained", copy_checkpoint("electra", tmp_path / "electra"), "--length", 3], ["no head"]),
        (["--pretrained", tmp_path / "nothing", "--length", 3], ["nothing"]),
        ([*given], ["--text or --length"]),
        ([*given, "--length", 3, "--text", "[MASK]"], ["--text or --length"]),
        ([*given, "--length", 0], ["--length 0", "at least 1"]),
        ([*given, "--text", "一丁"], ["--text 一丁", "no blank"]),
        ([*given, "--text", "一龘[MASK]"], ["--text 一龘", "no '龘'"]),
        ([*given, "--length", 11], ["--length 11", "11 tokens", "places for 10"]),
        ([*given, "--text", "一" * 10 + "[MASK]"], ["--text", "11 tokens", "places for 10"]),
        ([*given, "--length", 3, "--require", "龘"], ["--require 龘", "no '龘'"]),
        ([*given, "--length", 3, "--require", " "], ["--require ' '", "blank"]),
        ([*given, "--length", 3, "--require", "一丁", "七七"], ["--require 一丁 七七", "4 tokens", "(3)"]),
        ([*given, "--text", "[MASK]一[MASK]", "--require", "丁丁"], ["--require 丁丁", "2 tokens", "(1 + 1)"]),
        ([*given, "--length", 3, "--steps", 100], ["--steps 100", "400"]),
        ([*given, "--length", 5, "--burn-in", 1, "--thinning", 3], ["--burn-in 1", "4 steps", "5 blanks"]),
        ([*given, "--length", 3, "--temperature", 0], ["--temperature 0", "above 0"]),
    ):
        check_refusal(fill(*flags), *words)
