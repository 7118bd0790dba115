"""Features, network and decoding of event extraction. Every sentence here is invented."""

import json
from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.generators import training_dataset
from common.keras_compat import keras, seed_everything, tf
from common.losses import multilabel_cross_entropy
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, TrainingOptions
from common.runs.directory import Run

import competition
from helpers import mostly_slow, refused, write

FOLDER = "lic2020_event_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
predict = competition.load(FOLDER, "predict")

Settings = decode.Settings

HEADS = ["crf", "global_pointer", "gplinker"]
SCHEMA = task.Schema(
    {
        "竞赛-胜负": ("时间", "胜者", "败者"),
        "竞赛-夺冠": ("时间", "冠军"),
        "人生-结婚": ("时间", "结婚双方"),
        "产品-发布": ("发布方", "发布产品"),
    }
)
CLASSES = features.Classes(SCHEMA)
WIN, TITLE, MARRY, RELEASE = SCHEMA.event_types


def event(kind, trigger, *arguments, start=-1):
    """Arguments are (role, text) or (role, text, start)."""
    return task.Event(kind, trigger, start, tuple(task.Argument(*argument) for argument in arguments))


def class_of(kind, role=features.TRIGGER):
    return CLASSES.ids[kind, role]


def place(text, piece, number=0):
    start = [at for at in range(len(text)) if text.startswith(piece, at)][number]
    return start, start + len(piece)


def label(text, *events):
    lost = Counter()
    return features.label(text, events, CLASSES, lost), lost


def arguments_of(events):
    return {(event.event_type, argument.role, argument.text) for event in events for argument in event.arguments}


# Events -> spans


def test_classes_are_those_of_the_schema_and_then_the_triggers():
    assert CLASSES.pairs[: len(SCHEMA.classes)] == SCHEMA.classes
    assert CLASSES.pairs[len(SCHEMA.classes) :] == [(name, features.TRIGGER) for name in SCHEMA.event_types]
    for number, (kind, role) in enumerate(CLASSES.pairs):
        assert CLASSES.ids[kind, role] == number
        assert CLASSES.event_types[CLASSES.types[number]] == kind and CLASSES.role_names[CLASSES.roles[number]] == role
    assert CLASSES.roles[class_of(WIN, "时间")] == CLASSES.roles[class_of(MARRY, "时间")]


def test_the_start_in_the_file_counts():
    text = "云桥队主场，云桥队击败澜江队，云桥队真强"
    found, lost = label(text, event(WIN, "击败", ("胜者", "云桥队", 15), ("败者", "澜江队", 11), start=9))
    assert (
        found == {((9, 11), class_of(WIN)), ((15, 18), class_of(WIN, "胜者")), ((11, 14), class_of(WIN, "败者"))}
        and not lost
    )


def test_without_a_start_the_occurrence_nearest_to_the_trigger_is_labelled():
    text = "云桥队主场开赛，云桥队击败澜江队，过后云桥队真强"
    for start in (-1, 3, 400):  # unknown; elsewhere; beyond the text
        found, _ = label(text, event(WIN, "击败", ("胜者", "云桥队", start)))
        assert (place(text, "云桥队", 1), class_of(WIN, "胜者")) in found


def test_an_occurrence_in_the_same_case_comes_first():
    assert features.locate("ABC，好，abc", "abc", -1, 0) == (6, 9)
    assert features.locate("ABC，好", "abc", -1, 0) == (0, 3)
    assert (
        features.locate("ABC", "", -1, 0)
        is features.locate("A B", " ", -1, 0)
        is features.locate("A", "AB", 0, 0)
        is None
    )


def test_blanks_at_the_ends_are_not_labelled():
    text = "终场 云桥队 击败对手"
    assert label(text, event(WIN, " 击败", ("胜者", " 云桥队 ", 2)))[0] == {
        (place(text, "击败"), class_of(WIN)),
        (place(text, "云桥队"), class_of(WIN, "胜者")),
    }


def test_what_is_not_in_the_text_is_counted():
    found, lost = label("顾南结婚", event(MARRY, "完婚", ("结婚双方", "许青"), ("结婚双方", ""), ("结婚双方", "顾南")))
    assert lost == {"trigger not in the text": 1, "argument not in the text": 2}
    assert found == {((0, 2), class_of(MARRY, "结婚双方"))}


# Spans -> events


