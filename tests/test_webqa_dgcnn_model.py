"""Features, loss, decoding and voting of WebQA. Every sentence here is invented."""

import json
from collections import Counter
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet
from common.encoders.bert import BertEncoder
from common.keras_compat import keras, seed_everything
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions
from common.prediction import in_groups, one_trace
from common.runs.directory import Run

import competition
from helpers import refused
from reading_helpers import bert_encoder, learn_by_heart, light_encoder, make_wild, padded

FOLDER = "webqa_dgcnn"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
train = competition.load(FOLDER, "train")
predict = competition.load(FOLDER, "predict")
Candidate, Settings = decode.Candidate, decode.Settings
deterministic = settings(max_examples=50)


def example(question, *passages, answers=None, name="0"):
    """Passages are strings, which have no answer, or (string, answer)."""
    known = tuple(task.Passage(*(passage if isinstance(passage, tuple) else (passage, ""))) for passage in passages)
    if answers is None:
        answers = tuple(dict.fromkeys(passage.answer for passage in known if passage.answer))
    return task.Example(name, question, known, tuple(answers), 1)


# Answers -> characters


def spans_of(text, *answers, own=None):
    """The strings with their starts in a passage whose own answer is `own` (the first, if it is not given); None where
    none is found."""
    spans = features.answer_spans(example("谁？", (text, answers[0] if own is None else own), answers=answers), 0)
    return spans and [(text[start:end], start) for start, end in spans]


def test_every_place_of_every_accepted_answer_counts():
    assert spans_of("顾南字子舟，子舟是顾南", "顾南", "子舟") == [("顾南", 0), ("子舟", 3), ("子舟", 6), ("顾南", 9)]
    assert spans_of("顾南和许青", "顾南", own="许青") == [("顾南", 0), ("许青", 3)]


def test_a_passage_without_an_answer_has_none_whatever_stands_in_it():
    assert spans_of("顾南", "顾南", own="") == []
    assert features.answer_spans(task.Example("0", "谁？", (task.Passage("顾南", ""),), None, 1), 0) == []


def test_an_answer_that_is_not_there_makes_no_negative():
    assert spans_of("许青", "顾南") is None
    assert spans_of("", "顾南") is None


def test_the_longest_answer_counts_and_none_crosses_another():
    assert spans_of("2030年5月。5月", "5月", "2030年5月", "2030年") == [("2030年5月", 0), ("5月", 8)]
    assert spans_of("哈哈哈", "哈哈") == [("哈哈", 0)]


def test_width_and_case_do_not_matter():
    assert spans_of("买ＡＢｃ１２", "abc12") == [("ＡＢｃ１２", 1)]
    assert spans_of("买abc12", "ＡＢＣ１２") == [("abc12", 1)]
    # Characters that would become two in lower case move nothing.
    assert spans_of("İİ顾南ABC", "abc") == [("ABC", 4)]


def test_numbers_and_latin_words_are_whole():
    assert spans_of("2035年和5年", "5") == [("5", 6)]
    assert spans_of("他在2035年", "5") is None
    assert spans_of("Banana和AN", "an") == [("AN", 7)]
    assert spans_of("第5a", "5") == [("5", 1)]


def test_the_parts_of_an_answer_may_be_joined_in_another_way():
    assert spans_of("有红色、蓝色。", "红色 蓝色") == [("红色、蓝色", 1)]
    assert spans_of("有红色，  蓝色。", "红色、蓝色") == [("红色，  蓝色", 1)]
    assert spans_of("远山的灯", "《远山的灯》") == [("远山的灯", 0)]
    # As it is written, if it stands so somewhere.
    assert spans_of("红色、蓝色；红色 蓝色", "红色 蓝色") == [("红色 蓝色", 6)]
    # Where the answer has nothing between them, they are together.
    assert spans_of("红。色", "红色") is None
    assert spans_of("红色和蓝色", "红色 蓝色") is None


def test_strange_characters_are_only_characters():
    assert spans_of("价格(约).*元", ".*") == [(".*", 5)]
    assert spans_of("约 30天 后", " 30天 ") == [("30天", 2)]
    assert spans_of("C++和C", "c++") == [("C++", 0)]
    assert spans_of("价格", "。") is None


# Questions -> windows


@pytest.fixture(scope="module")
def bert():
    return bert_encoder(16)


LENGTHS = features.Lengths(question=64, stride=4)


def labelled(examples, encoder, lengths=LENGTHS):
    """The evidence of questions, and what was lost."""
    lost = Counter()
    return list(features.labelled_windows(examples, encoder, lengths, lost)), lost


def answers_in(one, windows):
    """For each window the strings of its answers and their first characters."""
    places = [[window.pair.encoding.char_span(*answer) for answer in window.answers] for window in windows]
    return [
        [(one.passages[window.passage].text[start:end], start) for start, end in spans]
        for window, spans in zip(windows, places)
    ]


