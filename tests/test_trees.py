"""common/analysis/trees.py against recursion and brute force."""

import subprocess
import sys

import numpy as np
import pytest

from common.analysis.trees import (
    balanced,
    bracket_f1,
    bracketed,
    dependency_brackets,
    left_branching,
    only,
    random_tree,
    read_bracketed,
    right_branching,
    tree_of_distances,
)

GENERATOR = np.random.default_rng(1)


def nested(words, distances):
    """The tree by the words of the definition, as lists in lists."""
    if len(words) < 2:
        return words[0]
    at = max(range(len(words)), key=lambda place: distances[place])
    right = [words[at], nested(words[at + 1 :], distances[at + 1 :])] if at + 1 < len(words) else words[at]
    return [nested(words[:at], distances[:at]), right] if at else right


def brackets_of(tree, start=0):
    """(end, brackets)"""
    if not isinstance(tree, list):
        return start + 1, set()
    end, found = start, set()
    for part in tree:
        end, inner = brackets_of(part, end)
        found |= inner
    return end, found | {(start, end)}


def is_binary(brackets, length):
    """As many brackets as a binary tree has, and none crosses another."""
    crossing = any(a < c < b < d for a, b in brackets for c, d in brackets)
    return len(brackets) == max(0, length - 1) and not crossing


@pytest.mark.parametrize("values", [3, 100])  # few: with equal ones
def test_trees_of_distances_against_recursion(values):
    for _ in range(200):
        length = int(GENERATOR.integers(1, 12))
        distances = GENERATOR.integers(values, size=length)
        words = list(range(length))
        found = tree_of_distances(distances)
        assert found == brackets_of(nested(words, distances))[1] and is_binary(found, length)


def test_a_tree_known_by_hand():
    words, distances = "the big dog saw a cat".split(), [0.3, 0.1, 0.2, 0.9, 0.4, 0.1]
    assert bracketed(words, tree_of_distances(distances)) == "((the (big dog)) (saw (a cat)))"
    assert bracketed(words, tree_of_distances([1, 2, 3, 4, 5, 6])) == "(((((the big) dog) saw) a) cat)"
    assert bracketed(words, tree_of_distances([6, 5, 4, 3, 2, 1])) == "(the (big (dog (saw (a cat)))))"


def test_no_words_and_one_word_have_no_brackets():
    for make in (tree_of_distances, dependency_brackets):
        assert make([]) == make([0]) == frozenset()
    for make in (left_branching, right_branching, balanced, lambda length: random_tree(length, GENERATOR)):
        assert make(0) == make(1) == frozenset() and make(2) == {(0, 2)}


@pytest.mark.parametrize("distances", [[0.1, float("nan")], [float("inf"), 0], [[1, 2]]])
def test_what_is_no_distance_is_refused(distances):
    with pytest.raises(ValueError, match="finite numbers, one for each word"):
        tree_of_distances(distances)


def test_simple_trees_are_binary_and_lean_as_they_say():
    for length in range(1, 40):
        for tree in (left_branching(length), right_branching(length), balanced(length), random_tree(length, GENERATOR)):
            assert is_binary(tree, length) and (length < 2 or (0, length) in tree)
    assert left_branching(4) == {(0, 2), (0, 3), (0, 4)} and right_branching(4) == {(0, 4), (1, 4), (2, 4)}
    assert balanced(5) == {(0, 5), (0, 2), (2, 5), (3, 5)}


def test_random_trees_cut_everywhere_and_come_back_with_the_seed():
    trees = [random_tree(4, np.random.default_rng(seed)) for seed in range(300)]
    assert trees == [random_tree(4, np.random.default_rng(seed)) for seed in range(300)]
    in_the_middle = sum({(0, 2), (2, 4)} <= tree for tree in trees)
    assert len(set(trees)) == 5 and 70 < in_the_middle < 130


def slow_dependencies(heads):
    """Of each word all words from which its heads lead there."""

    def leads_to(word, above):
        for _ in heads:
            if word == above:
                return True
            if not word:
                return False
            word = heads[word - 1]
        return word == above

    length, found = len(heads), set()
    for above in range(1, length + 1):
        below = [word for word in range(1, length + 1) if leads_to(word, above)]
        if below == list(range(below[0], below[-1] + 1)) and len(below) > 1:
            found.add((below[0] - 1, below[-1]))
    return found | ({(0, length)} if length > 1 else set())


def random_heads(length):
    """Of any tree, or of a few: a word hangs on one that comes earlier in some order."""
    order = GENERATOR.permutation(length) + 1
    heads = [0] * length
    for place, word in enumerate(order[1:], 1):
        heads[word - 1] = int(order[GENERATOR.integers(place)]) if GENERATOR.random() < 0.9 else 0
    return heads


