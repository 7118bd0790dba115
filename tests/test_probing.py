"""Perturbed masking: impacts against one pair at a time, words and trees against brute force, scripts/probe.py as a user
runs it."""

import itertools
import json
import sys

import numpy as np
import pytest

from common.analysis.perturbed_masking import (
    adjacent_impacts,
    arcs_of_heads,
    attachment_score,
    between_words,
    chain_of,
    impact_matrices,
    learned_threshold,
    neighbours_of,
    split_tree,
    strongest_arcs,
    threshold_of_share,
    word_sizes,
    words_of,
)
from common.lexicon.segmentation_score import segmentation_score
from common.tokenizers import Encoding

import competition
from helpers import mostly_slow, refused, write, write_lines
from hub_checkpoint import copy_checkpoint
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
from probe_gold import GoldText, read_gold  # noqa: E402
from probe_reading import Read, Rule, learned_rule, rule_of_share  # noqa: E402
from probed_network import probe_of, probed_encoder  # noqa: E402

GENERATOR = np.random.default_rng(1)
#: Ids of the tiny checkpoints, of several lengths.
TEXTS = [np.array([2, *GENERATOR.integers(5, 60, n), 3]) for n in (1, 2, 5, 3, 0)]
MASK = 4


# Impacts


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probing")
    return {family: copy_checkpoint(family, folder / family) for family in ("albert", "bert", "roformer")}


def slow_impacts(text, states_of):
    """[i, j] by the formula, each with two readings of its own."""
    n = len(text) - 2
    matrix = np.zeros((n, n))
    for i, j in itertools.permutations(range(n), 2):
        one, both = text.copy(), text.copy()
        one[i + 1] = both[i + 1] = both[j + 1] = MASK
        matrix[i, j] = np.sqrt(np.square(states_of(one)[i + 1] - states_of(both)[i + 1]).sum())
    return matrix


@pytest.mark.parametrize(
    "family", mostly_slow(["albert", "bert", "roformer"], "bert", reason="all have their states read alike")
)
def test_impacts_are_those_of_one_pair_at_a_time(family, checkpoints):
    encoder = probed_encoder(checkpoints[family], 0)
    network = encoder.network()

    def states_of(text):
        row = text[None].astype(np.int32)
        return network({"token_ids": row, "segment_ids": np.zeros_like(row)})[0].numpy()[0]

    probe = probe_of(encoder, 30)
    found = list(impact_matrices(TEXTS, MASK, probe))
    assert [matrix.shape for matrix in found] == [(n, n) for n in (1, 2, 5, 3, 0)]
    for text, matrix in zip(TEXTS, found):
        np.testing.assert_allclose(matrix, slow_impacts(text, states_of), rtol=1e-3, atol=1e-5)
    assert found[2][~np.eye(5, dtype=bool)].min() > 1e-3
    for matrix, adjacent in zip(found, adjacent_impacts(TEXTS, MASK, probe), strict=True):
        np.testing.assert_allclose(adjacent, neighbours_of(matrix), rtol=1e-4, atol=1e-6)
    again = list(impact_matrices(TEXTS, MASK, probe))
    assert all(np.array_equal(one, other) for one, other in zip(found, again))


BERT = pytest.param("bert", marks=pytest.mark.slow(reason="an ALBERT, whose layers are one, is the harder case"))


@pytest.mark.parametrize("family", ["albert", BERT])
def test_a_layer_is_that_of_the_whole_network(family, checkpoints):
    encoder = probed_encoder(checkpoints[family], 1)
    whole = probed_encoder(checkpoints[family], 0)
    rows = [{"token_ids": TEXTS[2].astype(np.int32), "places": np.array([1, 3], np.int32)}]
    [(_, states)], [(_, last)] = (list(probe_of(one, 100)(rows)) for one in (encoder, whole))
    model = whole.transformer().model
    name = "Transformer-FeedForward-Norm" if family == "albert" else "Transformer-0-FeedForward-Norm"
    from common.keras_compat import keras

    inner = keras.Model(model.inputs, model.get_layer(name).get_output_at(0))
    row = rows[0]["token_ids"][None]
    np.testing.assert_allclose(states[0], inner([row, 0 * row]).numpy()[0, [1, 3]], atol=1e-5)
    assert np.abs(states - last).max() > 0.01