def test_passages_become_positives_and_negatives(bert):
    one = example("谁？", "许青", ("顾南说顾南", "顾南"), "", ("白鹿", "许青"), ("顾南在", "顾南"), "顾南")
    [evidence], lost = labelled([one], bert)
    assert [[window.passage for window in windows] for windows in evidence.positives] == [[1], [4]]
    assert [[window.passage for window in windows] for windows in evidence.negatives] == [[0], [5]]
    assert [answers_in(one, windows) for windows in evidence.positives] == [
        [[("顾南", 0), ("顾南", 3)]],
        [[("顾南", 0)]],
    ]
    assert lost == {"blank passage": 1, "answer not in its passage": 1}


def test_the_question_is_never_an_answer(bert):
    [evidence], _ = labelled([example("顾南在哪", ("在顾南", "顾南"))], bert)
    [[window]] = evidence.positives
    assert window.answers == [(7, 8)] and window.pair.asked == 4


def test_only_windows_with_an_answer_are_positives(bert):
    one = example("谁写？", ("天地人和天地人和天地顾南天地人和天地人和", "顾南"), "天地人和" * 5)
    [evidence], lost = labelled([one], bert)
    # 16 - 3 - 3 = 10 tokens of the passage: from 0, 4, 8 and 12.
    [holding], [empty] = evidence.positives, evidence.negatives
    assert [window.pair.first for window in holding] == [4, 8] and answers_in(one, holding) == [[("顾南", 10)]] * 2
    assert [window.pair.first for window in empty] == [0, 4, 8, 12] and not lost


def test_what_cannot_be_used_is_counted(bert):
    questions = [
        example("谁？", ("天地人和天地人和天地人和", "天地人和天地人和天地人和"), name="wider than a window"),
        example("谁？", ("где公司", "де公司"), name="inside a token"),
        example("谁？", ("天地", "顾南"), name="absent"),
        example("谁？", " \u200b", name="blank"),
        example("谁？", name="no passages"),
        example("谁？", "天地", name="a negative only"),
    ]
    evidence, lost = labelled(questions, bert)
    assert [(len(one.positives), len(one.negatives)) for one in evidence] == [(0, 1)]
    assert lost == {
        "answer across windows or inside a token": 2,
        "answer not in its passage": 1,
        "blank passage": 1,
        "question left out: none of its passages can be used": 5,
    }


def test_questions_are_cut_and_every_token_is_read(bert):
    [group] = features.question_windows([example("谁写了远山的灯", "天" * 30, "地")], bert, features.Lengths(3, 7))
    assert {window.pair.asked for window in group} == {3}
    assert [(window.passage, window.pair.first) for window in group] == [(0, 0), (0, 7), (0, 14), (0, 21), (1, 0)]


# Gold -> features -> decode -> gold


def improbable(window):
    """Logits of start, end and gate, which is open, of a window without any answer."""
    return np.full((len(window.pair), 3), [-30, -30, 30], np.float32)


def sure(group):
    """Logits of a network that is sure of the first answer of each passage."""
    scores = [improbable(window) for window in group]
    for logits, window in zip(scores, group):
        for first, last in window.answers[:1]:
            logits[first, 0] = logits[last, 1] = 2
    return scores


def gold_figures(path):
    """The official figures of a file's own labels, by what train.py does with them."""
    config = train.Config()
    lengths = features.Lengths(config.max_question_length, config.doc_stride)
    examples = task.read(path, labelled=True)
    texts = [text for one in examples for text in (one.question, *(passage.text for passage in one.passages))]
    encoder = BertEncoder.from_texts(
        texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=config.encoder.max_length)
    )
    evidence, lost = labelled(examples, encoder, lengths)
    groups = [[window for windows in (*one.positives, *one.negatives) for window in windows] for one in evidence]
    found = [decode.candidates(group, sure(group), config.max_answer_length, 5) for group in groups]
    return train.evaluation(examples, [decode.vote(one, Settings()) for one in found]).metrics, lost


@pytest.mark.parametrize(
    "path, floor",
    [(competition.COMPETITIONS / FOLDER / "sample/train.json", 0.96), (competition.COMPETITIONS / FOLDER / "sample/dev.json", 0.96),
     (competition.SHARED / "data" / FOLDER / "dev.json", 0.995), (competition.SHARED / "data" / FOLDER / "dev_webqa.json", 0.95)],
    ids=["sample train", "sample dev", "real dev", "real WebQA"],
)  # fmt: skip
def test_gold_survives_the_whole_way_through_tokens(path, floor):
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    figures, lost = gold_figures(path)
    print(f"accuracy {figures['accuracy']:.4f}, f1 {figures['f1']:.4f} of gold survives in {path}")
    assert (
        not lost
        and figures["accuracy"] >= floor
        and figures["f1"] >= floor
        and figures["answered"] == figures["questions"]
    )


# Training batches


ALPHABET = "天地人和顾南"
ENCODER = bert_encoder(24)


