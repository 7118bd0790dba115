"""Binary hashes of words and texts: what is seen, what is learned, how hashes are compared; and train_hashes.py."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.lexicon.hashes import WordHashes, distances, nearest, train_centres, vectors_of, windows_of, winners

import competition
from helpers import write, write_lines
from workshop import check_refusal, run_here, succeeds

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import hash_scores  # noqa: E402


@given(st.lists(st.integers(-1, 4), max_size=12), st.integers(1, 3))
def test_what_is_seen_at_a_place(ids, window):
    """The word in the second half, those around it in the first, each as often as it is there; of length 1."""
    weights = np.array([1, 0.5, 2, 1, 3], np.float32)
    found = vectors_of(windows_of(np.array(ids, int), np.arange(len(ids)), window, 5), weights).toarray()
    for place, vector in enumerate(found):
        expected = np.zeros(10)
        for other in range(max(0, place - window), min(len(ids), place + window + 1)):
            if ids[other] >= 0:
                expected[ids[other] + 5 * (other == place)] += weights[ids[other]]
        length = np.linalg.norm(expected)
        np.testing.assert_allclose(vector, expected / length if length else expected, atol=1e-6)


@given(st.integers(0, 2**31), st.integers(1, 16))
def test_distances_and_nearest_hashes(seed, count):
    """As unpacked bits say."""
    generator = np.random.default_rng(seed)
    bits = generator.random((12, 24)) < 0.2
    queries, packed = np.packbits(bits[:3], axis=1), np.packbits(bits, axis=1)
    expected = (bits[:3, None] != bits[None]).sum(-1)
    assert (distances(queries[:, None], packed[None]) == expected).all()
    found = nearest(queries, packed, count)
    assert found.tolist() == np.argsort(expected, axis=1, kind="stable")[:, :count].tolist()


def test_winners():
    scores = np.array([[0.1, 0.9, 0.3, 0.2], [5, 4, 3, 2]])
    assert winners(scores, 2).tolist() == [[False, True, True, False], [True, True, False, False]]


SUBJECTS = [[f"词{subject}{number}" for number in range(6)] for subject in range(4)]


def texts_of_subjects(count):
    """Each is about one subject."""
    generator = np.random.default_rng(0)
    return [(subject, generator.choice(SUBJECTS[subject], 8).tolist()) for subject in generator.integers(4, size=count)]


@pytest.fixture(scope="module")
def hashes():
    words = [word for subject in SUBJECTS for word in subject]
    ids = np.concatenate([[words.index(word) for word in text] + [-1] * 3 for _, text in texts_of_subjects(300)])
    weights = np.ones(len(words), np.float32)
    *_, (step, product, centres) = train_centres(ids, weights, 16, 3, 60, 256, seed=1)
    assert step == 59 and product > 0.7
    np.testing.assert_allclose(np.linalg.norm(centres, axis=0), 1, rtol=1e-5)
    return WordHashes(words, weights, centres, 4, 3)


def test_words_and_texts_of_one_subject_are_alike(hashes):
    for subject in SUBJECTS:
        assert sum(word in subject for word in hashes.nearest(subject[0], 3)) >= 2
    texts = texts_of_subjects(40)
    codes = hashes.of_texts([text for _, text in texts])
    assert codes.dtype == np.uint8 and codes.shape == (40, 2) and (np.bitwise_count(codes).sum(1) == 4).all()
    for place, found in enumerate(nearest(codes, codes, 5)):
        assert np.mean([texts[other][0] == texts[place][0] for other in found]) > 0.7


def test_a_word_alone_and_in_a_text(hashes):
    word, text = SUBJECTS[0][0], [SUBJECTS[0][0], SUBJECTS[2][1], "未知", SUBJECTS[2][2]]
    in_context = hashes.in_context(text)
    assert in_context.shape == (4, 2) and (hashes.in_context([word]) == hashes.of_words([word])).all()
    assert (in_context[0] != hashes.of_words([word])[0]).any()
    assert not hashes.of_words(["未知"]).any() and not hashes.of_texts([["未知"], []]).any()
    with pytest.raises(KeyError):
        hashes.nearest("未知", 3)


def test_they_are_kept(hashes, tmp_path):
    hashes.save(tmp_path)
    again = WordHashes.load(tmp_path)
    texts = [text for _, text in texts_of_subjects(9)]
    assert (again.of_texts(texts) == hashes.of_texts(texts)).all() and again.words == hashes.words
    assert (again.active, again.window, again.bits) == (4, 3, 16)


# The script


@pytest.fixture
def files(tmp_path):
    lines = ["北京的医生在医院工作", "上海的医生在医院看病", "足球比赛在北京的球场", "球队在上海的球场比赛"] * 30
    write(tmp_path / "texts.txt", "\n".join(f"{line}，第{number}次" for number, line in enumerate(lines)))
    pairs = [{"a": lines[0], "b": lines[1], "label": 1}, {"a": lines[0], "b": lines[2], "label": 0}]
    write_lines(tmp_path / "labels.jsonl", [*pairs, {"a": lines[2], "b": lines[3], "label": 1}])
    write_lines(tmp_path / "scores.jsonl", [{"a": lines[0], "b": lines[n], "score": 5 - n} for n in range(3)])
    write(tmp_path / "analogies.tsv", "城市\t北京\t医生\t上海\t医院\n城市\t北京\t医生\t没有\t医院\n")
    words = ["北京", "上海", "医生", "医院", "足球"]
    rows = [f"{word} {number} {number % 2 + 1}" for number, word in enumerate(words)]
    write(tmp_path / "vectors.txt", "\n".join([f"{len(words)} 2", *rows]) + "\n")
    return tmp_path


SMALL = ["--bits", 16, "--steps", 5, "--batch-size", 64, "--window", 2]


def test_hashes_are_trained_and_scored(files):
    flags = ["--input", files / "texts.txt", "--output", files / "out", *SMALL, "--word-vectors", files / "vectors.txt"]
    flags += ["--pairs", files / "labels.jsonl", files / "scores.jsonl", "--analogies", files / "analogies.tsv"]
    done = succeeds(run_here(SCRIPTS, "train_hashes", flags))
    assert {"医生", "球场"} <= set(WordHashes.load(files / "out").words)
    for way in (
        "hashes, 16 bits",
        "FlyHash",
        "hyperplanes of bags",
        "bags of words",
        "hyperplanes of mean",
        "mean vectors",
    ):
        assert done.out.count(f"\n{way}") == 2, way
    assert "labels" in done.out and "Spearman" in done.out and "of 1 whose words are known" in done.out


def test_scores_of_pairs():
    """Two are alike: the second text of one is the nearest, that of the other has ten before it."""
    one = np.array([[1.0, 0.0], [0.0, 1.0], *[[0.5, 0.5]] * 11])
    other = np.array([[1.0, 0.1], [1.0, 0.0], *[[0.1, 1.0]] * 11])
    pairs = hash_scores.Pairs([], [], np.array([1, 1, *[0] * 11]), True)
    _, recall = hash_scores.scores_of(one, other, pairs)
    assert recall == 0.5
    packed = [np.packbits(of > 0.3, axis=1) for of in (one, other)]
    assert hash_scores.scores_of(*packed, pairs)[1] == 0.5


MISTAKES = [
    (["--bits", 12], ["--bits 12", "multiple of 8"]),
    (["--active", 99], ["--active 99"]),
    (["--pairs", "no.jsonl"], ["no.jsonl", "no such file"]),
    (["--pairs", "odd.jsonl"], ["odd.jsonl:1", '"b" is missing']),
    (["--pairs", "same.jsonl"], ["same.jsonl", "more alike"]),
    (["--analogies", "texts.txt"], ["texts.txt:1", "has 1 fields"]),
]


@pytest.mark.parametrize(("flags", "words"), MISTAKES)
def test_mistakes_are_one_line(flags, words, files, monkeypatch):
    monkeypatch.chdir(files)
    write_lines(files / "odd.jsonl", [{"a": "北京"}])
    write_lines(files / "same.jsonl", [{"a": "北京", "b": "上海", "label": 1}])
    done = run_here(SCRIPTS, "train_hashes", ["--input", "texts.txt", "--output", "out", "--bits", 16, *flags])
    check_refusal(done, *words)
    assert not (files / "out").exists()