def test_a_text_of_n_tokens_takes_2n_minus_1_rows_for_neighbours_and_all_pairs_once():
    asked = []

    def probe(rows):
        asked.extend(tuple(np.flatnonzero(row["token_ids"] == MASK)) for row in rows)
        assert all(set(row["places"]) == {*np.flatnonzero(row["token_ids"] == MASK)} for row in rows)
        yield range(len(rows)), np.zeros((len(rows), 2, 3))

    list(adjacent_impacts(TEXTS[2:3], MASK, probe))
    assert sorted(asked) == sorted([(i,) for i in range(1, 6)] + [(i, i + 1) for i in range(1, 5)])
    asked.clear()
    list(impact_matrices(TEXTS[2:3], MASK, probe))
    assert sorted(asked) == sorted([(i,) for i in range(1, 6)] + [*itertools.combinations(range(1, 6), 2)])


# Words


def test_words_end_where_the_pull_is_weak_and_at_blanks():
    text, offsets = " 一二 AB三 ", np.array([[1, 2], [2, 3], [4, 6], [6, 7]])
    for together, sizes, words in (
        ([True, True, True], [2, 2], [" 一二 ", "AB三 "]),
        ([False, False, False], [1, 1, 1, 1], [" 一", "二 ", "AB", "三 "]),
        ([True, False, False], [2, 1, 1], [" 一二 ", "AB", "三 "]),
    ):
        assert word_sizes(offsets, np.array(together)) == sizes and words_of(text, offsets, sizes) == words
    # Tokens that share a character are one word in any case.
    assert word_sizes(np.array([[0, 1], [0, 1], [1, 2]]), np.array([False, False])) == [2, 1]
    assert words_of("", np.zeros((0, 2), int), []) == [""]


def random_texts(generator):
    """Texts of letters, their words, and a pull that knows a little of them."""
    gold, pulls = [], []
    for _ in range(int(generator.integers(1, 8))):
        sizes = generator.integers(1, 4, int(generator.integers(1, 6)))
        text = iter("abcdefghijklmnopqrst")
        gold.append(["".join(itertools.islice(text, size)) for size in sizes])
        together = ~np.isin(np.arange(1, sizes.sum()), np.cumsum(sizes))
        pulls.append(np.round(together + generator.normal(size=len(together)), 1))
    return gold, pulls


@pytest.mark.parametrize("seed", range(20))
def test_the_learned_threshold_is_the_best(seed):
    gold, pulls = random_texts(np.random.default_rng(seed))
    together = [~np.isin(np.arange(1, len("".join(words))), np.cumsum([*map(len, words)])) for words in gold]

    def f1(threshold):
        found = []
        for words, pull in zip(gold, pulls):
            offsets = np.stack([np.arange(len(pull) + 1), np.arange(1, len(pull) + 2)], 1)
            found.append(words_of("".join(words), offsets, word_sizes(offsets, pull >= threshold)))
        return segmentation_score(gold, found)["f1"]

    every = np.concatenate(pulls)
    if len(every):
        assert f1(learned_threshold(pulls, together)) == max(map(f1, every))


def test_a_share_of_the_neighbours_is_kept_together():
    pulls = [np.array([1.0, 5.0]), np.array([2.0, 4.0, 3.0]), np.zeros(0)]
    every = np.concatenate(pulls)
    assert [(every >= threshold_of_share(pulls, share)).sum() for share in (0, 0.4, 1)] == [1, 2, 5]
    assert threshold_of_share([np.zeros(0)], 0.4) == np.inf


# Trees