def test_events_of_one_type_become_one_and_say_a_thing_once():
    text = "云桥队击败澜江队，云桥队战胜北州队"
    found, _ = label(
        text,
        event(WIN, "击败", ("胜者", "云桥队", 0), ("败者", "澜江队", 5), start=3),
        event(WIN, "战胜", ("胜者", "云桥队", 9), ("败者", "北州队", 14), start=12),
    )
    [one] = decode.assemble(text, found, CLASSES)
    assert one == event(WIN, "击败", ("胜者", "云桥队", 0), ("败者", "澜江队", 5), ("败者", "北州队", 14), start=3)


def test_one_span_in_two_roles_and_nested_spans_come_back():
    text = "昨晚云桥队击败澜江队夺冠"
    told = [
        event(WIN, "击败", ("时间", "昨晚"), ("胜者", "云桥队"), ("败者", "澜江队")),
        event(TITLE, "夺冠", ("时间", "昨晚"), ("冠军", "云桥"), ("冠军", "云桥队")),
    ]
    back = decode.assemble(text, label(text, *told)[0], CLASSES)
    assert arguments_of(back) == arguments_of(told) and [one.trigger for one in back] == ["击败", "夺冠"]


def test_a_string_in_another_case_is_the_same_argument():
    text = "Apple上新，apple的顾南"
    found = {(place(text, name), class_of(RELEASE, role)) for name in ("Apple", "apple") for role in ("发布方",)}
    assert [one.arguments for one in decode.assemble(text, found, CLASSES)] == [(task.Argument("发布方", "Apple", 0),)]


def test_an_event_without_trigger_or_without_arguments():
    text = "顾南结婚，云桥公司上新"
    found = {((0, 2), class_of(MARRY, "结婚双方")), (place(text, "上新"), class_of(RELEASE))}
    assert decode.assemble(text, found, CLASSES) == [
        event(MARRY, "", ("结婚双方", "顾南", 0)),
        event(RELEASE, "上新", start=9),
    ]


NAMES = ["云桥队", "澜江", "顾南", "Abc9", "昨晚", "云", "阿木阿水"]


@st.composite
def told_events(draw):
    names = draw(st.permutations(NAMES))
    text = "".join(draw(st.sampled_from(["，", "与", "的", " "])) + name for name in names)
    pairs = st.tuples(st.sampled_from(SCHEMA.classes), st.sampled_from(names))
    drawn = draw(st.lists(pairs, max_size=8))
    return text, [event(kind, draw(st.sampled_from(["", *names])), (role, name)) for (kind, role), name in drawn]


@settings(max_examples=200)
@given(told_events())
def test_all_arguments_come_back_and_none_twice(told):
    text, events = told
    found, lost = label(text, *events)
    back = decode.assemble(text, found, CLASSES)
    assert arguments_of(back) == arguments_of(events) and not lost
    assert sum(len(one.arguments) for one in back) == len(arguments_of(back))
    assert all(text.startswith(argument.text, argument.start) for one in back for argument in one.arguments)


# Texts -> windows


@pytest.fixture(scope="module")
def bert():
    """An encoder for features only: its vocabulary knows all characters of the tests."""
    texts = ["昨晚云桥队、北州队击败澜江队夺冠；顾南与许青结婚，白鹿公司发布新机" * 2] * 2
    return BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=16))


def windows_of(encoder, *examples):
    examples = [task.Example(str(line), text, tuple(events), line) for line, (text, *events) in enumerate(examples, 1)]
    lost = Counter()
    return list(features.labelled_windows(examples, encoder, CLASSES, lost)), lost


MATCH = (
    "昨晚云桥队击败澜江队夺冠",
    event(WIN, "击败", ("胜者", "云桥队"), ("败者", "澜江队")),
    event(TITLE, "夺冠", ("冠军", "云桥队")),
)
WEDDING = (
    "顾南与许青结婚",
    event(MARRY, "结婚", ("结婚双方", "顾南"), ("结婚双方", "许青"), ("结婚双方", "顾南与许青")),
)


def test_tags_are_tokens_of_their_window(bert):
    [window], lost = windows_of(bert, MATCH)
    assert not lost and window.whole
    assert {(window.encoding.char_span(first, last), class_id) for first, last, class_id in window.tags} == label(
        *MATCH
    )[0]