def test_dependencies_against_brute_force():
    for _ in range(300):
        heads = random_heads(int(GENERATOR.integers(1, 10)))
        assert dependency_brackets(heads) == slow_dependencies(heads)
    assert dependency_brackets([2, 0, 2]) == {(0, 3)}
    assert dependency_brackets([3, 0, 2]) == {(0, 3)}, "word 3 and what hangs on it do not stand together"


@pytest.mark.parametrize(
    ("heads", "words"),
    [
        ([0, 3], "the head of word 2 is 3"),
        ([-1], "the head of word 1 is -1"),
        ([2, 1], "word 1 hangs on itself"),
        ([0, 3, 2], "word 2 hangs on itself"),
        ([1], "word 1 hangs on itself"),
    ],
)
def test_heads_that_make_no_tree_are_refused(heads, words):
    with pytest.raises(ValueError, match=words):
        dependency_brackets(heads)


def test_words_that_are_left_out_take_their_places_with_them():
    for _ in range(200):
        length = int(GENERATOR.integers(1, 10))
        tree, kept = random_tree(length, GENERATOR), GENERATOR.random(length) < 0.7
        places = np.flatnonzero(kept).tolist()
        expected = set()
        for start, end in tree:
            inside = [number for number, place in enumerate(places) if start <= place < end]
            if len(inside) > 1:
                expected.add((inside[0], inside[-1] + 1))
        found = only(tree, kept)
        assert found == expected and is_binary(found, len(places))


def test_what_is_printed_is_read_again():
    for _ in range(200):
        words = [str(word) for word in GENERATOR.choice(["a", "(", "b)c", "，", "（"], GENERATOR.integers(1, 12))]
        tree = random_tree(len(words), GENERATOR)
        assert read_bracketed(bracketed(words, tree)) == (words, tree)
    assert bracketed(["a b", "c"], {(0, 2)}) == "(a_b c)"
    assert read_bracketed(" ((a) ((b c))) d ") == (["a", "b", "c", "d"], {(0, 4), (0, 3), (1, 3)})
    assert read_bracketed("") == ([], set())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("(a (b c)", "before word 1 is not closed"),
        ("a) b", "closed after word 1"),
        ("a () b", "after word 1 is empty"),
    ],
)
def test_brackets_that_do_not_fit_are_refused(line, words):
    with pytest.raises(ValueError, match=words):
        read_bracketed(line)


def test_f1_against_brute_force():
    gold, found, scores, totals = [], [], [], np.zeros(3)
    for _ in range(100):
        length = int(GENERATOR.integers(1, 9))
        wanted, said = dependency_brackets(random_heads(length)), random_tree(length, GENERATOR)
        gold.append((length, wanted))
        found.append(said)
        wanted, said = ([one for one in tree if one != (0, length)] for tree in (wanted, said))
        if not wanted:
            continue
        right = sum(one in said for one in wanted)
        precision, recall = right / len(said), right / len(wanted)
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
        totals += right, len(wanted), len(said)
    score = bracket_f1(gold, found)
    assert score.sentences == len(scores) < 100 and 0 < score.sentence < 1
    assert score.sentence == pytest.approx(np.mean(scores))
    precision, recall = totals[0] / totals[2], totals[0] / totals[1]
    assert score.corpus == pytest.approx(2 * precision * recall / (precision + recall))


def test_f1_of_the_same_trees_is_1_and_nothing_scores_nothing():
    trees = [(length, random_tree(length, GENERATOR)) for length in range(3, 9)]
    assert bracket_f1(trees, [tree for _, tree in trees])[:2] == (1, 1)
    assert bracket_f1(trees, [frozenset()] * 6)[:2] == (0, 0)
    assert bracket_f1([], []) == bracket_f1([(2, frozenset({(0, 2)}))], [frozenset({(0, 2)})]) == (0, 0, 0)
    with pytest.raises(ValueError):
        bracket_f1(trees, [])


def test_a_long_sentence_needs_no_recursion():
    length = 5000
    rising = np.arange(length)
    assert tree_of_distances(rising) == left_branching(length)
    assert tree_of_distances(-rising) == right_branching(length)
    assert dependency_brackets([0, *range(1, length)]) == right_branching(length)
    words = ["a"] * length
    assert read_bracketed(bracketed(words, left_branching(length))) == (words, left_branching(length))


def test_this_room_does_without_tensorflow():
    code = "import sys; import common.analysis.trees; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