def slow_split(matrix, start=0):
    """The brackets by the words of the definition."""
    n = len(matrix)
    if n < 2:
        return set()

    def gain(k):
        return matrix[:k, :k].mean() + matrix[k:, k:].mean() - matrix[:k, k:].mean() - matrix[k:, :k].mean()

    k = max(range(1, n), key=lambda k: round(gain(k), 9))
    return {(start, start + n)} | slow_split(matrix[:k, :k], start) | slow_split(matrix[k:, k:], start + k)


def test_a_part_is_cut_where_its_halves_mean_least_to_each_other():
    for _ in range(200):
        n = int(GENERATOR.integers(0, 9))
        matrix = np.round(GENERATOR.random((n, n)) * (1 - np.eye(n)), 1 + int(GENERATOR.integers(6)))
        assert split_tree(matrix) == slow_split(matrix)
    blocks = np.kron(np.eye(2), np.ones((2, 2)))
    assert split_tree(blocks) == {(0, 4), (0, 2), (2, 4)}


def test_impacts_between_words_are_means_over_their_tokens():
    matrix = GENERATOR.random((6, 6))
    words = [slice(0, 2), slice(2, 3), slice(3, 6)]
    expected = [[0 if one == other else matrix[one, other].mean() for other in words] for one in words]
    np.testing.assert_allclose(between_words(matrix, [2, 1, 3]), expected)
    assert between_words(np.zeros((0, 0)), []).shape == (0, 0)
    for sizes in ([2, 3], [6, 0], [3, 0, 3]):
        with pytest.raises(ValueError, match="each word must have a token"):
            between_words(matrix, sizes)


def trees_of(n):
    """All sets of arcs that connect n words."""
    for arcs in itertools.combinations(itertools.combinations(range(n), 2), n - 1):
        groups = {word: word for word in range(n)}
        for a, b in arcs:
            groups = {word: groups[a] if group == groups[b] else group for word, group in groups.items()}
        if len(set(groups.values())) == 1:
            yield frozenset(arcs)


@pytest.mark.parametrize("n", range(5))
def test_the_strongest_arcs_are_those_of_the_best_tree(n):
    for _ in range(30):
        matrix = GENERATOR.random((n, n))
        weights = matrix + matrix.T
        best = max(trees_of(n), key=lambda arcs: sum(weights[arc] for arc in arcs)) if n else frozenset()
        assert strongest_arcs(matrix) == best


def test_arcs_of_heads_have_no_direction_and_no_punctuation():
    heads, kept = [2, 0, 2, 5, 3], [True, True, False, True, True]
    assert arcs_of_heads(heads, [True] * 5) == {(0, 1), (1, 2), (3, 4), (2, 4)}
    assert arcs_of_heads(heads, kept) == {(0, 1), (2, 3)}
    assert chain_of(3) == {(0, 1), (1, 2)} and chain_of(1) == chain_of(0) == frozenset()
    gold = [frozenset({(0, 1), (1, 2)}), frozenset({(0, 1)}), frozenset()]
    assert attachment_score(gold, map(chain_of, (2, 2, 5))) == 2 / 3 and attachment_score([], []) == 0


# What was found


def test_neighbours_of_strong_or_of_weak_impact_are_kept_together():
    tokens = Encoding(np.arange(4), np.array([[0, 1], [1, 2], [2, 3], [3, 5]]))
    one = Read("一丁七AB", tokens, np.zeros(3, bool), np.array([[1.0, 3], [6, 4], [3, 3]]), None)
    assert one.words(Rule(3, "strong")) == ["一", "丁七AB"] and one.words(Rule(3, "weak")) == ["一丁", "七AB"]
    continued = one._replace(continued=np.array([False, False, True]))
    assert continued.words(Rule(9, "strong")) == ["一", "丁", "七AB"]
    assert continued.words(Rule(2, "weak")) == ["一丁", "七AB"]
    gold = {"strong": np.array([False, True, False]), "weak": np.array([True, False, False])}
    for keep, together in gold.items():
        for rule in (rule_of_share([one], 0.34, keep), learned_rule([one], [together], keep)):
            assert (one.pull(keep) >= (rule.threshold if keep == "strong" else -rule.threshold)).tolist() == [*together]
            assert rule.keep == keep and 2 <= rule.threshold <= 5
    assert str(Rule(3.21, "weak")) == "impact of 3.21 and less"