def test_a_long_text_is_labelled_in_every_window_that_holds_a_span(bert):
    found, lost = windows_of(bert, ("、白鹿" * 4 + "顾南" + "、白鹿" * 4, event(MARRY, "", ("结婚双方", "顾南"))))
    assert len(found) > 2 and not lost and not any(window.whole for window in found)
    assert 1 <= sum(len(window.tags) for window in found) < len(found)


def test_what_no_window_holds_is_counted(bert):
    found, lost = windows_of(bert, ("顾南" + "、白鹿" * 9, event(MARRY, "", ("结婚双方", "顾南" + "、白鹿" * 8))))
    assert lost == {
        "argument across windows or inside a token": 1,
        "text left out: nothing of its events could be labelled": 1,
    }
    assert found == []


def test_texts_without_events_teach_silence_and_those_with_lost_ones_are_left_out(bert):
    found, lost = windows_of(bert, ("昨晚",), ("",), ("顾南", event(MARRY, "成亲", ("结婚双方", "许青"))), WEDDING)
    assert [window.example for window in found] == [0, 1, 3]
    assert lost["text left out: nothing of its events could be labelled"] == 1


def test_the_crf_holds_one_of_overlapping_arguments_and_no_trigger_that_overlaps_one(bert):
    [window], _ = windows_of(
        bert, ("顾南与许青结婚", event(MARRY, "青结婚", ("结婚双方", "许青"), ("结婚双方", "顾南与许青")))
    )
    sequence, unheld = features.label_sequence(window, CLASSES)
    couple = class_of(MARRY, "结婚双方")
    assert sequence.tolist() == [0, 2 * couple + 1, *[2 * couple + 2] * 4, 0, 0, 0]
    assert unheld == [(4, 5, couple), (5, 7, class_of(MARRY))]


def test_the_crf_holds_everything_where_nothing_overlaps(bert):
    [window], _ = windows_of(bert, ("云桥队击败澜江队", MATCH[1]))
    sequence, unheld = features.label_sequence(window, CLASSES)
    assert unheld == [] and set(decode.bio_spans(sequence)) == window.tags


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (competition.COMPETITIONS / FOLDER / "sample", "train.json"),
        (competition.COMPETITIONS / FOLDER / "sample", "dev.json"),
        (competition.SHARED / "data" / FOLDER, "dev.json"),
    ],
    ids=["sample train", "sample dev", "real dev"],
)
def test_gold_survives_the_whole_way_through_tokens(folder, name):
    if not (folder / name).is_file():
        pytest.skip(f"{folder} is not there")
    classes = features.Classes(task.Schema.read(folder / "event_schema.json"))
    examples = task.read(folder / name, None, labelled=True)
    texts = [example.text for example in examples]
    encoder = BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8))
    windows = list(features.labelled_windows(examples, encoder, classes, Counter()))
    predictor = decode.Predictor(None, encoder, classes)
    f1 = {}
    for head in HEADS:
        back = predictor.decode(examples, decode.gold_scores(windows, classes, head), Settings(0.0))
        # One to one: where gold repeats an argument, a prediction that does not cannot have all of the official recall.
        f1[head] = metric.one_to_one(metric.compare_examples(examples, back)).f1
    print(f"{f1} of gold survives in {folder / name}")
    assert f1["global_pointer"] >= 0.99 and f1["crf"] >= 0.9


# Windows -> batches


def test_a_batch_against_a_slow_reference(bert):
    batch, _ = windows_of(bert, MATCH, ("昨晚",), WEDDING)
    length = max(len(window.encoding) for window in batch)
    inputs = {head: features.collate(batch, CLASSES, head) for head in HEADS}
    for head in HEADS:
        assert inputs[head]["token_ids"].shape == (3, length)
        types = [{CLASSES.event_types[at] for at in np.flatnonzero(row)} for row in inputs[head]["type_labels"]]
        assert types == [{WIN, TITLE}, set(), {MARRY}]
    tags = {(row, class_id, first, last) for row, window in enumerate(batch) for first, last, class_id in window.tags}
    for head in HEADS[1:]:
        assert set(map(tuple, inputs[head]["tags"].tolist())) == tags and len(inputs[head]["tags"]) == len(tags)
    for row, window in zip(inputs["crf"]["labels"], batch):
        sequence, _ = features.label_sequence(window, CLASSES)
        assert row.tolist() == [*sequence, *[0] * (length - len(sequence))]


