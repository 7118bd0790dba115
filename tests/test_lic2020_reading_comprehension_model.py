"""Features, loss and decoding of reading comprehension. Every sentence here is invented."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet
from common.encoders.bert import BertEncoder
from common.generators import pad_features
from common.keras_compat import keras, seed_everything
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions

import competition
from reading_helpers import bert_encoder, learn_by_heart, light_encoder, make_wild, padded

FOLDER = "lic2020_reading_comprehension"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
train = competition.load(FOLDER, "train")
Candidate, Settings = decode.Candidate, decode.Settings
NOT_IN_CONTEXT = "answer not in the context"
deterministic = settings(max_examples=100)


def example(question, context, *answers, name="0"):
    """Answers are strings, or (string, start)."""
    known = [answer if isinstance(answer, tuple) else (answer, -1) for answer in answers]
    return task.Example(name, question, context, tuple(task.Answer(*answer) for answer in known), 0)


def spans_of(context, *answers):
    """The strings with their starts, and what was lost."""
    lost = Counter()
    spans = features.answer_spans(example("谁？", context, *answers), lost)
    return [(context[start:end], start) for start, end in spans], dict(lost)


# Answers -> characters


def test_a_valid_start_is_the_only_place():
    assert spans_of("顾南说顾南很忙，顾南", ("顾南", 3)) == ([("顾南", 3)], {})


def test_an_unknown_or_wrong_start_means_every_place():
    for start in (-1, 1, 4, 99):
        assert spans_of("顾南说顾南很忙", ("顾南", start)) == ([("顾南", 0), ("顾南", 3)], {})


def test_places_that_overlap_are_places_too():
    assert spans_of("哈哈哈。哈哈", "哈哈") == ([("哈哈", 0), ("哈哈", 1), ("哈哈", 4)], {})
    assert spans_of("哈哈哈", ("哈哈", 1)) == ([("哈哈", 1)], {})


def test_blanks_at_the_ends_of_an_answer_are_left_out():
    assert spans_of("约 30天 后", " 30天 ") == ([("30天", 2)], {})
    assert spans_of("约\u300030天，30天", ("\u300030天", 1)) == ([("30天", 2)], {})


def test_answers_that_are_not_there_are_counted():
    assert spans_of("顾南", "许青", ("白鹿", 0), "顾南") == ([("顾南", 0)], {NOT_IN_CONTEXT: 2})
    assert spans_of("", "顾南") == ([], {NOT_IN_CONTEXT: 1})


def test_several_answers_in_order_and_once():
    assert spans_of("2030年5月", "5月", "2030年5月", ("5月", 5), "年", "年") == (
        [("2030年5月", 0), ("年", 4), ("5月", 5)],
        {},
    )


def test_blank_answers_are_none():
    assert spans_of("顾 南", "", " ", ("\u3000", 1)) == ([], {})
    lost = Counter()
    assert features.answer_spans(task.Example("0", "谁？", "顾南", None, 0), lost) == [] and not lost


def test_strange_characters_are_only_characters():
    assert spans_of("价格(约).*元", ".*") == ([(".*", 5)], {})


# Questions -> windows


@pytest.fixture(scope="module")
def bert():
    return bert_encoder(16)


LENGTHS = features.Lengths(question=64, stride=4)


def labelled(examples, encoder, lengths=LENGTHS):
    """The windows of questions, and what was lost."""
    lost = Counter()
    return list(features.labelled_windows(examples, encoder, lengths, lost)), lost


def answers_in(groups):
    """For each window of each question the strings and first characters of its answers."""
    return [
        [[(span := window.pair.encoding.char_span(*answer)) and (window.example.context[slice(*span)], span[0]) for answer in window.answers]
         for window in group]
        for group in groups
    ]  # fmt: skip


def test_the_question_is_never_an_answer(bert):
    questions = [example("顾南", "许青，顾南", "顾南"), example("顾南在哪", "顾南在顾南", ("顾南", 3))]
    groups, lost = labelled(questions, bert)
    assert answers_in(groups) == [[[("顾南", 3)]], [[("顾南", 3)]]] and not lost
    for [window] in groups:
        [(first, last)] = window.answers
        assert (first, last) == (window.pair.asked + 2 + 3, window.pair.asked + 2 + 4)
        assert window.arrays["token_ids"][first : last + 1].tolist() == [
            bert.tokenizer.ids["顾"],
            bert.tokenizer.ids["南"],
        ]


def test_an_answer_is_labelled_in_every_window_that_holds_it(bert):
    context = "天地人和天地人和天地顾南天地人和天地人和"
    questions = [example("谁写？", context, "顾南")]
    [group], lost = labelled(questions, bert)
    # 16 - 3 - 3 = 10 tokens of the context: from 0, 4, 8 and 12.
    assert [window.pair.first for window in group] == [0, 4, 8, 12] and not lost
    assert answers_in([group]) == [[[], [("顾南", 10)], [("顾南", 10)], []]]
    assert [window.answers for window in group] == [[], [(11, 12)], [(7, 8)], []]
    assert all(window.example is questions[0] for window in group)


def test_what_cannot_be_labelled_is_counted(bert):
    context = "天地人和天地人和天地人和"
    questions = [
        example("谁写？", context, context, name="wider than a window"),
        example("谁？", "где公司", "де公司", name="inside a token"),
        example("谁？", "天地", "顾南", name="absent"),
        example("谁？", "天地", "地", "顾南", name="one of two"),
    ]
    groups, lost = labelled(questions, bert)
    assert [[window.example for window in group] for group in groups] == [[questions[3]]]
    assert sorted(lost.values()) == [2, 2, 3] and lost[NOT_IN_CONTEXT] == 2
    assert lost["question left out: none of its answers could be labelled"] == 3


def test_questions_are_cut_and_windows_begin_at_the_stride(bert):
    [group] = features.question_windows([example("谁写了远山的灯", "天" * 30)], bert, features.Lengths(3, 7))
    assert {window.pair.asked for window in group} == {3}
    assert [window.pair.first for window in group] == [0, 7, 14, 21]
    [group] = features.question_windows([example("谁写了远山的灯" * 9, "天" * 30)], bert, LENGTHS)
    assert {window.pair.asked for window in group} == {6} and all(len(window.pair) <= 16 for window in group)
    [[window]] = features.question_windows([example("", "")], bert, LENGTHS)
    assert len(window.pair) == 3 and window.answers == []


def test_a_question_after_one_that_is_left_out_has_its_own_windows(bert):
    questions = [example("谁？", "天地", "顾南"), example("谁？", "顾南", "顾南")]
    [[window]], _ = labelled(questions, bert)
    assert window.example is questions[1]


# Gold -> features -> decode -> gold


def sure(group):
    """Logits of a network that is sure of the first answer of a question, and knows nothing if it has none."""
    logits = [np.full((len(window.pair), 2), -1e3, np.float32) for window in group]
    for scores, window in zip(logits, group):
        for first, last in window.answers[:1]:
            scores[first, 0] = scores[last, 1] = 0
            return logits
    return logits


def gold_figures(path):
    """The official figures of a file's own labels, by what train.py does with them."""
    config = train.Config()
    lengths = features.Lengths(config.max_question_length, config.doc_stride)
    examples = task.read(path, labelled=True)
    texts = [text for one in examples for text in (one.context, one.question)]
    encoder = BertEncoder.from_texts(
        texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=config.encoder.max_length)
    )
    groups = {id(group[0].example): group for group in features.question_windows(examples, encoder, lengths)}
    groups |= {id(group[0].example): group for group in labelled(examples, encoder, lengths)[0]}
    found = [decode.candidates(group, sure(group), config.max_answer_length, 5) for group in groups.values()]
    settings = Settings(config.length_penalty or 0.0, config.choice)
    answers = [decode.choose(example.context, best, settings) for example, best in zip(examples, found)]
    return train.evaluation(examples, answers).metrics