@st.composite
def evidence_of_questions(draw):
    """Questions with positives and negatives, and in each window's arrays the place of every token."""
    passages = draw(
        st.lists(st.tuples(st.text(alphabet=ALPHABET, min_size=1, max_size=60), st.booleans()), min_size=1, max_size=5)
    )
    marked = []
    for text, holds in passages:
        start = draw(st.integers(0, len(text) - 1))
        marked.append((text, text[start : start + draw(st.integers(1, 6))] if holds else ""))
    one = example(draw(st.text(alphabet=ALPHABET, max_size=6)), *marked)
    # A window holds at least 24 - 6 - 3 = 15 tokens, so that at a stride of 5 each answer lies whole in one.
    [evidence], lost = labelled([one], ENCODER, features.Lengths(64, 5))
    assert not lost
    for windows in (*evidence.positives, *evidence.negatives):
        for window in windows:
            window.arrays = {
                **window.arrays,
                "place": np.arange(len(window.pair)),
                "pairs": np.arange(2 * len(window.pair)).reshape(-1, 2),
            }
    return one, evidence


@deterministic
@given(evidence_of_questions(), st.integers(1, 20), st.integers(0, 2**32))
def test_a_crop_keeps_an_answer(drawn, length, seed):
    one, evidence = drawn
    for window in (window for windows in (*evidence.positives, *evidence.negatives) for window in windows):
        crop = features.crop(window, length, np.random.default_rng(seed))
        place, begin = crop.arrays["place"], crop.pair.asked + 2
        # The question whole, then a piece without a gap, then the last [SEP].
        assert (
            place[:begin].tolist() == list(range(begin))
            and (np.diff(place[begin:-1]) == 1).all()
            and place[-1] == len(window.pair) - 1
        )
        assert crop.arrays["pairs"].tolist() == [[2 * at, 2 * at + 1] for at in place.tolist()]
        assert crop.arrays["token_ids"].tolist() == crop.pair.encoding.ids.tolist()
        assert crop.pair.is_context.tolist() == [begin <= at < len(place) - 1 for at in range(len(place))]
        text = one.passages[crop.passage].text
        for index, (start, end) in zip(
            crop.pair.encoding.ids[crop.pair.is_context], crop.pair.encoding.offsets[crop.pair.is_context]
        ):
            assert ENCODER.tokenizer.vocabulary[index] == text[start:end]
        assert crop.pair.encoding.offsets[begin, 0] == crop.pair.first
        # All answers that lie in it, and at least one of those that the window has.
        spans = [span for span in features.answer_spans(one, crop.passage) if crop.pair.encoding.token_span(*span)]
        assert [crop.pair.encoding.char_span(*answer) for answer in crop.answers] == spans
        assert bool(spans) == bool(window.answers)
        size, whole = len(place) - begin - 1, len(window.pair) - begin - 1
        longest = max((last + 1 - first for first, last in window.answers), default=0)
        assert size == min(whole, length) or length < size <= longest


def test_crops_differ_and_reach_both_ends():
    [evidence], _ = labelled([example("谁", ("天" * 8 + "顾南" + "地" * 8, "顾南"), "天" * 18)], ENCODER)
    for [[window]], firsts in ((evidence.positives, range(2, 9)), (evidence.negatives, range(0, 11))):
        assert {features.crop(window, 8, np.random.default_rng(seed)).pair.first for seed in range(300)} == set(firsts)


def rows_of(batch, seed, **changes):
    sampling = features.Sampling(**{"positives": 2, "negatives": 1, "crop_share": 0.0, "crop_length": 128, **changes})
    generator = np.random.default_rng(seed)
    return features.collate(features.draw_passages(batch, generator, sampling), generator, sampling)


@deterministic
@given(
    st.lists(evidence_of_questions(), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 3),
    st.integers(0, 2**32),
)
def test_a_batch_has_so_many_passages_of_each_question(drawn, positives, negatives, seed):
    batch = [evidence for _, evidence in drawn]
    expected = sum(min(positives, len(one.positives)) + min(negatives, len(one.negatives)) for one in batch)
    if not expected:
        return
    inputs, again = (
        rows_of(batch, seed, positives=positives, negatives=negatives, crop_share=0.5, crop_length=4) for _ in range(2)
    )
    assert len(inputs["token_ids"]) == expected and inputs["labels"].shape == (*inputs["token_ids"].shape, 2)
    assert inputs.keys() == again.keys() and all(np.array_equal(inputs[name], again[name]) for name in inputs)
    holding = inputs["labels"].any(axis=(1, 2)).sum()
    assert holding == sum(min(positives, len(one.positives)) for one in batch)