def test_a_batch_in_which_nothing_happens(bert):
    batch, _ = windows_of(bert, ("昨晚",))
    assert features.collate(batch, CLASSES, "global_pointer")["tags"].shape == (0, 4)


# The loss of the global pointer


def slow_loss(spans, first, last, tags):
    logits = first.transpose(0, 2, 1)[:, :, :, None] + last.transpose(0, 2, 1)[:, :, None] + spans[:, None]
    wanted = np.zeros(logits.shape)
    wanted[tuple(tags.T)] = 1
    flat = [array.reshape(*array.shape[:2], -1) for array in (wanted, logits)]
    return tf.reduce_sum(multilabel_cross_entropy(*flat), 1).numpy()


def drawn_scores(seed, scale=1.0, batch=3, length=7, classes=5):
    generator = np.random.default_rng(seed)
    spans = generator.normal(0, scale, (batch, length, length))
    spans[:, np.tril_indices(length, -1)[0], np.tril_indices(length, -1)[1]] = -3e4
    spans[1, 4:] = spans[1, :, 4:] = -3e4
    first, last = generator.normal(0, scale, (2, batch, length, classes))
    tags = [(0, 1, 2, 2), (0, 1, 0, 5), (0, 3, 2, 2), (1, 0, 1, 3), (1, 4, 0, 0)]
    return [array.astype(np.float32) for array in (spans, first, last)], np.array(tags, np.int32)


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0, 15.0])
def test_the_factored_loss_is_the_loss_over_all_spans(scale):
    for seed in range(5):
        scores, tags = drawn_scores(seed, scale)
        for some in (tags, tags[:0]):
            losses = model.factored_multilabel_cross_entropy(*scores, some).numpy()
            assert losses.shape == (3,) and losses.dtype == np.float32
            np.testing.assert_allclose(losses, slow_loss(*scores, some), rtol=1e-4, atol=1e-5)


def test_the_factored_loss_has_the_gradient_of_the_loss_over_all_spans():
    scores, tags = drawn_scores(0)
    first = tf.Variable(scores[1])
    with tf.GradientTape() as tape:
        loss = model.factored_multilabel_cross_entropy(scores[0], first, scores[2], tags)
    gradient, step = tape.gradient(loss, first).numpy(), 1e-2
    for at in [(0, 2, 1), (0, 0, 1), (1, 1, 0), (2, 3, 2), (0, 6, 4)]:
        up, down = scores[1].copy(), scores[1].copy()
        up[at] += step
        down[at] -= step
        slope = (slow_loss(scores[0], up, scores[2], tags) - slow_loss(scores[0], down, scores[2], tags)).sum() / (
            2 * step
        )
        assert gradient[at] == pytest.approx(slope, abs=2e-3)


def test_the_factored_loss_survives_extreme_scores():
    for size in (-150.0, 150.0):
        scores, tags = drawn_scores(1)
        scores[1] += np.float32(size)
        first = tf.Variable(scores[1])
        with tf.GradientTape() as tape:
            loss = model.factored_multilabel_cross_entropy(scores[0], first, scores[2], tags)
        assert np.isfinite(loss).all() and np.isfinite(tape.gradient(loss, first)).all()
        np.testing.assert_allclose(loss, slow_loss(*scores, tags), rtol=1e-3)


@pytest.mark.parametrize("size", [30.0, 100.0])
def test_the_factored_loss_bears_factors_that_are_high_at_different_tokens(size):
    """No sum of three is near the sum of their maxima: there was a training whose loss got NaN for that."""
    spans, first, last = np.full((1, 3, 3), -size), np.full((1, 3, 1), -size), np.full((1, 3, 1), -size)
    spans[0, 0, 0] = first[0, 1, 0] = last[0, 2, 0] = size
    spans[0, 1, 2] = 1 - 2 * size
    scores, tags = [one.astype(np.float32) for one in (spans, first, last)], np.array([(0, 0, 0, 1)], np.int32)
    parts = [tf.Variable(one) for one in scores]
    with tf.GradientTape() as tape:
        loss = model.factored_multilabel_cross_entropy(*parts, tags)
    assert all(np.isfinite(tf.convert_to_tensor(one)).all() for one in tape.gradient(loss, parts))
    np.testing.assert_allclose(loss, np.log1p(np.e) + 3 * size, rtol=1e-5)


# The network