@pytest.mark.parametrize(
    "path",
    [competition.COMPETITIONS / FOLDER / "sample/train.json", competition.COMPETITIONS / FOLDER / "sample/dev.json",
     competition.SHARED / "data" / FOLDER / "dev.json"],
    ids=["sample train", "sample dev", "real dev"],
)  # fmt: skip
def test_gold_survives_the_whole_way_through_tokens(path):
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    figures = gold_figures(path)
    print(f"{figures} of gold survives in {path}")
    assert figures["em"] >= 99.5 and figures["f1"] >= 99.5 and figures["skipped"] == 0


# Crops


ALPHABET = "天地人和顾南"
contexts = st.text(alphabet=ALPHABET + " ", min_size=1, max_size=80).filter(str.strip)


@st.composite
def labelled_groups(draw, max_length=24):
    """The windows of a question with one to three answers, drawn as places."""
    context = draw(contexts)
    tokens = [place for place, character in enumerate(context) if character != " "]
    answers = []
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(tokens) - 1))
        last = draw(st.integers(first, min(len(tokens) - 1, first + 7)))
        answers.append((context[tokens[first] : tokens[last] + 1], tokens[first]))
    question = draw(st.text(alphabet=ALPHABET, max_size=6))
    one = example(question, context, *answers)
    # A window holds at least 24 - 6 - 3 = 15 tokens, so that at a stride of 5 each answer lies whole in one.
    [group], lost = labelled([one], ENCODER, features.Lengths(64, 5))
    assert not lost
    for window in group:
        window.arrays = {
            **window.arrays,
            "place": np.arange(len(window.pair)),
            "pairs": np.arange(2 * len(window.pair)).reshape(-1, 2),
        }
    return one, group


