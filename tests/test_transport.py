"""Transport distances: exact, metrics where they should be, bounds below them, and a search that misses nothing."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.similarity.nearest_texts import NearestTexts
from common.similarity.transport import emd, emd_batch, relaxed_bound, transport_plan
from common.similarity.word_movers import WMD, WRD, squared_distances
from common.similarity.word_space import WordSpace

import competition
from helpers import write, write_lines
from workshop import check_refusal, run_here, run_there, succeeds

SCRIPTS = competition.ROOT / "scripts"
SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=40, deadline=None)

# Transport


@few
@given(SEEDS, st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))
def test_it_is_the_cheapest_of_all_ways_to_carry_single_pieces(seed, pieces, m, n):
    generator = np.random.default_rng(seed)
    here, there = (generator.integers(0, size, pieces) for size in (m, n))  # where each piece lies
    costs = generator.integers(0, 20, (m, n))
    cheapest = min(costs[here, list(order)].sum() for order in itertools.permutations(there)) / pieces
    weights, others = (np.bincount(side, minlength=size) for side, size in ((here, m), (there, n)))
    assert emd_batch(costs[None], weights[None], others[None]) == pytest.approx([cheapest], abs=1e-12)
    assert emd(costs, weights, others) == pytest.approx(cheapest, abs=1e-12)
    kept, kept_others = weights > 0, others > 0
    problem = costs[kept][:, kept_others], weights[kept] * 3.0, others[kept_others]
    plan = transport_plan(*problem)
    assert (plan * problem[0]).sum() == pytest.approx(cheapest) and emd(*problem) == pytest.approx(cheapest)
    assert plan.sum(1) * pieces == pytest.approx(weights[kept]) and plan.sum(0) * pieces == pytest.approx(
        others[kept_others]
    )
    assert relaxed_bound(*problem) <= cheapest + 1e-12


def test_it_is_what_a_linear_program_says():
    from scipy.optimize import linprog

    generator = np.random.default_rng(1)
    m, n = 7, 9
    costs, p, q = generator.random((m, n)), generator.random(m), generator.random(n)
    p, q = p / p.sum(), q / q.sum()
    sums = np.vstack([np.kron(np.eye(m), np.ones(n)), np.kron(np.ones(m), np.eye(n))])
    # One equality follows from the others, and rounding could make it contradict them.
    found = linprog(costs.ravel(), A_eq=sums[:-1], b_eq=np.concatenate([p, q])[:-1])
    assert emd(costs, p, q) == pytest.approx(found.fun, abs=1e-12)


def test_padding_costs_nothing():
    costs = np.array([[[1.0, 9, np.nan], [2, 3, np.nan]], [[4, 5, 6], [np.nan, np.nan, np.nan]]])
    weights, others = np.array([[1, 1], [1, 0]]), np.array([[1, 1, 0], [1, 1, 2]])
    assert emd_batch(costs, weights, others) == pytest.approx([(1 + 3) / 2, (4 + 5 + 2 * 6) / 4])


@pytest.mark.parametrize(
    ("costs", "weights", "words"),
    [
        (np.ones((2, 3)), [1, 1], "do not fit"),
        (np.ones(2), [1, 1], "do not fit"),
        (np.ones((2, 2)), [1, -1], "negative"),
        (np.ones((2, 2)), [0, 0], "not all 0"),
        (np.ones((2, 2)), [np.nan, 1], "finite"),
        (np.array([[1, np.inf], [1, 1]]), [1, 1], "costs must be finite"),
    ],
)
def test_what_is_no_transport_problem_is_refused(costs, weights, words):
    with pytest.raises(ValueError, match=words):
        emd(costs, np.array(weights, float), np.ones(2))


def test_the_solver_loads_no_tensorflow(tmp_path):
    code = """if True:
        import os, sys
        import numpy as np
        before = dict(os.environ)
        from common.similarity.transport import emd
        assert "ot" not in sys.modules
        print(emd(np.eye(2), np.ones(2), np.ones(2)), "tensorflow" in sys.modules)
        print([name for name in os.environ.keys() ^ before.keys() if name.startswith("POT")])
    """
    assert succeeds(run_there(["-c", code], tmp_path)).out.split("\n")[:2] == ["0.0 False", "[]"]


# Word mover's and word rotator's distance


def drawn(seed, texts=3, size=3):
    """Vectors of the words of some texts; some words are equal, some of them 0."""
    generator = np.random.default_rng(seed)
    words = generator.normal(size=(6, size)) * generator.choice([0.1, 1, 50], (6, 1))
    words[0] = 0
    return [words[generator.integers(0, 6, generator.integers(0, 6))] for _ in range(texts)]


@few
@given(SEEDS)
def test_wmd_is_a_metric_and_wrd_a_likeness(seed):
    a, b, c = drawn(seed)
    for distance in (WMD, WRD):
        ab, ba, aa = distance.of([a, b, a], [b, a, a])
        assert ab == pytest.approx(ba, rel=1e-12, abs=1e-12) and aa == pytest.approx(0, abs=1e-12)
        shuffled = np.random.default_rng(seed).permutation(a)
        assert distance.of([shuffled], [a]) == pytest.approx([0], abs=1e-12)
    assert 0 <= ab <= 2  # of WRD
    ab, bc, ac = WMD.of([a, b, a], [b, c, c])
    assert ac <= ab + bc + 1e-9


@few
@given(SEEDS)
def test_bounds_by_centroids_and_by_the_nearest_hold(seed):
    a, b = drawn(seed, texts=2)
    for distance in (WMD, WRD):
        (points, weights), (others, other_weights) = distance.heap(a), distance.heap(b)
        squares, lengths = squared_distances(points, others), [np.linalg.norm(of, axis=1) for of in (points, others)]
        costs = distance.costs(squares, *lengths)
        [found] = distance.of([a], [b])
        centroids = [(weights @ points)[None], (other_weights @ others)[None]]
        assert distance.bounds(squared_distances(*centroids)).item() <= found + 1e-9
        assert relaxed_bound(costs, weights, other_weights) <= found + 1e-9
        assert emd(costs, weights, other_weights) == pytest.approx(found)


def test_figures_by_hand():
    one, other = np.array([[3.0, 0], [0, 1]]), np.array([[0.0, 2]])
    assert WMD.of([one], [other]) == pytest.approx([(13**0.5 + 1) / 2])
    assert WRD.of([one], [other]) == pytest.approx([3 / 4])
    assert WRD.of([one], [-one]) == pytest.approx([1 / 4 + 1 / 4 + 2 * (3 / 4 - 1 / 4)])
    assert WRD.of([one[:1]], [-one[:1]]) == pytest.approx([2])


def test_texts_without_words_are_the_vector_0():
    word, nothing, zeros = np.array([[3.0, 4]]), np.zeros((0, 2)), np.zeros((2, 2))
    for empty in (nothing, zeros):
        assert WMD.of([empty, word], [word, empty]).tolist() == [5, 5]
        assert WRD.of([empty, word], [word, empty]).tolist() == [1, 1]
        for distance in (WMD, WRD):
            assert distance.of([empty, empty], [nothing, zeros]).tolist() == [0, 0]
    beside = np.array([[3.0, 4], [0, 0]])
    assert WRD.of([beside], [word]) == pytest.approx([0]) and WMD.of([beside], [word]) == pytest.approx([2.5])


def test_what_is_near_keeps_its_digits():
    point = np.array([[1000.0, 2000, 3000]])
    others = np.vstack([point, point + 1e-6, point + 1])
    assert np.sqrt(squared_distances(point, others)) == pytest.approx(np.sqrt(3) * np.array([[0, 1e-6, 1]]), rel=1e-3)


# Words, and those without a vector

WORDS = [*"甲乙丙丁戊己庚辛"]


def space_of(distance, unknown, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(len(WORDS), 4))
    vectors[3] = vectors[4]
    vectors[5] = 0
    return WordSpace(distance, WORDS, vectors, unknown), dict(zip(WORDS, vectors))


def texts_of(seed, count, letters="甲乙丙丁戊己庚辛子丑寅"):
    generator = np.random.default_rng(seed)
    return [[letters[number] for number in generator.integers(0, len(letters), length)] for length in
            generator.integers(0, 6, count)]  # fmt: skip


@few
@given(SEEDS, st.sampled_from([0.0, 0.7]))
def test_unknown_words_lie_in_dimensions_of_their_own(seed, unknown):
    one, other = texts_of(seed, 6), texts_of(seed + 1, 6)
    for distance in (WMD, WRD):
        space, vector_of = space_of(distance, unknown)
        length = unknown * np.mean([np.linalg.norm(vector) for vector in vector_of.values()])
        own = {word: np.append(vector, [0, 0, 0]) for word, vector in vector_of.items()}
        own |= {word: np.append(np.zeros(4), row) for word, row in zip("子丑寅", length * np.eye(3)) if unknown}
        a, b = ([np.array([own[w] for w in text if w in own]).reshape(-1, 7) for text in side] for side in (one, other))
        assert space.distances(one, other) == pytest.approx(distance.of(a, b), abs=1e-6)
        sums = [[of_text.sum(0) for of_text in side] for side in (a, b)]
        cosines = [x @ y / max(np.linalg.norm(x) * np.linalg.norm(y), 1e-12) for x, y in zip(*sums)]
        assert space.cosines(one, other) == pytest.approx(cosines, abs=1e-6)
        weighs = [any(w in own and (distance is WMD or own[w].any()) for w in text) for text in one]
        assert [space.knows(text) for text in one] == weighs


# Search


@few
@given(SEEDS, st.integers(1, 60), st.integers(1, 12), st.sampled_from([0.0, 0.7]), st.sampled_from([WMD, WRD]))
def test_search_finds_what_solving_all_finds(seed, count, nearest, unknown, distance):
    space, _ = space_of(distance, unknown, seed)
    texts = texts_of(seed, count)  # of few words, so that many are equally far
    search = NearestTexts(space, texts)
    for text, found in zip(texts[:3], search.nearest(texts[:3], nearest)):
        distances = search.distances(text)
        order = np.argsort(distances, kind="stable")[:nearest]
        assert found.places.tolist() == order.tolist() and found.distances.tolist() == distances[order].tolist()
        assert len(order) <= found.solved <= count
        assert distances == pytest.approx(space.distances([text] * count, texts))


@pytest.mark.parametrize("distance", [WMD, WRD])
def test_search_solves_few_and_takes_blocks(distance, monkeypatch):
    generator = np.random.default_rng(4)
    centers = generator.normal(size=(20, 8))
    words = [f"{topic} {number}" for topic in range(20) for number in range(10)]
    vectors = np.repeat(centers, 10, 0) + 0.3 * generator.normal(size=(200, 8))
    texts = [
        [words[10 * topic + number] for number in generator.integers(0, 10, 5)]
        for topic in range(20)
        for _ in range(30)
    ]
    search = NearestTexts(WordSpace(distance, words, vectors), texts)
    [found] = search.nearest(texts[:1], 5)
    assert found.solved < 60 and found.places[0] == 0 and found.distances[0] == 0
    monkeypatch.setattr("common.similarity.nearest_texts._TOGETHER", 20)
    [in_blocks] = search.nearest(texts[:1], 5)
    assert in_blocks.places.tolist() == found.places.tolist() == np.argsort(search.distances(texts[0]), kind="stable")[:5].tolist()  # fmt: skip
    assert in_blocks.solved == found.solved


def test_texts_of_the_same_words_are_equally_far():
    search = NearestTexts(space_of(WMD, 0.7)[0], ["乙甲子", "丙", "子甲乙", "甲子乙", ""])
    [found] = search.nearest(["甲乙子"], 4)
    assert found.places.tolist()[:3] == [0, 2, 3] and found.distances[:3].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="must be a text"):
        NearestTexts(space_of(WMD, 0)[0], [])


def test_the_last_bits_decide_nothing():
    space = WordSpace(WMD, [*"甲乙丙丁"], np.array([[0.0], [0.1], [0.2], [0.15]]))
    [found] = NearestTexts(space, ["乙丙", "丁"]).nearest(["甲"], 2)  # of distances 0.15000000000000002 and 0.15
    assert found.places.tolist() == [0, 1] and len(set(found.distances.tolist())) == 1


# Commands

VECTORS = "6 2\n花呗 1 0\n借呗 0.9 0.1\n还款 0 1\n归还 0.1 0.9\n天气 -1 -1\n怎么 0.3 0.3\n"


@pytest.fixture
def files(tmp_path):
    write(tmp_path / "vectors.txt", VECTORS)
    write(tmp_path / "questions.txt", "天气怎么\n花呗怎么还款\n？！\n饕餮\n")
    write(tmp_path / "more.txt", "怎么归还借呗\n饕餮！\n。\n")
    flags = ["retrieve-words", "--word-vectors", tmp_path / "vectors.txt", "--questions", tmp_path / "questions.txt"]
    return tmp_path, [*flags, "--input", tmp_path / "more.txt", "--output", tmp_path / "found.jsonl"]


def test_questions_are_found_by_their_words(files):
    home, flags = files
    done = succeeds(run_here(SCRIPTS, "similar_questions", [*flags, "--nearest", 2]))
    assert "questions 4" in done.out and "1 x without a known word: never found" in done.out
    assert "of 12 transport problems" in done.out and "1 x without a known word: nothing found" in done.out
    found = [json.loads(line) for line in (home / "found.jsonl").read_text("utf-8").splitlines()]
    assert [record["text"] for record in found] == ["怎么归还借呗", "饕餮！", "。"]
    assert [one["text"] for one in found[0]["nearest"]] == ["花呗怎么还款", "天气怎么"]
    assert found[0]["nearest"][0]["distance"] < found[0]["nearest"][1]["distance"]
    assert found[1]["nearest"][0] == {"text": "饕餮", "distance": 0.0} and found[2]["nearest"] == []


def test_unknown_words_may_be_left_out(files):
    home, flags = files
    done = succeeds(run_here(SCRIPTS, "similar_questions", [*flags, "--unknown-words", 0, "--distance", "wrd"]))
    assert "2 x without a known word: never found" in done.out
    found = [json.loads(line)["nearest"] for line in (home / "found.jsonl").read_text("utf-8").splitlines()]
    assert [len(nearest) for nearest in found] == [2, 0, 0] and found[0][0]["text"] == "花呗怎么还款"


def test_pairs_are_scored_without_a_run(files):
    home, _ = files
    pairs = [
        ("花呗怎么还款", "怎么归还借呗", 1),
        ("花呗怎么还款", "天气怎么", 0),
        ("借呗", "花呗", 1),
        ("天气", "还款", 0),
    ]
    pairs = write_lines(home / "pairs.jsonl", [{"a": a, "b": b, "label": label} for a, b, label in pairs])
    flags = ["score", "--pairs", pairs, "--output-dir", home]
    done = succeeds(run_here(SCRIPTS, "similar_questions", [*flags, "--word-vectors", home / "vectors.txt"]))
    assert "only what needs no training" in done.out
    rows = {line.rsplit(None, 1)[0]: float(line.rsplit(None, 1)[1]) for line in done.out.splitlines()[2:]}
    assert rows.keys() == {"BM25", "mean word vectors", "WMD", "WRD"} and rows["WMD"] == rows["WRD"] == 1
    check_refusal(run_here(SCRIPTS, "similar_questions", flags), "no run with")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--nearest", 0], ["--nearest 0"]),
        (["--unknown-words", -1], ["--unknown-words -1"]),
        (["--distance", "far"], ["--distance"]),
        (["--questions", "marks.txt", "--unknown-words", 0], ["marks.txt", "other word vectors"]),
        (["--word-vectors", "more.txt"], ["more.txt"]),
    ],
)
def test_mistakes_are_one_line(files, more, words, monkeypatch):
    home, flags = files
    monkeypatch.chdir(home)
    write(home / "marks.txt", "？\n饕餮\n")
    check_refusal(run_here(SCRIPTS, "similar_questions", [*flags, *more]), *words)
    assert not (home / "found.jsonl").exists()