TEXTS = [
    MATCH[0],
    WEDDING[0],
    "白鹿公司发布新机",
    "",
    "ABC",
    "云桥队昨晚击败北州队，顾南与许青结婚，白鹿公司发布云桥新机",
    "他说，天气很好。",
    "许青",
]
#: What stands there again and again, so that much of it scores nearly the same.
REPETITIVE = [
    "顾南与许青结婚" * 7,
    "云桥队" * 12,
    "新" * 40,
    "昨晚云桥队击败北州队，昨晚云桥队击败北州队",
]
TRAINING = [
    task.Example("1", MATCH[0], MATCH[1:], 1),
    task.Example("2", WEDDING[0], WEDDING[1:], 2),
    task.Example("3", TEXTS[2], (event(RELEASE, "发布", ("发布方", "白鹿公司"), ("发布产品", "新机")),), 3),
    task.Example("4", TEXTS[6], (), 4),
]


def light_encoder():
    options = EncoderOptions(hidden_size=16, layers=2, max_length=64, dropout=0.1)
    return LightEncoder.from_texts(TEXTS * 2, options)


def build(head):
    encoder = light_encoder()
    return encoder, model.build_network(encoder, CLASSES, head, 100.0)


def training_of(network):
    return TrainingModel(network, partial(model.loss, network=network))


def unlabelled(*texts):
    return [task.Example(text, text, None, 1) for text in texts]


@pytest.fixture(scope="module", params=HEADS)
def talkative(request):
    """An encoder and a network with random weights so wild that they predict something everywhere."""
    seed_everything(2)
    encoder, network = build(request.param)
    generator = np.random.default_rng(1)
    for weight in network.weights:
        if any(name in weight.name for name in ("roles", "class_scores/types", "type_tags/kernel")):
            weight.assign(generator.normal(0, 1.0, weight.shape))
        if "class_scores/bias" in weight.name:
            weight.assign(np.zeros(weight.shape))
        if "transitions" in weight.name:
            weight.assign(generator.normal(0, 0.01, weight.shape))
    return encoder, network


@pytest.fixture(scope="module")
def predictor(talkative):
    encoder, network = talkative
    return decode.Predictor(network, encoder, CLASSES)


LOW = Settings(-1.0)


@pytest.fixture(scope="module")
def expected(predictor):
    """What is extracted one text at a time."""
    return [predictor(unlabelled(text), LOW)[0] for text in TEXTS]


def batch_of(network, encoder):
    windows = list(features.labelled_windows(TRAINING, encoder, CLASSES, Counter()))
    return features.collate(windows, CLASSES, head_of(network))


def head_of(network):
    return "gplinker" if "links" in network.output else "crf" if "emissions" in network.output else "global_pointer"


def test_class_scores_against_a_slow_reference():
    generator = np.random.default_rng(0)
    layer = model.ClassScores(CLASSES)
    states, logits = (
        generator.normal(size=(2, 3, 4)).astype(np.float32),
        generator.normal(size=(2, 4)).astype(np.float32),
    )
    scores = layer(states, logits).numpy()
    assert scores.shape == (2, 3, 2, len(CLASSES))
    roles, types, bias = layer.role_table.numpy(), layer.type_table.numpy(), layer.bias.numpy()
    for class_id, (kind, role) in enumerate(CLASSES.pairs):
        type_id, role_id = CLASSES.event_types.index(kind), CLASSES.role_names.index(role)
        for edge in (0, 1):
            slow = states @ (roles[role_id, edge] + types[type_id, edge]) + bias[edge, class_id]
            slow -= (1 - edge) * np.log1p(np.exp(-logits[:, type_id]))[:, None]
            np.testing.assert_allclose(scores[:, :, edge, class_id], slow, atol=1e-4)


def test_all_weights_are_used_in_prediction_or_belong_to_the_crf(talkative):
    _, network = talkative
    scores = {name: output for name, output in network.output.items() if name != "type_logits"}
    used = keras.Model(network.input, scores).weights
    assert {id(weight) for weight in network.weights} == {id(weight) for weight in used}


def test_the_loss_does_not_see_padding(talkative):
    encoder, network = talkative
    inputs, training = batch_of(network, encoder), training_of(network)
    wider = {
        name: values
        if name in ("tags", "links", "type_labels")
        else np.pad(values, [(0, 0), (0, 9)], constant_values=0)
        for name, values in inputs.items()
    }
    assert float(training.batch_loss(wider)) == pytest.approx(float(training.batch_loss(inputs)), rel=1e-4)