ENCODER = bert_encoder(24)


@deterministic
@given(labelled_groups(), st.integers(1, 40), st.integers(0, 2**32))
def test_a_crop_is_a_piece_of_its_window_with_an_answer(drawn, length, seed):
    one, group = drawn
    crop = features._crop(group, length, np.random.default_rng(seed))
    place = crop.arrays["place"]
    [window] = [window for window in group if set(window.pair.encoding.offsets[window.pair.is_context, 0].tolist())
                >= set(crop.pair.encoding.offsets[crop.pair.is_context, 0].tolist())][:1]  # fmt: skip
    size = len(place) - crop.pair.asked - 3
    whole = [len(window.pair) - window.pair.asked - 3 for window in group]
    # The question whole, then a piece without a gap, then the last [SEP].
    begin = crop.pair.asked + 2
    assert place[:begin].tolist() == list(range(begin)) and (np.diff(place[begin:-1]) == 1).all()
    assert crop.arrays["pairs"].tolist() == [[2 * at, 2 * at + 1] for at in place.tolist()]
    assert len(crop.pair) == len(place) and crop.pair.asked == window.pair.asked and crop.example == window.example
    assert crop.arrays["token_ids"].tolist() == crop.pair.encoding.ids.tolist()
    assert crop.pair.is_context.tolist() == [begin <= at < len(place) - 1 for at in range(len(place))]
    # The characters are still the right ones.
    for index, (start, end) in zip(
        crop.pair.encoding.ids[crop.pair.is_context], crop.pair.encoding.offsets[crop.pair.is_context]
    ):
        assert ENCODER.tokenizer.vocabulary[index] == one.context[start:end]
    tokens = ENCODER.tokenizer.tokenize(one.context)
    part = tokens.offsets[crop.pair.first : crop.pair.first + size].tolist()
    assert part == crop.pair.encoding.offsets[crop.pair.is_context].tolist()
    # An answer is always in it, and so are all answers that lie in it.
    assert crop.answers
    gold = {(answer.start, answer.start + len(answer.text)) for answer in one.answers}
    found = {crop.pair.encoding.char_span(*answer) for answer in crop.answers}
    assert found <= gold and found == {span for span in gold if crop.pair.encoding.token_span(*span)}
    # As long as it should be.
    longest = max(last + 1 - first for window in group for first, last in window.answers)
    assert size in whole or length * 3 // 4 <= size <= max(length * 5 // 4, longest)