def test_shorter_questions_have_the_same_passages_and_answers():
    passages = ("白鹿", ("顾南在天地，许青在人和", "天地"), "澜江", ("许青，天地", "天地"))
    batch, _ = labelled([example("顾南的公司在什么地方？", *passages), example("？", passages[1])], ENCODER)

    def shortened(evidence, share, seed=0):
        return features.shorten_questions(evidence, np.random.default_rng(seed), ENCODER, LENGTHS, share)

    def seen(evidence):
        return [[(window.text, window.pair.first) for [window] in kind] for kind in evidence[1:]], [
            answers_in(evidence.example, windows) for windows in evidence.positives
        ]

    assert all(one is other for one, other in zip(shortened(batch, 0.0), batch))
    assert shortened(batch, 1.0)[1].positives[0][0].pair.asked == batch[1].positives[0][0].pair.asked
    for seed in range(10):
        drawn = features.draw_passages(batch, np.random.default_rng(seed), features.Sampling(1, 1, 0.0, 128))
        for evidence in (batch, drawn):
            shorter = shortened(evidence, 1.0, seed)[0]
            assert 1 <= shorter.positives[0][0].pair.asked < evidence[0].positives[0][0].pair.asked
            assert seen(shorter) == seen(evidence[0])
    assert 20 < sum(shortened(batch[:1], 0.5, seed)[0] is not batch[0] for seed in range(60)) < 40


def test_every_passage_is_seen_in_some_epoch():
    one = example(
        "谁", *((f"顾南{'天' * size}", "顾南") for size in range(1, 6)), *("地" * size for size in range(1, 6))
    )
    [evidence], _ = labelled([one], ENCODER)
    seen = Counter()
    for seed in range(200):
        inputs = rows_of([evidence], seed)
        lengths = [(bool(row.any()), int((ids > 0).sum())) for ids, row in zip(inputs["token_ids"], inputs["labels"])]
        assert [holds for holds, _ in lengths] == [True, True, False] and len(set(lengths)) == 3
        seen.update(lengths)
    assert len(seen) == 10 and min(seen.values()) > 20


def test_labels_stand_where_the_answers_are():
    questions = [example("谁写？", ("顾南写了灯，顾南", "顾南"), "许青"), example("谁", ("天地人和", "地人"))]
    evidence, _ = labelled(questions, ENCODER)
    inputs = rows_of(evidence, 0)
    # [CLS] 谁 写 ？ [SEP], then the passage from 5 on; [CLS] 谁 [SEP], then from 3 on.
    assert [np.argwhere(row).tolist() for row in inputs["labels"]] == [
        [[5, 0], [6, 1], [11, 0], [12, 1]],
        [],
        [[4, 0], [5, 1]],
    ]


# Loss