# Gold


def test_gold_knows_the_characters_of_each_word():
    one = GoldText(["买", "iPhone", "12", "，", "好"], [0, 1, 2, 1, 1])
    assert one.text == "买iPhone 12，好" and one.begins == [0, 1, 8, 10, 11]
    assert one.kept.tolist() == [True, True, True, False, True]
    tokens = np.array([[0, 1], [1, 2], [2, 7], [8, 10], [10, 11], [11, 12]])
    assert one.sizes(tokens) == [1, 2, 1, 1, 1] and one.together(tokens).tolist() == [False, True, False, False, False]
    assert GoldText(["５", "G网"], None).sizes(np.array([[0, 2], [2, 3]])) is None  # "5g" is one token
    assert GoldText(["\u200b", "好"], None).sizes(np.array([[1, 2]])) is None
    assert GoldText(["好"], None).sizes(np.zeros((0, 2), int)) is None


def test_gold_that_is_none_is_refused(tmp_path):
    path = tmp_path / "gold"
    for rows, words in (
        ([{"seg": "一 二"}, {"seg": " "}], ":2: has no word"),
        ([{"seg": 5}], ':1: "seg"'),
        ([{"seg": "一 二"}, {"words": ["一"], "heads": [0]}], "one kind"),
        ([{"words": ["一", "二"], "heads": [0]}], ":1: 2 words and 1 heads"),
        ([{"words": [], "heads": []}], ":1: 0 words"),
        ([{"words": ["一", " "], "heads": [0, 1]}], ":1: a word is blank"),
        ([{"words": ["一", "二"], "heads": [2, 1]}], ":1: word 1 hangs on itself"),
        ([{"words": ["一"], "heads": ["0"]}], ':1: "heads[0]"'),
        (["一 二"], ":1: not JSON"),
    ):
        write_lines(path, rows)
        refused(lambda: read_gold(path), f"{path}{words}" if words[0] == ":" else words)


# The script


@pytest.fixture(scope="module", autouse=True)
def networks_built_once():
    """A network takes seconds to build, and the tiny checkpoints stay the same."""
    module = competition.load(SCRIPTS, "probed_network")
    build, built = module.probe_of, {}

    def build_once(encoder, batch_tokens):
        key = encoder.model, encoder.config["num_hidden_layers"]
        if key not in built:
            built[key] = build(encoder, batch_tokens)
        return built[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "probe_of", build_once)
        yield


def probe(*flags):
    return run_here(SCRIPTS, "probe", flags)


def test_words_and_trees_are_printed(checkpoints, tmp_path):
    done = succeeds(probe("--pretrained", checkpoints["bert"], "--text", "一丁 七丈三"))
    words, tree = done.out.splitlines()[-4:-2]
    words, _, rule = words.partition("   (impact of ")
    assert float(rule.removesuffix(" and more)")) > 0
    assert "".join(words.split()) == "一丁七丈三" and "丁七" not in words and "1 texts, 15 rows in" in done.out
    assert tree.replace("(", "").replace(")", "") == words and tree.count("(") == len(words.split()) - 1
    for threshold, words in ((0, "一丁 七丈三"), (1e9, "一 丁 七 丈 三")):
        flags = ["--pretrained", checkpoints["bert"], "--threshold", threshold]
        assert (
            f"\n{words}   (impact of {threshold:.4g} and more)\n"
            in succeeds(probe(*flags, "--text", "一丁 七丈三")).out
        )
    lines = write(tmp_path / "lines", "一丁\n七丈三上下不与丐\n\n一丁\n")
    printed = succeeds(probe(*flags, "--input", lines, "--max-length", 7)).out
    assert "left out  1 of 3 texts" in printed and printed.count("\n一 丁   (impact of 1e+09 and more)\n(一 丁)\n") == 2