@deterministic
@given(labelled_groups(), st.integers(1, 40), st.integers(0, 2**32))
def test_a_crop_depends_on_the_generator_alone(drawn, length, seed):
    group = drawn[1]
    before = [(window.pair, {**window.arrays}, list(window.answers)) for window in group]
    one, other = (features.collate([group, group], np.random.default_rng(seed), length) for _ in range(2))
    assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
    for window, (pair, arrays, answers) in zip(group, before):
        assert window.pair is pair and window.answers == answers
        assert all(window.arrays[name] is arrays[name] for name in arrays)


def test_crops_differ_and_reach_both_ends():
    context = "天" * 8 + "顾南" + "地" * 8
    [group], _ = labelled([example("谁", context, "顾南")], ENCODER)
    crops = [features._crop(group, 8, np.random.default_rng(seed)) for seed in range(200)]
    firsts, sizes = {crop.pair.first for crop in crops}, {len(crop.pair) - 4 for crop in crops}
    assert firsts == set(range(0, 9)) and sizes == set(range(6, 11))


# Shorter questions


def test_shorter_questions_have_the_same_contexts_and_answers():
    questions = [
        example("顾南的公司在什么地方？", "顾南在天地，许青在人和", "天地"),
        example("？", "顾南，白鹿", "白鹿"),
        example("许青的公司在什么地方？", "天地人和" * 8 + "许青", ("许青", 32)),
    ]
    groups, lost = labelled(questions, ENCODER)
    assert not lost and [len(group) for group in groups][:2] == [1, 1] and len(groups[2]) > 1

    def shortened(share, seed=0):
        return features.shorten_questions(groups, np.random.default_rng(seed), ENCODER, LENGTHS, share)

    def places(group):
        return {window.pair.encoding.char_span(*answer) for window in group for answer in window.answers}

    assert all(one is other for one, other in zip(shortened(0.0), groups))
    assert shortened(1.0)[1][0].pair.encoding.ids.tolist() == groups[1][0].pair.encoding.ids.tolist()
    for seed in range(10):
        shorter = shortened(1.0, seed)
        for index in (0, 2):
            assert 1 <= shorter[index][0].pair.asked < groups[index][0].pair.asked
            assert places(shorter[index]) == places(groups[index]) != set()
    assert len({len(shortened(1.0, seed)[0][0].pair) for seed in range(10)}) > 1
    assert 20 < sum(group is not groups[0] for seed in range(60) for group in shortened(0.5, seed)[:1]) < 40


# Batches and loss


def batch_of_groups():
    """Two questions of one window, and one of four."""
    questions = [
        example("谁写？", "顾南写了灯，顾南", "顾南"),
        example("谁", "天地人和天地人和天地顾南天地人和天地人和地", "顾南", ("天地", 4)),
        example("谁写了", "许青，白鹿。", "许青", "白鹿"),
    ]
    groups, lost = labelled(questions, bert_encoder(14))
    assert not lost and [len(group) for group in groups] == [1, 4, 1]
    return groups


def test_a_batch_against_a_slow_reference():
    groups = batch_of_groups()
    inputs = features.collate(groups, np.random.default_rng(0), 0)
    rows = [window for group in groups for window in group]
    length = max(len(window.pair) for window in rows)
    assert inputs["token_ids"].shape == (6, length)
    assert inputs["windows"].tolist() == [[0, -1, -1, -1], [1, 2, 3, 4], [5, -1, -1, -1]]
    for row, window in enumerate(rows):
        size = len(window.pair)
        assert inputs["token_ids"][row].tolist() == window.pair.encoding.ids.tolist() + [0] * (length - size)
        assert inputs["in_context"][row].tolist() == [window.pair.asked + 2 <= at < size - 1 for at in range(length)]
        expected = np.zeros((length, 2))
        for first, last in window.answers:
            expected[first, 0] = expected[last, 1] = 1
        np.testing.assert_array_equal(inputs["labels"][row], expected)