def test_something_is_extracted_and_all_of_it_is_in_the_text(predictor, expected):
    assert sum(len(one.arguments) for events in expected for one in events) > 20 and expected[3] == []
    for text, events in zip(TEXTS, expected):
        assert "links" in predictor.network.output or len({one.event_type for one in events}) == len(events)
        for one in events:
            assert not one.trigger or text.startswith(one.trigger, one.trigger_start)
            assert all(argument.text and text.startswith(argument.text, argument.start) for argument in one.arguments)
            assert len({(argument.role, argument.text) for argument in one.arguments}) == len(one.arguments)


@pytest.mark.parametrize("settings", [LOW, Settings(0.3)])
def test_out_of_the_candidates_that_is_chosen_which_is_decoded(predictor, settings):
    examples = unlabelled(*TEXTS[2:], TEXTS[0] * 3)
    found = predictor.candidates(examples, settings)
    chosen = [decode.choose(*one, settings, CLASSES) for one in zip(examples, found)]
    assert chosen == predictor(examples, settings)
    for example, one in zip(examples, found):
        assert all(example.text.startswith(candidate.text, candidate.start) for candidate in one.candidates)
        probabilities = [candidate.probability for candidate in one.candidates]
        assert probabilities == sorted(probabilities, reverse=True)
        assert decode.Considered.of(json.loads(json.dumps(one.record()))) == one
    assert any(candidate.probability < 0.2 for one in found for candidate in one.candidates)
    linking = "links" in predictor.network.output
    assert any(one.links for one in found) == linking and all((one.links is not None) == linking for one in found)


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batch_tokens_and_order_change_nothing(talkative, predictor, expected, batch_tokens):
    of_size = decode.Predictor(talkative[1], talkative[0], CLASSES, batch_tokens)
    texts = [*TEXTS, *REPETITIVE]
    expected = [*expected, *(predictor(unlabelled(text), LOW)[0] for text in REPETITIVE)]
    assert of_size(unlabelled(*texts), LOW) == expected
    order = np.random.default_rng(batch_tokens).permutation(len(texts))
    shuffled = of_size(unlabelled(*(texts[index] for index in order)), LOW)
    assert [shuffled[at] for at in np.argsort(order)] == expected
    assert of_size(unlabelled("他" * 62, *texts), LOW)[1:] == expected, "padded by a long neighbour"


@pytest.mark.parametrize("head", HEADS)
def test_what_scores_the_same_goes_by_its_place_whatever_the_last_bits_say(head):
    """Whole numbers, so that much is equal, with noise as another batch or padding makes it."""
    _, network = build(head)
    generator, length, classes = np.random.default_rng(3), 9, len(CLASSES)
    shapes = {"emissions": 2 * classes + 1} if head == "crf" else {"spans": length, "first": classes, "last": classes}
    values = {name: generator.integers(-2, 2, (1, length, size)) for name, size in shapes.items()}
    predictor = decode.Predictor(network, None, CLASSES)
    decide = predictor._best_paths if head == "crf" else predictor._spans_above
    grid, found = [Settings(-3.5), Settings(0.3)], set()
    for seed in range(30):
        noise = np.random.default_rng(seed)
        outputs = {
            name: tf.constant(value + noise.uniform(-1e-5, 1e-5, value.shape), tf.float32)
            for name, value in values.items()
        }
        [(tags, _)] = decide(outputs, np.array([length]), grid)
        assert all(tags.values())
        found.add(str(tags))
    assert len(found) == 1


def test_nothing_to_extract_from(predictor):
    assert predictor([], Settings(0.0)) == []
    assert predictor(unlabelled("", " ", "\n"), Settings(0.0)) == [[], [], []]


def test_a_very_long_text_is_read_to_its_end(predictor, expected):
    text = "".join(TEXTS) * 5
    long, short = predictor(unlabelled(text, TEXTS[2]), LOW)
    assert short == expected[2] and long
    windows = features.text_windows([text], predictor.encoder)
    assert len(windows) > 10 and windows[-1].encoding.offsets[-1, 1] == len(text)
    [score] = predictor.score(windows[-1:], [LOW])
    assert score.tags[LOW], "nothing is found in the last window"