def test_gold_is_scored_beside_simple_ways(checkpoints, tmp_path):
    cut = write_lines(
        tmp_path / "cut", [{"seg": "一丁 七"}, {"seg": "丈 三上"}, {"seg": "下不 与 丐"}, {"seg": "一 丁"}]
    )
    flags = ["--pretrained", checkpoints["albert"], "--gold"]
    done = succeeds(probe(*flags, cut, "--most", 3, "--shown", 1))
    rows = {" ".join(line.split()[:-3]): line.split()[-3:] for line in done.out.splitlines()}
    single = 2 * 4 / (10 + 7)  # 七, 丈, 与 and 丐 are right, of 10 that are said and 7 that are wanted
    assert rows["single characters"][0] == f"{single:.4f}" and "jieba" in rows and "3 texts, 17 rows" in done.out
    assert rows.keys() >= {"strong, learned", "weak, learned"}
    assert "learned on all of them: --keep strong --threshold" in done.out
    given = succeeds(probe(*flags, cut, "--threshold", 1e9)).out
    assert "learned" not in given and "impact of 1e+09 and more" in given

    sentences = [
        {"words": ["一", "丁七", "，", "丈", "三上"], "heads": [2, 0, 2, 5, 2]},
        {"words": ["下", "不", "与"], "heads": [2, 0, 2]},
    ]
    printed = succeeds(probe(*flags, write_lines(tmp_path / "trees", sentences))).out
    assert "F1 of 1 trees" in printed and "arcs of 2 sentences" in printed
    right, chain = (
        next(line.split() for line in printed.splitlines() if line.startswith(name)) for name in ("right", "each word")
    )
    # Gold has (丈 三上) in 一 丁七 丈 三上, and nothing in the other; an arc is from 丁七 to 三上.
    assert right[1:] == ["0.6667", "0.6667"] and chain[-1] == "0.8000"
    assert printed.count("(") > 4


def test_what_is_returned_can_be_kept(checkpoints, tmp_path):
    sentences = [
        {"words": ["一丁", "七", "丈三"], "heads": [2, 0, 2]},
        {"words": ["下", "不", "与", "丐"], "heads": [2, 3, 0, 3]},
    ]
    flags = ["--pretrained", checkpoints["bert"], "--gold", write_lines(tmp_path / "gold", sentences)]
    scores = competition.main(SCRIPTS, "probe", flags)
    assert scores["trees"]["arcs"]["each word to the next"] == 1 and 0 <= scores["trees"]["arcs"]["random"] <= 1
    assert scores["trees"]["f1"].keys() == {"perturbed masking", "left", "right", "balanced", "random"}
    assert json.loads(json.dumps(scores))["words"]["jieba"]["f1"] <= 1
    [found] = competition.main(SCRIPTS, "probe", [*flags[:2], "--text", "一丁七"])["texts"]
    assert "".join(found["words"]) == "一丁七" and (0, len(found["words"])) in found["brackets"]


def test_what_cannot_be_probed_is_refused(checkpoints, tmp_path):
    flags = ["--pretrained", checkpoints["bert"]]
    check_refusal(probe(*flags), "--text, --input or --gold")
    check_refusal(probe(*flags, "--text", " "), "--text: is blank")
    check_refusal(probe(*flags, "--text", "一", "--input", "x"), "--text, --input or --gold")
    check_refusal(probe(*flags, "--text", "一", "--layer", 9), "--layer 9: must be at most")
    check_refusal(probe(*flags, "--text", "一丁七", "--max-length", 2), "--text 一丁七", "1 to 2 tokens")
    check_refusal(probe("--pretrained", tmp_path, "--text", "一"), tmp_path)
    assert probe(*flags, "--input", tmp_path / "none").code == 2