def given_logits(groups, generator, scale=3.0):
    """Puts random logits into the arrays of every window, in place of what an encoder reads."""
    for window in (window for group in groups for window in group):
        window.arrays = {
            "token_ids": window.pair.encoding.ids,
            "values": generator.normal(0, scale, (len(window.pair), 2)).astype(np.float32),
        }
    return groups


@pytest.fixture(scope="module")
def transparent():
    """The network on an encoder whose states are the logits in its inputs, and its loss."""
    inputs = {
        "token_ids": keras.Input((None,), dtype="int32", name="token_ids"),
        "values": keras.Input((None, 2), name="values"),
    }
    encoding = keras.Model(inputs, [inputs["values"] * 1.0, inputs["values"]])
    network = model.build_network(SimpleNamespace(pair_network=lambda: encoding, dropout=0.0))
    network.get_layer("pointers").set_weights([np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    return TrainingModel(network, model.loss)


def loss_of(training, inputs):
    return float(training.batch_loss(inputs))


def slow_loss(groups):
    """Question by question: all tokens of the contexts of its windows in one softmax."""
    losses = []
    for group in groups:
        for edge in (0, 1):
            everything = right = 0.0
            for window in group:
                for place in np.flatnonzero(window.pair.is_context):
                    weight = np.exp(np.float64(window.arrays["values"][place, edge]))
                    everything += weight
                    right += weight * any(answer[edge] == place for answer in window.answers)
            losses.append(np.log(everything) - np.log(right))
    return sum(losses) / 2 / len(groups)


def test_the_loss_against_a_slow_reference(transparent):
    for seed in range(5):
        groups = given_logits(batch_of_groups(), np.random.default_rng(seed))
        assert loss_of(transparent, features.collate(groups, np.random.default_rng(0), 0)) == pytest.approx(
            slow_loss(groups), rel=1e-4
        )


def test_logits_outside_of_the_context_change_nothing(transparent):
    inputs = features.collate(given_logits(batch_of_groups(), np.random.default_rng(0)), np.random.default_rng(0), 0)
    loss = loss_of(transparent, inputs)
    outside = inputs["in_context"][..., None] == 0
    assert outside.sum() > 20
    assert loss_of(
        transparent, {**inputs, "values": np.where(outside, 40, inputs["values"]).astype(np.float32)}
    ) == pytest.approx(loss, rel=1e-5)
    assert loss_of(
        transparent, {**inputs, "values": np.where(outside, inputs["values"], inputs["values"] * 2)}
    ) != pytest.approx(loss, rel=1e-2)
    wider = padded({name: values for name, values in inputs.items() if name != "windows"}, columns=7)
    wider["values"][:, -7:] = 40
    wider["windows"] = np.pad(inputs["windows"], [(0, 0), (0, 3)], constant_values=-1)
    assert loss_of(transparent, wider) == pytest.approx(loss, rel=1e-5)


def test_windows_of_a_question_are_normalised_together_and_others_apart(transparent):
    groups = given_logits(batch_of_groups(), np.random.default_rng(0))
    alone = [loss_of(transparent, features.collate([group], np.random.default_rng(0), 0)) for group in groups]
    together = loss_of(transparent, features.collate(groups, np.random.default_rng(0), 0))
    assert together == pytest.approx(np.mean(alone), rel=1e-4)
    # A window without an answer counts: what it says takes probability from the others.
    empty = next(window for window in groups[1] if not window.answers)
    empty.arrays["values"] = empty.arrays["values"] + 20
    assert loss_of(transparent, features.collate([groups[1]], np.random.default_rng(0), 0)) > alone[1] + 3
    assert loss_of(transparent, features.collate([groups[0]], np.random.default_rng(0), 0)) == pytest.approx(alone[0])


# Scores -> candidates


@st.composite
def scored_questions(draw):
    """A question with a context of few different characters, its windows, and random logits."""
    context = draw(st.text(alphabet="天地 ", max_size=40))
    encoder_length = draw(st.integers(6, 20))
    encoder = SimpleNamespace(
        tokenizer=ENCODER.tokenizer, max_length=encoder_length, pair_features=ENCODER.pair_features
    )
    one = example(draw(st.text(alphabet="天地", max_size=4)), context)
    [group] = features.question_windows([one], encoder, features.Lengths(64, draw(st.integers(1, 9))))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    return one, group, [generator.normal(0, 2, (len(window.pair), 2)).astype(np.float32) for window in group]


def slow_candidates(one, group, logits, max_length, count):
    """(text, probability) of every candidate by its definition: all spans of all windows."""
    totals = [sum(np.exp(np.float64(scores[place, edge])) for window, scores in zip(group, logits) for place in np.flatnonzero(window.pair.is_context))
              for edge in (0, 1)]  # fmt: skip
    by_place = {}
    for window, scores in zip(group, logits):
        places = np.flatnonzero(window.pair.is_context).tolist()
        for first in places:
            for last in places:
                if first <= last < first + max_length:
                    start, end = int(window.pair.encoding.offsets[first, 0]), int(window.pair.encoding.offsets[last, 1])
                    probability = (
                        np.exp(np.float64(scores[first, 0]))
                        / totals[0]
                        * np.exp(np.float64(scores[last, 1]))
                        / totals[1]
                    )
                    by_place[start, end] = max(by_place.get((start, end), 0), probability)
    best = sorted(by_place.items(), key=lambda item: -item[1])[:count]
    texts = {}
    for (start, end), probability in best:
        texts[one.context[start:end]] = texts.get(one.context[start:end], 0) + probability
    return texts


@deterministic
@given(scored_questions(), st.integers(1, 9), st.sampled_from([1, 5, 20, 10_000]))
def test_candidates_against_brute_force(drawn, max_length, count):
    one, group, logits = drawn
    found = decode.candidates(group, logits, max_length, count)
    expected = slow_candidates(one, group, logits, max_length, count)
    assert {candidate.text: pytest.approx(candidate.probability, rel=1e-3) for candidate in found} == expected
    assert len(found) == len(expected) <= count
    probabilities = [candidate.probability for candidate in found]
    assert probabilities == sorted(probabilities, reverse=True)
    for candidate in found:
        assert candidate.text and one.context.startswith(candidate.text, candidate.start)
        assert len(candidate.text.replace(" ", "")) <= max_length


@deterministic
@given(scored_questions(), st.integers(0, 2**32))
def test_the_last_bits_of_logits_decide_nothing(drawn, seed):
    """Of logits with many ties, as repeated pieces have them; the noise is a hundred times that of another batch."""
    one, group, logits = drawn
    generator = np.random.default_rng(seed)
    tied = [np.round(scores) for scores in logits]
    noisy = [scores + generator.uniform(-2e-4, 2e-4, scores.shape).astype(np.float32) for scores in tied]
    found = decode.candidates(group, tied, max_answer_length=9)
    assert decode.candidates(group, noisy, max_answer_length=9) == found
    assert found == sorted(found, key=lambda candidate: (-candidate.probability, candidate.start))


def scored(context, *spans, question="谁？", encoder=ENCODER):
    """Windows, and logits of spans of characters (text, start, logit of both edges); all else is improbable."""
    one = example(question, context)
    [group] = features.question_windows([one], encoder, LENGTHS)
    logits = [np.full((len(window.pair), 2), -50, np.float32) for window in group]
    for text, start, logit in spans:
        for window, scores in zip(group, logits):
            if place := window.pair.encoding.token_span(start, start + len(text)):
                scores[place[0], 0] = scores[place[1], 1] = logit
    return group, logits


def test_probabilities_of_equal_strings_add_up():
    group, logits = scored("顾天地南和天", ("天", 1, np.log(2)), ("和", 4, np.log(3)), ("天", 5, np.log(2)))
    first, second, *others = decode.candidates(group, logits, max_answer_length=1)
    assert (first.text, second.text) == ("和", "天")
    assert first.probability == pytest.approx(9 / 49, rel=2e-3) and second.probability == pytest.approx(
        8 / 49, rel=2e-3
    )
    group, logits = scored("顾天地南和天", ("天", 1, np.log(3)), ("和", 4, np.log(3)), ("天", 5, np.log(2)))
    first, second, *others = decode.candidates(group, logits, max_answer_length=1)
    assert first == Candidate("天", 1, pytest.approx(13 / 64, rel=2e-3)) and second == Candidate(
        "和", 4, pytest.approx(9 / 64, rel=2e-3)
    )
    assert sum(candidate.probability for candidate in others) < 1e-6


def test_of_equally_probable_places_the_first_is_told():
    group, logits = scored("天地天地天地")
    found = decode.candidates(group, [np.zeros_like(scores) for scores in logits], 9, 10_000)
    assert {candidate.text: candidate.start for candidate in found if len(candidate.text) < 3} == {
        **{"天": 0, "地": 1},
        **{"天地": 0, "地天": 1},
    }


def test_a_span_in_two_windows_counts_once():
    context = "天地人和" * 5 + "顾南" + "天地人和" * 5
    group, logits = scored(context, ("顾南", 20, 0.0))
    holding = [window for window in group if window.pair.encoding.token_span(20, 22)]
    assert len(holding) > 2
    best, *_ = decode.candidates(group, logits, max_answer_length=20)
    assert best == Candidate("顾南", 20, pytest.approx(1 / len(holding) ** 2))


def test_candidates_of_a_context_without_tokens():
    questions = [example("谁？", context) for context in ("", " \n", "\u200b\x00", "顾")]
    groups = list(features.question_windows(questions, ENCODER, LENGTHS))
    logits = [[np.ones((len(window.pair), 2), np.float32) for window in group] for group in groups]
    found = [decode.candidates(group, scores, max_answer_length=20) for group, scores in zip(groups, logits)]
    assert found[:3] == [[], [], []] and found[3] == [Candidate("顾", 0, pytest.approx(1))]
    for choice in ("expected_f1", "most_probable"):
        assert [decode.choose(one.context, best, Settings(choice=choice)) for one, best in zip(questions, found)] == [
            "",
            "",
            "\u200b\x00",
            "顾",
        ]


# The predictor


QUESTIONS = [
    ("远山的灯是谁写的", "顾南写了《远山的灯》，许青写了《长桥》。两本书都由云桥出版社出版。", "顾南"),
    ("长桥是谁写的", "顾南写了《远山的灯》，许青写了《长桥》。两本书都由云桥出版社出版。", "许青"),
    (
        "云桥出版社在哪里",
        "云桥出版社 位于澜江市， 2011年成立。顾南的新书二月写完，三月由许青送到山上；白鹿说，两本书里只有《长桥》好看，ABC公司想买３百册，手机也能看。",
        "澜江市",
    ),
    ("", "ABC公司", "ABC"),
    ("多少钱", "Ｐ９手机卖３９９９元", "３９９９元"),
    ("何时出版？", "二月", "二月"),
    ("白鹿是谁", "，。", "，"),
    ("空", "", None),
    ("空", " \u200b", None),
    ("谁写的", "顾南和许青，" * 9, "许青"),  # much that is equal
]
EXAMPLES = [
    example(question, context, *([answer] if answer else []), name=str(number))
    for number, (question, context, answer) in enumerate(QUESTIONS)
]
TWO_WINDOWS = features.Lengths(8, 10)
TEXTS = [text for question, context, _ in QUESTIONS for text in (question, context)]


def predictor(network, encoder, batch_tokens=4096):
    return decode.Predictor(network, encoder, TWO_WINDOWS, max_answer_length=9, batch_tokens=batch_tokens)


@pytest.fixture(scope="module")
def wild():
    """A network that has opinions, and its encoder."""
    encoder = light_encoder(TEXTS)
    seed_everything(2)
    network = model.build_network(encoder)
    make_wild(network)
    return network, encoder


def n_best(one, examples):
    """The n-best list of every question."""
    return one.score(one.features(examples))


@pytest.fixture(scope="module")
def expected(wild):
    """The n-best lists of questions that are read one at a time."""
    one = predictor(*wild)
    return [n_best(one, [example])[0] for example in EXAMPLES]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert [candidate[:2] for candidate in one] == [candidate[:2] for candidate in other]
        # A logit halfway between two places of the grid may go to either.
        assert [candidate.probability for candidate in one] == pytest.approx(
            [candidate.probability for candidate in other], rel=5e-3
        )


def test_answers_are_pieces_of_the_context(expected):
    for one, found in zip(EXAMPLES, expected):
        assert found or not one.context.strip(" \u200b")
        for candidate in found:
            assert candidate.text and one.context[candidate.start :].startswith(candidate.text)
        for choice in ("expected_f1", "most_probable"):
            answer = decode.choose(one.context, found, Settings(choice=choice))
            assert answer in one.context and (answer or not one.context.strip())
    assert len(expected[2]) > 10 and max(candidate.probability for found in expected for candidate in found) > 0.2


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batch_tokens_and_order_change_nothing(wild, expected, batch_tokens):
    one = predictor(*wild, batch_tokens)
    assert_same(n_best(one, EXAMPLES), expected)
    order = np.random.default_rng(batch_tokens).permutation(len(EXAMPLES))
    shuffled = n_best(one, [EXAMPLES[index] for index in order])
    assert_same([shuffled[place] for place in np.argsort(order)], expected)
    long = example("谁写的", "天地人和" * 100)
    assert_same(n_best(one, [*EXAMPLES, long])[:-1], expected)
    assert one([], Settings()) == []


def test_an_answer_is_chosen_for_each_question_at_any_settings(wild, expected):
    one = predictor(*wild)
    dev = DevSet(EXAMPLES[:6], one, lambda examples, answers: answers)
    for chosen_by in (Settings(), Settings(0.2, "most_probable")):
        answers = [decode.choose(example.context, best, chosen_by) for example, best in zip(EXAMPLES, expected)]
        assert one(EXAMPLES, chosen_by) == answers and dev.evaluate(chosen_by) == answers[:6]


def test_logits_do_not_see_padding(wild):
    network, encoder = wild
    for group in features.question_windows(EXAMPLES, encoder, TWO_WINDOWS):
        for window in group:
            arrays = pad_features([window.arrays])
            mask = window.pair.is_context
            one, other = (network(rows).numpy()[0] for rows in (arrays, padded(arrays, rows=2, columns=30)))
            np.testing.assert_allclose(other[: len(mask)][mask], one[mask], atol=1e-4)


def test_training_and_prediction_read_the_same(wild):
    network, encoder = wild
    groups, _ = labelled(EXAMPLES[:6], encoder, TWO_WINDOWS)
    batch = features.collate(groups, np.random.default_rng(0), 0)
    logits = network({name: batch[name] for name in groups[0][0].arrays})
    np.testing.assert_allclose(TrainingModel(network, model.loss)(batch), logits, atol=1e-6)
    assert logits.shape == batch["labels"].shape


def test_the_question_decides_the_answer_after_training():
    seed_everything(1)
    encoder = light_encoder(TEXTS, hidden_size=32, dropout=0.0)
    questions = EXAMPLES[:6]
    groups, lost = labelled(questions, encoder, TWO_WINDOWS)
    assert len(groups) == 6 and not lost
    network = model.build_network(encoder)
    sizes = [max(len(window.pair) for window in group) for group in groups]
    training = TrainingModel(network, model.loss)
    learn_by_heart(training, groups, sizes, lambda batch, generator: features.collate(batch, generator, 0))
    # The first two have one context: only the question tells which of two names it is.
    answers = predictor(network, encoder)(questions, Settings(choice="most_probable"))
    assert answers == [answer for *_, answer in QUESTIONS[:6]]