def test_special_tokens_and_padding_are_never_tagged(predictor):
    windows = features.text_windows(TEXTS, predictor.encoder)
    lowest = Settings(-50.0)
    scores = predictor.score(windows, [lowest])
    assert all(score.window is window for score, window in zip(scores, windows, strict=True))
    for score in scores:
        tokens = set(range(1, len(score.window.encoding) - 1))
        assert {token for first, last, _ in score.tags[lowest] for token in (first, last)} <= tokens
        assert bool(score.tags[lowest]) == bool(tokens) and all(first <= last for first, last, _ in score.tags[lowest])


def test_overlapping_windows_say_a_thing_once(predictor):
    [window] = features.text_windows(["顾南结婚"], predictor.encoder)
    tags = [(1, 2, class_of(MARRY, "结婚双方"))]
    score = decode.Scores(window, {LOW: tags}, [] if head_of(predictor.network) == "gplinker" else None)
    once = predictor.decode(unlabelled("顾南结婚"), [score], LOW)
    twice = predictor.decode(unlabelled("顾南结婚"), [score] * 2, LOW)
    assert once == twice == [[event(MARRY, "", ("结婚双方", "顾南", 0))]]


def test_of_spans_in_doubt_the_best_of_those_that_overlap_is_kept():
    spans = [
        (1, 4, 0, -1.0),
        (2, 4, 0, -0.5),
        (3, 6, 0, -2.0),
        (5, 6, 0, -3.0),
        (2, 4, 1, -4.0),
        (1, 1, 0, -5.0),
        (2, 2, 0, -6.0),
    ]
    assert decode.without_doubles(spans) == [(2, 4, 0, -0.5), (5, 6, 0, -3.0), (1, 1, 0, -5.0), (2, 4, 1, -4.0)]


def test_spans_that_training_says_are_there_may_nest_and_share():
    spans = [(1, 4, 0, 2.0), (2, 3, 0, 0.1), (1, 4, 1, 1.0), (3, 6, 0, -0.1)]
    assert decode.without_doubles(spans) == spans[:3]


def test_a_higher_threshold_finds_less_and_all_thresholds_can_be_asked_for_at_once(predictor):
    grid, texts = [Settings(threshold) for threshold in (-3.0, 0.0, 3.0, 6.0)], unlabelled(*TEXTS)
    scores = predictor.score(predictor.features(texts), grid)
    assert [predictor.decode(texts, scores, one) for one in grid] == [predictor(texts, one) for one in grid]
    counts = [sum(len(score.tags[one]) for score in scores) for one in grid]
    assert counts == sorted(counts, reverse=True) and len(set(counts)) == len(grid)


class ByHand(decode.Predictor):
    """Says of the training texts all their tags at the threshold `best`, none above it, and more than there are below
    it."""

    def __init__(self, encoder, best):
        super().__init__(None, encoder, CLASSES)
        self.best = best

    def score(self, all_windows, settings):
        labelled = list(features.labelled_windows(TRAINING, self.encoder, CLASSES, Counter()))
        return [
            decode.Scores(
                window,
                {
                    at: sorted(window.tags) * (at <= self.best) + [(1, 1, 0), (2, 2, 1)] * (at < self.best)
                    for at in settings
                },
            )
            for window in labelled
        ]


def best_on(examples, predictor):
    """What the search on dev finds, and the predictions of its setting."""
    dev = DevSet(examples, predictor, lambda examples, predictions: predictions)
    return dev.search(decode.GRID, decode.counts, decode.f1, seed=1)


@pytest.mark.parametrize("best", [min(decode.GRID), sorted(decode.GRID)[3], max(decode.GRID)])
def test_the_threshold_search_finds_the_best_one(bert, best):
    found, _ = best_on(TRAINING, ByHand(bert, best))
    assert found == (best, 1.0, 1.0)


def test_a_threshold_search_where_nothing_happens(bert):
    examples = [task.Example(example.id, example.text, (), 1) for example in TRAINING]
    found, _ = best_on(examples, ByHand(bert, Settings(0.0)))
    assert found.score == found.crossed == 0.0


class NamesNothing:
    """Says of each text that the first two characters are married, but of the second text that others are."""

    def __init__(self):
        self.asked = []

    def __call__(self, examples, settings):
        self.asked.append(len(examples))
        names = [example.text[:2] if example.line != 2 else "何人" for example in examples]
        return [[event(MARRY, "", ("结婚双方", name, 0))] for name in names]