def transparent_network():
    """The network on an encoder whose states are in its inputs."""
    names = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids")}
    inputs = names | {"values": keras.Input((None, 2), name="values")}
    encoding = keras.Model(inputs, [inputs["values"] * 1.0, inputs["values"]])
    network = model.build_network(
        SimpleNamespace(pair_network=lambda: encoding, dropout=0.0, tokenizer=ENCODER.tokenizer)
    )
    network.get_layer("pointers").set_weights([np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    network.get_layer("gate").set_weights([np.array([[0.5], [-0.3]], np.float32), np.array([0.2], np.float32)])
    return network


@pytest.fixture(scope="module")
def transparent():
    seed_everything(1)
    return transparent_network()


def valued_inputs(seed, scale=3.0):
    questions = [
        example("谁写？", ("顾南写了灯，顾南", "顾南"), "许青，白鹿。"),
        example("谁", ("天地人和" * 4, "天地"), "天"),
    ]
    evidence, lost = labelled(questions, ENCODER)
    assert not lost
    inputs = rows_of(evidence, seed)
    inputs["values"] = np.random.default_rng(seed).normal(0, scale, inputs["labels"].shape).astype(np.float32)
    return inputs


def slow_loss(inputs, network):
    """Row by row and token by token, in probabilities of double precision."""
    hidden, bias, score = (weight.astype(np.float64) for weight in network.get_layer("passage_pooling").get_weights())
    losses = []
    for ids, segments, values, right in zip(
        *(inputs[name] for name in ("token_ids", "segment_ids", "values", "labels"))
    ):
        tokens = [place for place in range(len(ids)) if segments[place] and ids[place] != ENCODER.tokenizer.end_id]
        values = values.astype(np.float64)
        attention = np.exp([(np.tanh(values[place] @ hidden + bias) @ score)[0] for place in tokens])
        pooled = sum(weight * values[place] for weight, place in zip(attention, tokens)) / attention.sum()
        gate = 1 / (1 + np.exp(-(pooled @ [0.5, -0.3] + 0.2)))
        total = 0.0
        for place in tokens:
            for edge in (0, 1):
                p = gate / (1 + np.exp(-values[place, edge]))
                total -= 0.25 * (1 - p) ** 2 * np.log(p) if right[place, edge] else 0.75 * p**2 * np.log(1 - p)
        for edge in (0, 1):
            weights = np.exp(values[tokens, edge])
            chosen = right[tokens, edge] == 1
            total -= np.log(weights[chosen].sum() / weights.sum()) if chosen.any() else 0.0
        losses.append(total / 2 - np.log(gate if right.any() else 1 - gate))
    return np.mean(losses)


def loss_of(network, inputs):
    return float(TrainingModel(network, model.loss).batch_loss(inputs))


def test_the_loss_against_a_slow_reference(transparent):
    for seed in range(5):
        inputs = valued_inputs(seed)
        assert loss_of(transparent, inputs) == pytest.approx(slow_loss(inputs, transparent), rel=1e-4)


def test_what_is_outside_of_the_passage_changes_nothing(transparent):
    inputs = valued_inputs(0)
    loss = loss_of(transparent, inputs)
    outside = ((inputs["segment_ids"] == 0) | (inputs["token_ids"] == ENCODER.tokenizer.end_id))[..., None]
    assert outside.sum() > 20
    assert loss_of(
        transparent, {**inputs, "values": np.where(outside, 40, inputs["values"]).astype(np.float32)}
    ) == pytest.approx(loss, rel=1e-5)
    wider = padded(inputs, columns=7)
    wider["values"][:, -7:] = 40
    assert loss_of(transparent, wider) == pytest.approx(loss, rel=1e-5)


def test_the_gate_closes_both_pointers(transparent):
    inputs = valued_inputs(0)
    gate = transparent.get_layer("gate")
    weights = gate.get_weights()
    try:
        gate.set_weights([0 * weights[0], np.array([-20], np.float32)])
        arrays = {name: inputs[name] for name in ("token_ids", "segment_ids", "values")}
        closed = transparent(arrays)["log_probabilities"].numpy()
        gate.set_weights([0 * weights[0], np.array([20], np.float32)])
        np.testing.assert_allclose(closed, transparent(arrays)["log_probabilities"].numpy() - 20, atol=1e-4)
    finally:
        gate.set_weights(weights)


# Logits -> candidates


def scored(one, *spans, encoder=ENCODER):
    """Windows, and logits of spans (passage, first character, last one, logit of both ends); all else is improbable."""
    [group] = features.question_windows([one], encoder, LENGTHS)
    scores = [improbable(window) for window in group]
    for passage, start, end, logit in spans:
        for window, logits in zip(group, scores):
            if window.passage == passage and (place := window.pair.encoding.token_span(start, end)):
                logits[place[0], 0] = logits[place[1], 1] = logit
    return one, group, scores


@st.composite
def scored_questions(draw):
    """A question with passages of few different characters, its windows, and random logits, on the grid."""
    one = example(
        draw(st.text(alphabet="天地", max_size=4)), *draw(st.lists(st.text(alphabet="天地 ", max_size=30), max_size=3))
    )
    encoder = SimpleNamespace(
        tokenizer=ENCODER.tokenizer, max_length=draw(st.integers(6, 20)), pair_features=ENCODER.pair_features
    )
    [group] = features.question_windows([one], encoder, features.Lengths(64, draw(st.integers(1, 9))))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = [(len(window.pair), 3) for window in group]
    return one, group, [np.round(generator.normal(0, 3, size), 2).astype(np.float32) // 0.25 / 4 for size in sizes]


@deterministic
@given(scored_questions(), st.integers(1, 9))
def test_candidates_against_brute_force(drawn, max_length):
    one, group, scores = drawn
    found = decode.candidates(group, scores, max_length, 10_000)
    expected = {}
    for window, logits in zip(group, scores):
        opened = 1 / (1 + np.exp(-logits.astype(np.float64)))
        places = np.flatnonzero(window.pair.is_context).tolist()
        for first in places:
            for last in (place for place in places if first <= place < first + max_length):
                start, end = int(window.pair.encoding.offsets[first, 0]), int(window.pair.encoding.offsets[last, 1])
                candidate = (opened[first, 0] * opened[first, 2], opened[last, 1] * opened[last, 2])
                expected[window.passage, start, end] = max(
                    expected.get((window.passage, start, end), (0, 0)), candidate, key=np.prod
                )
    assert {
        (one.passage, one.start, one.start + len(one.text)): pytest.approx(one[3:], rel=1e-4) for one in found
    } == expected
    assert len(found) == len(expected)
    assert all(one.passages[candidate.passage].text.startswith(candidate.text, candidate.start) for candidate in found)
    probabilities = [candidate.probability for candidate in found]
    assert probabilities == sorted(probabilities, reverse=True)


@deterministic
@given(scored_questions(), st.integers(0, 2**32))
def test_the_last_bits_of_logits_decide_nothing(drawn, seed):
    """Of logits with many ties, as equal passages have them; the noise is a hundred times that of another batch."""
    _, group, scores = drawn
    generator = np.random.default_rng(seed)
    noisy = [logits + generator.uniform(-2e-4, 2e-4, logits.shape).astype(np.float32) for logits in scores]
    found = decode.candidates(group, scores, max_answer_length=9)
    assert decode.candidates(group, noisy, max_answer_length=9) == found


def test_of_equally_probable_answers_the_first_is_taken():
    one = example("谁？", "顾南许青", "许青顾南", "顾南许青")
    _, group, scores = scored(one, (0, 0, 2, 1.0), (1, 0, 2, 1.0), (2, 2, 4, 1.0), (1, 2, 4, 1.0))
    found = decode.candidates(group, scores, max_answer_length=2)
    assert [candidate[:3] for candidate in found[:4]] == [
        ("顾南", 0, 0),
        ("许青", 1, 0),
        ("顾南", 1, 2),
        ("许青", 2, 2),
    ]
    assert voted(found) == "顾南"


def test_a_span_in_two_windows_is_one_candidate():
    one = example("谁？", "天地人和" * 5 + "顾南" + "天地人和" * 5)
    _, group, scores = scored(one, (0, 20, 22, 0.0))
    assert sum(bool(window.pair.encoding.token_span(20, 22)) for window in group) > 2
    best, *others = decode.candidates(group, scores, max_answer_length=20)
    assert best == Candidate("顾南", 0, 20, pytest.approx(0.5), pytest.approx(0.5))
    assert not any(candidate.start == 20 and candidate.text == "顾南" for candidate in others)


# Candidates -> answer


def candidate(text, passage, start_probability, end_probability=None):
    return Candidate(
        text, passage, 0, start_probability, start_probability if end_probability is None else end_probability
    )


def slow_vote(found, rules, allow_empty):
    """The scores of all strings, by the definition."""
    found = [one for one in found if metric.format(one.text)]
    sure = [one for one in found if one.start_probability > rules.threshold and one.end_probability > rules.threshold]
    scores = {}
    for form in {metric.format(one.text) for one in found}:
        best = []
        for passage in {one.passage for one in found}:
            values = [one.start_probability * one.end_probability for one in sure or ([] if allow_empty else found)
                      if one.passage == passage and metric.format(one.text) == form]  # fmt: skip
            best += [max(values)] if values else []
        if best:
            scores[form] = sum(value**rules.exponent for value in best) / (1 + sum(best))
    return scores


probabilities = st.floats(0, 1)
texts = st.sampled_from(["天", "天地", "天，地", "ａ", "A", "。", "人"])
candidate_lists = st.lists(st.builds(candidate, texts, st.integers(0, 3), probabilities, probabilities), max_size=12)


@deterministic
@given(candidate_lists, st.builds(Settings, st.floats(0, 0.9), st.floats(0.5, 4)), st.booleans())
def test_the_vote_against_brute_force(found, rules, allow_empty):
    answer, scores = decode.vote(found, rules, allow_empty), slow_vote(found, rules, allow_empty)
    if not scores:
        assert answer == ""
        return
    assert scores[metric.format(answer)] == pytest.approx(max(scores.values()))
    assert answer in {one.text for one in found}


def voted(found, **options):
    return decode.vote(found, Settings(), **options)


def test_one_sure_passage_outweighs_several_unsure_ones():
    found = [candidate("天", 0, 0.9), *(candidate("地", passage, 0.6) for passage in (1, 2, 3))]
    assert decode.vote(found, Settings(0.1, 2.0)) == "天"
    assert decode.vote(found, Settings(0.1, 1.0)) == "地"
    # But not one that is as sure as they are.
    assert voted([candidate("天", 0, 0.9), candidate("地", 1, 0.9), candidate("地", 2, 0.9)]) == "地"


def test_a_passage_has_one_vote_for_a_string():
    found = [*(candidate("天", 0, 0.7) for _ in range(9)), candidate("地", 1, 0.75)]
    assert voted(found) == "地"
    # The most probable one, wherever it stands in the list.
    found = [candidate("天", 0, 0.7), candidate("天", 0, 0.2), candidate("地", 1, 0.5)]
    assert voted(found) == voted(found[::-1]) == "天"


def test_strings_are_compared_as_the_metric_does():
    found = [candidate("《天地》", 0, 0.7), candidate("天 地", 1, 0.72), candidate("人和", 2, 0.8)]
    assert voted(found) == "天 地"


def test_unsure_candidates_vote_only_where_there_is_no_sure_one():
    found = [candidate("天", 0, 0.9, 0.05), candidate("地", 1, 0.15)]
    assert voted(found) == "地"
    assert voted(found[:1]) == "天" and voted(found[:1], allow_empty=True) == ""
    assert voted([]) == "" and voted([candidate("。", 0, 0.9)]) == ""


def searched(examples, found, threshold, exponent):
    """What the search on dev finds where these settings are given, and the predictions with it; `found` are the
    candidates of each example."""
    predictor = SimpleNamespace(
        features=lambda examples: None,
        score=lambda _, settings: found,
        decode=partial(decode.Predictor.decode, None),
    )
    dev = DevSet(examples, predictor, lambda examples, answers: answers)
    return dev.search(decode.grid_with(threshold, exponent), decode.counts, decode.score, seed=1)


def test_settings_that_are_given_stay():
    assert decode.grid_with(None, None) == decode.GRID and len(set(decode.GRID)) == 20
    assert decode.GRID[0] == Settings() == Settings(0.1, 2.0) and decode.grid_with(0.0, 3.0) == [Settings(0.0, 3.0)]
    assert {settings.threshold for settings in decode.grid_with(0.15, None)} == {0.15}
    assert len(decode.grid_with(0.15, None)) == 4 and len(decode.grid_with(None, 1.2)) == 5
    assert decode.grid_with(0.15, None)[0] == Settings(0.15, 2.0) and decode.grid_with(None, 1.2)[0].threshold == 0.1
    questions = [example("谁", ("天", "天"), "地", name=str(number)) for number in range(8)]
    # Right only with an exponent above 1: one passage against two.
    found = [[candidate("天", 0, 0.9), candidate("地", 1, 0.7), candidate("地", 2, 0.7)]] * 8
    best, answers = searched(questions, found, None, None)
    assert best[:2] == (Settings(0.1, 2.0), 1.0) and answers == ["天"] * 8
    assert searched(questions, found, 0.3, None)[0].setting == Settings(0.3, 2.0)
    assert searched(questions, found, 0.3, 1.0)[0][:2] == (Settings(0.3, 1.0), 0.0)
    # The threshold decides nothing here, and the exponent must be low.
    many = [[candidate("地", 0, 0.8), candidate("天", 1, 0.6), candidate("天", 2, 0.6)]] * 8
    assert searched(questions, many, None, None)[0][:2] == (Settings(0.1, 1.0), 1.0)


def test_the_evaluation_is_the_official_score():
    questions = [
        example("谁", ("顾南", "顾南"), name="a"),
        example("谁", ("许青", "许青"), name="b"),
        example("谁", "天", name="c"),
    ]
    metrics, predictions, errors = train.evaluation(questions, ["顾南", "许", "天"])
    assert predictions == [{"id": "a", "answer": "顾南"}, {"id": "b", "answer": "许"}, {"id": "c", "answer": "天"}]
    assert metrics["accuracy"] == pytest.approx(1 / 3) and metrics["f1"] == pytest.approx((1 + 2 / 3) / 3)
    assert [error["id"] for error in errors] == ["b", "c"]


# The predictor


SHARED_PASSAGES = ("顾南写了《远山的灯》，2011年由云桥出版社出版。", "《长桥》的作者是许青，ABC公司想买３百册。")
QUESTIONS = [
    ("远山的灯是谁写的", [(SHARED_PASSAGES[0], "顾南"), SHARED_PASSAGES[1]]),
    ("长桥是谁写的", [SHARED_PASSAGES[0], (SHARED_PASSAGES[1], "许青"), "许青住在山上。"]),
    (
        "云桥出版社在哪里",
        [
            "云桥出版社 2011年成立。",
            ("云桥出版社 位于澜江市。" + "顾南的新书二月写完，三月由许青送到山上；" * 3, "澜江市"),
        ],
    ),
    ("", [("ABC公司", "ABC")]),
    ("多少钱", [("Ｐ９手机卖３９９９元", "３９９９元"), ""]),
    ("空", ["", " \u200b"]),
    ("空", []),
    ("谁写的", ["顾南和许青，" * 5, "许青和顾南，", "顾南和许青，" * 5, "许青和顾南，"]),  # much that is equal
]
EXAMPLES = [example(question, *passages, name=str(number)) for number, (question, passages) in enumerate(QUESTIONS)]
TWO_WINDOWS = features.Lengths(8, 10)
TEXTS = [text for one in EXAMPLES for text in (one.question, *(passage.text for passage in one.passages))]


@pytest.fixture(scope="module")
def wild():
    """An encoder and a network that has opinions."""
    encoder = light_encoder(TEXTS)
    seed_everything(2)
    network = model.build_network(encoder)
    make_wild(network)
    return encoder, network


@pytest.fixture(scope="module")
def expected(wild):
    """The candidates of questions that are read one at a time."""
    encoder, network = wild
    predictor = decode.Predictor(network, encoder, TWO_WINDOWS, max_answer_length=9)
    return [candidates_of(predictor, [one])[0] for one in EXAMPLES]


def candidates_of(predictor, examples):
    return predictor.score(predictor.features(examples), decode.GRID)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        one, other = (
            {candidate[:3]: candidate.probability for candidate in candidates[:10]} for candidates in (one, other)
        )
        assert one == pytest.approx(other, rel=5e-3)  # a logit halfway between two places of the grid may go to either


def test_candidates_are_pieces_of_the_passages(expected):
    for one, found in zip(EXAMPLES, expected):
        assert bool(found) == any(passage.text.strip(" \u200b") for passage in one.passages)
        for candidate in found:
            assert candidate.text and one.passages[candidate.passage].text.startswith(candidate.text, candidate.start)
    assert {candidate.passage for candidate in expected[1]} == {0, 1, 2}
    assert len({f"{candidate.probability:.2g}" for found in expected for candidate in found}) > 20


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batch_tokens_and_order_change_nothing(wild, expected, batch_tokens):
    encoder, network = wild
    predictor = decode.Predictor(network, encoder, TWO_WINDOWS, 9, batch_tokens)
    assert_same(candidates_of(predictor, EXAMPLES), expected)
    order = np.random.default_rng(batch_tokens).permutation(len(EXAMPLES))
    shuffled = candidates_of(predictor, [EXAMPLES[index] for index in order])
    assert_same([shuffled[place] for place in np.argsort(order)], expected)
    long = example("谁写的", "天地人和" * 100)
    assert_same(candidates_of(predictor, [*EXAMPLES, long])[:-1], expected)
    assert predictor(EXAMPLES, Settings()) == [voted(found) for found in expected]
    assert candidates_of(predictor, []) == predictor([], Settings()) == []


@pytest.mark.parametrize("kind", ["light", "bert"])
def test_the_network_never_sees_padding(wild, kind):
    """A padded batch equals single passages, gate included."""
    encoder, network = wild
    if kind == "bert":
        encoder = bert_encoder(40)
        encoder.config["num_hidden_layers"] = 1
        network = model.build_network(encoder)
        make_wild(network, 0.1)
    groups = list(features.question_windows(EXAMPLES, encoder, TWO_WINDOWS))
    assert len({len(window.pair) for group in groups for window in group}) > 5
    traced, arrays = one_trace(network), [[window.arrays for window in group] for group in groups]
    alone, together = (in_groups(lambda batch: traced(batch)["logits"], arrays, size) for size in (1, 64))
    for group, some, others in zip(groups, alone, together):
        for window, one, other in zip(group, some, others, strict=True):
            np.testing.assert_allclose(one[window.pair.is_context], other[window.pair.is_context], atol=1e-4)


def test_probabilities_are_products_of_what_training_sees(wild):
    encoder, network = wild
    evidence, _ = labelled(EXAMPLES, encoder, TWO_WINDOWS)
    inputs = rows_of(evidence, 0)
    assert {*network.input_names} == {*evidence[0].positives[0][0].arrays} == inputs.keys() - {"labels"}
    outputs = {
        name: values.numpy() for name, values in network({name: inputs[name] for name in network.input_names}).items()
    }
    start_end, gate = (1 / (1 + np.exp(-outputs[name].astype(np.float64))) for name in ("pointers", "gate"))
    np.testing.assert_allclose(np.exp(outputs["log_probabilities"]), start_end * gate[:, None, None], atol=1e-6)
    np.testing.assert_array_equal(outputs["logits"][..., :2], outputs["pointers"])
    np.testing.assert_array_equal(
        outputs["logits"][..., 2], np.broadcast_to(outputs["gate"][:, None], start_end.shape[:2])
    )
    assert outputs["log_probabilities"].shape == inputs["labels"].shape
    assert (outputs["in_passage"] | (inputs["labels"] == 0).all(-1)).all()


def test_the_question_decides_the_answer_after_training():
    seed_everything(1)
    encoder = light_encoder(TEXTS, hidden_size=24, layers=2, dropout=0.0)
    questions = EXAMPLES[:7]
    evidence, lost = labelled(questions, encoder, TWO_WINDOWS)
    assert len(evidence) == 5 and lost == {"blank passage": 3, "question left out: none of its passages can be used": 2}
    network = model.build_network(encoder)
    sampling = features.Sampling(positives=1, negatives=2, crop_share=0.0, crop_length=128)
    training = TrainingModel(network, model.loss)
    learn_by_heart(training, evidence, [1] * 5, partial(features.collate, sampling=sampling))
    answers = decode.Predictor(network, encoder, TWO_WINDOWS, max_answer_length=9)(questions, Settings())
    # The first two have the same passages: only the question tells which of two names it is.
    assert answers == ["顾南", "许青", "澜江市", "ABC", "３９９９元", "", ""]


# predict.py: what a run says, and where the answers go


@pytest.mark.parametrize("kept", [{"exponent": -1}, {"threshold": 1.5}, {"exponent": None}, {"votes": 1}])
def test_settings_that_are_none_are_refused(tmp_path, kept):
    (tmp_path / "decoding.json").write_text(json.dumps(kept))
    refused(lambda: Run(tmp_path, {}).read_decoding(Settings), tmp_path / "decoding.json")


@pytest.mark.parametrize("changed", [{"doc_stride": 0}, {"max_answer_length": "40"}, {"max_question_length": 1e9}])
def test_lengths_that_are_none_are_refused(tmp_path, changed):
    lengths = {"max_question_length": 64, "doc_stride": None, "max_answer_length": 40}
    assert predict.lengths_of(Run(tmp_path, {"settings": lengths})) == ((64, None), 40)
    refused(lambda: predict.lengths_of(Run(tmp_path, {"settings": lengths | changed})), tmp_path, *changed)
