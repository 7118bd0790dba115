"""common/similarity: groups of questions, pairs in both orders, what is learned from them, and exact search."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.encoders import build_encoder
from common.encoders.bert import BertEncoder
from common.keras_compat import prepare, tf
from common.options import EncoderOptions
from common.similarity.augmentation import LOST_VALUE, augmented, questions_of
from common.similarity.baselines import bm25
from common.similarity.model import COSENT_SCALE, SCALE, SimilarityNetwork, cosent_loss, similarity_loss
from common.similarity.questions import Groups, Pair, read_questions
from common.similarity.rows import PairBatches, ScoredBatches, Written, collate, readings
from common.similarity.scores import nearest_of_group, pair_score
from common.similarity.search import Index, write_index
from common.similarity.writing import ranked
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer

from helpers import mostly_slow, refused, write, write_lines

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"怎么还花呗借款灯亮山河水"])

# Questions


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=8))
def test_groups_are_the_components_of_what_means_the_same(said):
    groups = Groups()
    for numbers in said:
        groups.join([str(number) for number in numbers])
    reached = {number: {number} for numbers in said for number in numbers}
    for _, numbers in itertools.product(range(10), said):
        together = set().union(*(reached[number] for number in numbers))
        for number in together:
            reached[number] = reached[number] | together
    expected = {frozenset(map(str, numbers)) for numbers in reached.values() if len(numbers) > 1}
    assert {frozenset(texts) for texts in groups.of_several()} == expected


def test_lines_of_every_form(tmp_path):
    lines = write(
        tmp_path / "lines.txt",
        '{"texts": ["甲", "乙", "甲"]}\n{"text": "丙", "label": "x"}\n{"text": "丁", "label": "x"}\n{"text": "戊", "label": "y"}\n'
        '{"a": "乙", "b": "己", "label": 1}\n{"a": "甲", "b": "丙", "label": 0}\n\n庚\t辛\n庚\t甲\t0\n',
    )
    found = read_questions([lines])
    assert [sorted(group) for group in found.groups] == [sorted("甲乙己"), sorted("丙丁"), sorted("庚辛")]
    assert [pair[:3] for pair in found.pairs] == [("乙", "己", 1), ("甲", "丙", 0), ("庚", "辛", 1), ("庚", "甲", 0)]
    assert found.are_scored and sorted(found.texts) == sorted("甲乙己丙丁庚辛")
    scored = write_lines(
        tmp_path / "scored.txt", [{"a": "甲", "b": "乙", "score": 1}, {"a": "甲", "b": "丙", "score": 2.5}]
    )
    assert read_questions([scored]) == ([], [Pair("甲", "乙", 1.0, False), Pair("甲", "丙", 2.5, False)])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("一个", ["2", "has 1 fields"]),
        ("甲\t乙\t2", ["2", "the label is '2'"]),
        ("甲\t ", ["2", "empty text"]),
        ('{"texts": ["甲", 1]}', ["2", "list of strings"]),
        ('{"text": "甲"}', ["2", '"label" is missing']),
        ('{"a": "甲", "b": "乙", "score": NaN}', ["2", "score"]),
        ('{"a": "甲", "b": "乙", "score": 2}', ["2", "labels and scores"]),
        ('{"a": "甲"', ["2", "not JSON"]),
    ],
)
def test_lines_that_say_nothing(line, words, tmp_path):
    file = write(tmp_path / "x.txt", f"甲\t乙\n{line}\n")
    refused(lambda: read_questions([file]), f"{file}:{words[0]}", *words[1:])


# Rows

GROUPS = [["怎么还花呗", "花呗怎么还", "还花呗"], ["借款", "怎么借款"], ["灯亮", "灯", "亮灯", "灯怎么亮"]]


def test_each_text_is_read_and_written_in_every_epoch_and_with_others():
    batches = PairBatches(GROUPS, TOKENIZER, 20, 2, seed=3)
    assert len(batches) == 2 + 1 + 2
    seen = set()
    for epoch in range(20):
        rows = [row for batch in batches.epoch(epoch) for row in text_rows(batch)]
        read, written = {one for _, one, _ in rows}, {other for *_, other in rows}
        assert read == written == {text for group in GROUPS for text in group}
        assert all({one, other} <= set(GROUPS[number]) and one != other for number, one, other in rows)
        assert [(number, other, one) for number, one, other in rows[0::2]] == rows[1::2]
        seen.update(rows)
    assert len(seen) == 3 * 2 + 2 + 4 * 3
    again = PairBatches(GROUPS, TOKENIZER, 20, 2, seed=3)
    for one, other in zip(batches.epoch(7), again.epoch(7), strict=True):
        assert all((one[name] == other[name]).all() for name in one)


def text_rows(batch):
    """(group, text that is read, text that is written) of each row, by the arrays."""
    for tokens, segments, places, labels, group in zip(
        *(batch[name] for name in ("token_ids", "segment_ids", "places", "labels", "groups"))
    ):
        real = tokens > 0
        read, written = tokens[real & (segments == 0)], tokens[segments == 1]
        assert labels[labels >= 0].tolist() == written.tolist() == tokens[places[labels >= 0] + 1].tolist()
        assert tokens[0] == TOKENIZER.start_id and read[-1] == written[-1] == TOKENIZER.end_id
        yield int(group), *("".join(TOKENIZER.vocabulary[token] for token in ids) for ids in (read[1:-1], written[:-1]))


def test_scored_pairs_stand_together():
    pairs = [Pair("花呗", "借款", 0.5, False), Pair("灯", "灯怎么亮", 3.0, False), Pair("山", "水", 1.0, False)]
    [first, second] = ScoredBatches(pairs, TOKENIZER, 20, 2, seed=1).epoch(0)
    found = {}
    for batch in (first, second):
        texts = ["".join(TOKENIZER.vocabulary[token] for token in ids[ids > 0][1:-1]) for ids in batch["token_ids"]]
        found |= {(one, other): float(score) for one, other, score in zip(texts[0::2], texts[1::2], batch["scores"])}
    assert found == {pair[:2]: pair.score for pair in pairs}


# What is learned


def unit(rows, seed=0, near=0):
    """near: how near to each other they are."""
    vectors = near + np.random.default_rng(seed).normal(size=(rows, 5))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_the_partner_is_found_among_other_groups():
    """The others of a group are no wrong answers; those of the original are."""
    vectors, groups = unit(8, near=4), [4, 4, 1, 1, 4, 4, 2, 2]
    found = similarity_loss(tf.constant(vectors), tf.constant(groups)).numpy()
    for row in range(8):
        partner = row ^ 1
        others = [other for other in range(8) if groups[other] != groups[row] or other == partner]
        scores = SCALE * vectors[others].astype(float) @ vectors[row]
        expected = np.log(np.exp(scores).sum()) - SCALE * vectors[partner].astype(float) @ vectors[row]
        assert found[row] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scores", [[0, 1, 1, 0], [3.5, 1, 2, 2], [1, 1, 1, 1]])
def test_cosent_compares_each_two_pairs_of_different_scores(scores):
    vectors = unit(8, seed=1)
    cosines = [float(vectors[2 * pair] @ vectors[2 * pair + 1]) for pair in range(4)]
    terms = [
        np.exp(COSENT_SCALE * (cosines[less] - cosines[more]))
        for more, less in itertools.product(range(4), repeat=2)
        if scores[more] > scores[less]
    ]
    found = cosent_loss(tf.constant(vectors), tf.constant(scores, tf.float32))
    assert float(found) == pytest.approx(np.log(1 + sum(terms)), abs=1e-4)


@pytest.fixture(scope="module", params=["cls", "mean"])
def network(request):
    prepare(1, "no")
    options = EncoderOptions(encoder="roformer", hidden_size=16, layers=2, max_length=40, dropout=0.0)
    made = SimilarityNetwork(build_encoder(options, ["怎么还花呗借款灯亮山河水"] * 2), request.param)
    for weight in made.training.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 10)
    return made


def encoded(text):
    return TOKENIZER.encode(text, 20).ids


def test_a_vector_knows_nothing_of_what_is_written(network):
    """In a batch with longer ones, too; and is of length 1."""
    alone = network.reading(arrays(collate_readings(["花呗", "灯怎么亮"])))["vectors"].numpy()
    rows = [Written.of(encoded("花呗"), encoded("借款怎么还")), Written.of(encoded("灯怎么亮"), encoded("水"))]
    both = network.training(arrays(collate(rows)))["vectors"].numpy()
    assert np.abs(alone - both).max() < 1e-5 < np.abs(alone[0] - alone[1]).max()
    assert np.abs(np.linalg.norm(alone, axis=1) - 1).max() < 1e-5


def test_a_written_token_knows_what_is_before_it_alone(network):
    """Changing a token changes what is said behind it, and nothing that is said before."""
    first, other = (
        network.training(arrays(collate([Written.of(encoded("花呗"), encoded(text))])))["logits"].numpy()[0]
        for text in ("借款怎么还", "借款灯么还")
    )
    changed = np.abs(first - other).max(1) > 1e-5
    assert changed.tolist() == [False] * 3 + [True] * 3


def collate_readings(texts):
    rows = readings(texts, TOKENIZER, 20)
    longest = max(len(row["token_ids"]) for row in rows) + 3
    return {
        name: np.stack([np.pad(row[name], (0, longest - len(row[name]))) for row in rows]).astype(np.int32)
        for name in rows[0]
    }


def arrays(batch):
    return {name: tf.constant(values) for name, values in batch.items() if name != "labels"}


def test_a_network_keeps_the_published_names():
    """Of the last layer of a vector, so that a checkpoint has it."""
    encoder = BertEncoder(TOKENIZER, {**CONFIG, "vocab_size": len(TOKENIZER)}, 40)
    names = {weight.name for weight in SimilarityNetwork(encoder, "cls").training.weights}
    assert {"Pooler-Dense/kernel:0", "MLM-Dense/kernel:0"} <= names


CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "hidden_act": "gelu",
}

# What is written


@pytest.mark.parametrize(
    "family", mostly_slow(["bert", "albert", "roformer"], "bert", "roformer", reason="has the memory of a BERT")
)
def test_writing_with_a_memory_is_the_plain_pass(family):
    """Of two texts of different length, two rows each."""
    prepare(2, "no")
    config = CONFIG | {"num_hidden_layers": 3, "vocab_size": len(TOKENIZER)}
    network = SimilarityNetwork(BertEncoder(TOKENIZER, config, 40, family), "mean")
    for weight in network.training.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 10)
    texts, written = ["花呗", "怎么还借款"], ["灯亮山", "水灯么", "还款花", "山水河"]
    ids = [encoded(text) for text in texts]
    found, state = [], network.start({"token_ids": np.array([np.pad(one, (0, 9 - len(one))) for one in ids], np.int32)})
    state = state._replace(rows=network.take(state.rows, [0, 0, 1, 1]))
    tokens = np.full(4, TOKENIZER.start_id)
    for place in range(4):
        log_probabilities, state = network.step(state, tokens)
        found.append(log_probabilities)
        tokens = np.array([encoded(text)[1 + min(place, 2)] for text in written])
    rows = [Written.of(ids[number // 2], encoded(text)) for number, text in enumerate(written)]
    logits = network.training(arrays(collate(rows)))["logits"]
    assert np.abs(np.stack(found, 1) - tf.nn.log_softmax(logits).numpy()).max() < 1e-4


def test_what_is_written_is_ranked_without_copies():
    written = ["花呗怎么还", "怎么还花呗？", "ＡＢ花呗", "怎么 还花呗", "ab花呗！", "", "还花呗"]
    found = ranked("怎么还花呗", written, np.array([0.5, 1.0, 0.6, 0.9, 0.7, 0.8, 0.5]))
    assert found == [("ab花呗！", 0.7), ("花呗怎么还", 0.5), ("还花呗", 0.5)]


# Files of contests

WRITTEN = {"甲在哪里": ["甲在哪", "哪里有甲"], "乙是谁": ["谁是乙", "那人是谁"], "丙": []}


def test_a_document_with_other_questions():
    """As of reading comprehension: contexts without a question go, all else stays."""
    asked = {"question": "甲在哪里", "id": "1", "answers": [{"text": "山上", "answer_start": 3}]}
    document = {
        "version": 1,
        "data": [
            {"title": "t", "paragraphs": [{"context": "甲住在山上", "qas": [asked, {"question": "丙", "id": "2"}]}]},
            {"title": "u", "paragraphs": [{"context": "无", "qas": [{"question": "丙", "id": "3"}]}]},
        ],
    }
    [found] = augmented(document, "question", WRITTEN, counts := Counter())
    copies = [{**asked, "id": f"1_{number}", "question": text} for number, text in enumerate(WRITTEN["甲在哪里"], 1)]
    paragraph = {"context": "甲住在山上", "qas": copies}
    assert found == {"version": 1, "data": [{"title": "t", "paragraphs": [paragraph]}]} and not counts
    assert [*questions_of(document, "question")] == ["甲在哪里", "丙", "丙"]
    assert augmented(document, "question", {}, counts) == []


def test_values_of_a_query_stay_in_the_question():
    record = {"question": "乙是谁", "table_id": "x", "sql": {"conds": [[0, 2, "乙"], [1, 2, "不在"]], "sel": [1]}}
    assert augmented(record, "question", WRITTEN, counts := Counter()) == [{**record, "question": "谁是乙"}]
    assert counts == {LOST_VALUE: 1}


def test_records_by_their_names():
    records = {"Q1": {"question": "甲在哪里", "x": {"question": "丙"}}, "Q2": {"question": "丙"}, "note": "n"}
    [found] = augmented(records, "question", WRITTEN, Counter())
    expected = {
        f"Q1_{number}": {**records["Q1"], "question": text} for number, text in enumerate(WRITTEN["甲在哪里"], 1)
    }
    assert found == {"note": "n", **expected}


# Scores and search


def test_scores():
    pairs = [Pair("", "", score, True) for score in (0, 1, 0, 1)]
    assert pair_score(pairs, np.array([0.1, 0.9, 0.3, 0.2])) == 0.75
    pairs = [Pair("", "", score, False) for score in (1.0, 2.0, 5.0)]
    assert pair_score(pairs, np.array([0.1, 0.2, 0.9])) == pytest.approx(1)
    assert pair_score(pairs, np.zeros(3)) == 0
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    assert nearest_of_group(vectors, np.array([0, 0, 1, 1])) == 0.5


def test_bm25():
    """By its formula, for two pairs."""
    one, other = [["还", "花呗"], ["山"]], [["花呗", "花呗", "怎么", "还"], ["水", "还"]]
    texts = [*one, *other]
    mean = sum(map(len, texts)) / 4

    def score(question, document):
        total = 0
        for word in question:
            holding = sum(word in text for text in texts)
            count = document.count(word)
            weight = count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(document) / mean))
            total += np.log(1 + (4 - holding + 0.5) / (holding + 0.5)) * weight
        return total

    expected = [(score(a, b) + score(b, a)) / 2 for a, b in zip(one, other)]
    assert bm25(one, other) == pytest.approx(expected) and expected[1] == 0 < expected[0]


@pytest.mark.parametrize("count", [1, 3, 50])
def test_search_is_exact(count, tmp_path, monkeypatch):
    """Whatever the blocks are; texts come back."""
    monkeypatch.setattr("common.similarity.search._BLOCK", 7)
    monkeypatch.setattr("common.similarity.search._QUERIES", 3)
    monkeypatch.setattr("common.similarity.search._TOGETHER", 11)
    vectors, queries = unit(40), unit(8, seed=9)
    texts = [f"第{number}个😀\ud83d" for number in range(40)]
    write_index(tmp_path, texts, lambda part: np.stack([vectors[texts.index(text)] for text in part]), "x")
    index = Index(tmp_path)
    assert [index.text(place) for place in range(len(index))] == texts
    found = [*index.nearest(queries, count)]
    assert len(found) == 8
    for query, (places, cosines) in zip(queries, found):
        expected = np.argsort(-(vectors @ query))[:count]
        assert places.tolist() == expected.tolist()
        assert np.abs(cosines - (vectors @ query)[expected]).max() < 1e-6


def test_a_damaged_index_is_refused(tmp_path):
    refused(lambda: Index(tmp_path), "is no index")
    write_index(tmp_path, ["甲", "乙"], lambda part: unit(len(part)), "x")
    (tmp_path / "vectors.f32").write_bytes(b"short")
    refused(lambda: Index(tmp_path), "vectors.f32", "not as long")
    with pytest.raises(ValueError, match="needs a text"):
        write_index(tmp_path, [], lambda part: unit(len(part)), "x")