def test_one_bad_answer_costs_no_other(tmp_path, capsys):
    examples, found = [task.Example(str(n), "顾南结婚", None, n) for n in (1, 2, 3)], Counter()
    given = (examples, NamesNothing(), None, SCHEMA, tmp_path / "in.json", found)
    good = [event(MARRY, "", ("结婚双方", "顾南", 0))]
    assert list(predict.answers(*given)) == [good, [], good]
    assert found == {"events": 2, "arguments": 2}
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "1 of 3 predictions" in err and "in.json:2:" in err and "何人" in err


def test_answers_are_made_when_they_are_written(tmp_path):
    """Round by round: memory does not grow with the number of texts."""
    examples, predictor = unlabelled(*["顾南结婚"] * 2500), NamesNothing()
    answers = predict.answers(examples, predictor, None, SCHEMA, tmp_path, Counter())
    next(answers)
    assert predictor.asked == [1000]
    assert len(list(answers)) == 2499 and predictor.asked == [1000, 1000, 500]


@pytest.mark.parametrize(
    "content",
    [
        '"crf"',
        "{}",
        '{"head": "crf"}',
        '{"head": "crfs", "transition_multiplier": 30}',
        '{"head": ["crf"], "transition_multiplier": 30}',
        '{"head": "crf", "transition_multiplier": "30"}',
        '{"head": "crf", "transition_multiplier": NaN}',
        '{"head": "crf", "transition_multiplier": 0}',
        '{"head": "crf", "transition_multiplier": 1e9}',
        '{"head": "crf", "transition_multiplier": 30, "more": 1}',
    ],
)
def test_a_foreign_network_is_refused(tmp_path, content):
    path = write(tmp_path / "network.json", content)
    refused(lambda: Run(tmp_path, {}).read_json("network.json", features.BuiltWith), path)


def test_transitions_are_read_when_they_are_needed():
    seed_everything(1)
    encoder, network = build("crf")
    predictor, crf = decode.Predictor(network, encoder, CLASSES), network.get_layer("crf")
    before = predictor(unlabelled(*TEXTS), Settings(0.0))
    begin = 2 * class_of(MARRY, "结婚双方") + 1
    transitions = crf.transitions.numpy()
    transitions[0, begin] = 1.0
    crf.transitions.assign(transitions)
    after = predictor(unlabelled(*TEXTS), Settings(0.0))
    assert before != after and (MARRY, "结婚双方") in {one[:2] for one in arguments_of(after[0])}


def test_paths_are_legal_whatever_the_weights(talkative):
    encoder, network = talkative
    if "emissions" not in network.output:
        pytest.skip("of the CRF alone")
    batch, crf = batch_of(network, encoder), network.get_layer("crf")
    emissions = network({name: batch[name] for name in network.input_names})["emissions"].numpy()
    lengths = np.array(
        [len(window.encoding) for window in features.text_windows([one.text for one in TRAINING], encoder)]
    )
    for path in decode.viterbi(emissions, crf.transition_scores(), crf.starts, lengths):
        inside = [(before, label_id) for before, label_id in zip([0, *path], path) if label_id and label_id % 2 == 0]
        assert all(before in (label_id - 1, label_id) for before, label_id in inside)


@pytest.mark.parametrize(
    "head",
    mostly_slow(HEADS, "crf", "gplinker", reason="the default, with which test_contract.py learns 8 examples by heart"),
)
def test_training_learns_its_texts(head):
    seed_everything(1)
    encoder, network = build(head)
    training = training_of(network)
    windows = list(features.labelled_windows(TRAINING, encoder, CLASSES, Counter()))
    epochs = 40
    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
        lambda batch, generator: features.collate(batch, CLASSES, head),
        4,
        1,
        range(epochs),
        training,
    )
    training.compile(build_optimizer(TrainingOptions(epochs=1, ema_momentum=0), 3e-2, epochs))
    history = training.fit(batches, steps_per_epoch=1, epochs=epochs, verbose=0).history
    assert np.mean(history["loss"][-5:]) < 0.2 * history["loss"][0]
    parts = [values for name, values in history.items() if name != "loss" and name.endswith("_loss")]
    assert len(parts) == 2 + (head == "gplinker")
    np.testing.assert_allclose(history["loss"], np.sum(parts, axis=0), rtol=1e-4)
    predictor = decode.Predictor(network, encoder, CLASSES)
    held = predictor.decode(TRAINING, decode.gold_scores(windows, CLASSES, head), Settings(0.0))
    assert predictor(TRAINING, Settings(0.0)) == held
