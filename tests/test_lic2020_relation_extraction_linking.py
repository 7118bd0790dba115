"""GPLinker in relation extraction: labels, network, loss and decoding. Every sentence here is invented."""

import itertools
import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings

from common.dev_search import DevSet
from common.encoders.bert import BertEncoder
from common.generators import training_dataset
from common.keras_compat import seed_everything, tf
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, TrainingOptions
from common.runs.directory import Run

import competition
from helpers import refused
from test_lic2020_relation_extraction_model import SCHEMA, TEXTS, TRAINING, light_encoder, sentences, told_relations

import live_answers  # isort: skip - in scripts/, like explained
from explained.lic2020_relation_extraction import parts  # isort: skip

FOLDER = "lic2020_relation_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
linking = competition.load(FOLDER, "linking")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
predict = competition.load(FOLDER, "predict")

Settings = decode.Settings
CLASSES = len(SCHEMA.classes)
NAMES = ("entities", "first_links", "last_links")


@pytest.fixture(scope="module")
def bert():
    """An encoder for features only, that knows all characters of the tests."""
    texts = ["".join(sorted({*"".join(TEXTS), *"云阿木水顾南许青白鹿远山长桥Abc9，的在——"}))] * 2
    return BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=64))


def windows_of(encoder, *texts):
    return features.sentence_windows(texts, encoder)


def labelled(encoder, examples, schema=SCHEMA):
    return list(features.labelled_windows(examples, encoder, schema, Counter()))


# Labels


def slow_labels(window):
    """The spans and links of a window, by what they are."""
    found = {name: set() for name in NAMES}
    for (begin, end), objects in window.subjects.items():
        for first, last, class_id in objects:
            found["entities"] |= {(0, begin, end), (1, first, last)}
            found["first_links"].add((class_id, begin, first))
            found["last_links"].add((class_id, end, last))
    return found


def test_a_batch_against_a_slow_reference(bert):
    batch = labelled(bert, TRAINING)
    inputs = linking.collate_links(batch)
    assert inputs["token_ids"].shape == (len(batch), max(len(window.encoding) for window in batch))
    for name in NAMES:
        expected = [(row, *label) for row, window in enumerate(batch) for label in sorted(slow_labels(window)[name])]
        assert [*map(tuple, inputs[name].tolist())] == expected and inputs[name].dtype == np.int32


def test_a_batch_in_which_nothing_is_told(bert):
    inputs = linking.collate_links(labelled(bert, [task.Example("顾南", (), 1)]))
    assert all(inputs[name].shape == (0, 4) for name in NAMES)


# Gold -> labels -> decoder -> gold


def decoded_labels(examples, encoder, schema):
    """The triples that are decoded from the labels alone."""
    scores = []
    for window in labelled(encoder, examples, schema):
        labels = slow_labels(window)
        spans = [sorted(label[1:] for label in labels["entities"] if label[0] == kind) for kind in (0, 1)]
        places = [
            (*subject, *span, class_id)
            for subject, span in itertools.product(*spans)
            for class_id in range(len(schema.classes))
            if (class_id, subject[0], span[0]) in labels["first_links"]
            and (class_id, subject[1], span[1]) in labels["last_links"]
        ]
        sure = np.ones(len(places))
        scores.append(linking.LinkScores(window, np.array(places, np.int32).reshape(-1, 5), sure, sure))
    return decode.Predictor(None, encoder, schema).decode(examples, scores, Settings(0.5, 0.5))


@settings(max_examples=60)
@given(told=told_relations())
def test_relations_between_names_that_stand_once_all_come_back(bert, told):
    text, triples = told
    [found] = decoded_labels([task.Example(text, tuple(triples), 1)], bert, SCHEMA)
    assert set(found) >= triples


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
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    schema = task.Schema.read(folder / "schema.json")
    examples = task.read(folder / name, schema, labelled=True)
    texts = [example.text for example in examples]
    encoder = BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8))
    found = decoded_labels(examples, encoder, schema)
    score = metric.score([(example.text, example.triples) for example in examples], zip(texts, found))
    print(f"{score.f1:.4f} of gold survives in {folder / name}")
    assert score.f1 >= 0.997


# Scores -> triples


def drawn_outputs(seed, batch, length, scale=2.0):
    """Scores as a network gives them, on a coarse grid, so that many are equal."""
    generator = np.random.default_rng(seed)

    def drawn(*shape):
        return (np.rint(generator.normal(-0.2, scale, shape) * 2) / 2).astype(np.float32)

    outputs = {"entities": drawn(batch, 2, length, length)}
    outputs["entities"][:, :, np.tril_indices(length, -1)[0], np.tril_indices(length, -1)[1]] = -3e4
    for edge in linking.EDGES:
        outputs[f"{edge}_pairs"] = drawn(batch, length, length)
        outputs |= {f"{edge}_{name}": drawn(batch, length, CLASSES) / 2 for name in ("subject", "object")}
    outputs["entities"][:, :, 0] = outputs["entities"][:, :, :, 0] = -3e4  # [CLS]
    return outputs


def by_brute_force(outputs, row, setting, most):
    """All (subject, object, class) of a window whose four scores are above the thresholds, with the least of them. Of
    spans the `most` best ones count."""
    spans = outputs["entities"][row].astype(np.float64)
    length = spans.shape[1]
    kept = []
    for scores in spans:
        places = [(first, last) for first in range(length) for last in range(first, length)]
        best = sorted(places, key=lambda place: (-scores[place], place))[:most]
        kept.append([place for place in best if scores[place] > linking.logit(setting.subject_threshold)])
    found = {}
    for subject, span in itertools.product(*kept):
        for class_id in range(CLASSES):
            links = [
                float(outputs[f"{edge}_pairs"][row, one, other])
                + float(outputs[f"{edge}_subject"][row, one, class_id])
                + float(outputs[f"{edge}_object"][row, other, class_id])
                for edge, one, other in zip(linking.EDGES, subject, span)
            ]
            if min(links) > linking.logit(setting.object_threshold):
                found[subject, span, class_id] = min(spans[0][subject], spans[1][span], *links)
    return found


@pytest.mark.parametrize("at_once", [1, 2**20])
def test_decoding_against_all_spans_and_classes(monkeypatch, bert, at_once):
    monkeypatch.setattr(linking, "_AT_ONCE", at_once)
    batch = windows_of(bert, "顾南许青白鹿", "", "许青主演", "白鹿")
    found_any = 0
    for seed in range(3):
        outputs = drawn_outputs(seed, len(batch), 8, scale=1.0)
        scores = linking.score_links(batch, outputs, 0.3, 0.1)
        assert [score.window for score in scores] == batch
        asked = [Settings(0.5, 0.5), Settings(0.3, 0.8), Settings(0.9, 0.1)]
        for row, setting in itertools.product(range(len(batch)), asked):
            expected = by_brute_force(outputs, row, setting, len(batch[row].encoding))
            assert set(scores[row].objects(setting)) == set(expected)
            found_any += len(expected)
            for key, sure in scores[row].probabilities(setting).items():
                assert math.isclose(sure, 1 / (1 + math.exp(-expected[key])))
    assert found_any > 100


def test_what_scores_the_same_is_decided_alike_whatever_the_last_bits_say(bert):
    batch, found = windows_of(bert, "顾南许青"), set()
    outputs = drawn_outputs(5, 1, 6)
    for seed in range(20):
        noise = np.random.default_rng(seed)
        noisy = {name: values + noise.uniform(-1e-5, 1e-5, values.shape) for name, values in outputs.items()}
        [score] = linking.score_links(batch, noisy, 0.5, 0.5)  # whose logit is on the grid
        found.add((score.places.tobytes(), score.span_scores.tobytes()))
    assert len(found) == 1


def test_probabilities_of_0_and_1():
    assert linking.logit(0.5) == 0 and linking.logit(0.2) == pytest.approx(math.log(0.25))
    assert -3e4 < linking.logit(0) < -1e3 and linking.logit(1) == math.inf


# The network


def linking_model():
    encoder = light_encoder()
    return encoder, model.build_network(encoder, CLASSES, "gplinker")


@pytest.fixture(scope="module")
def talkative():
    """A predictor with random weights so wild that it predicts something everywhere."""
    seed_everything(2)
    encoder, network = linking_model()
    generator = np.random.default_rng(1)
    for name in ("entities", "first_links", "last_links"):
        classes = network.get_layer(name).classification
        classes.kernel.assign(generator.normal(0, 1.0, classes.kernel.shape))
        classes.bias.assign(generator.normal(0, 1.0, classes.bias.shape))
    return decode.Predictor(network, encoder, SCHEMA)


PAIR = Settings(0.5, 0.7)


def test_something_is_extracted_and_all_of_it_is_in_the_text(talkative):
    found = talkative(sentences(*TEXTS), PAIR)
    assert sum(map(len, found)) > 30
    for text, triples in zip(TEXTS, found):
        assert len(set(triples)) == len(triples)
        assert all(one.subject in text and all(value in text for _, value in one.object) for one in triples)


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batch_tokens_and_order_change_nothing(talkative, batch_tokens):
    expected = [talkative(sentences(text), PAIR)[0] for text in TEXTS]
    of_size = decode.Predictor(talkative.networks, talkative.encoder, SCHEMA, batch_tokens)
    order = np.random.default_rng(batch_tokens).permutation(len(TEXTS))
    shuffled = of_size(sentences(*(TEXTS[index] for index in order)), PAIR)
    assert [shuffled[at] for at in np.argsort(order)] == expected


def test_special_tokens_and_padding_are_in_nothing(talkative):
    windows = features.sentence_windows(TEXTS, talkative.encoder)
    for score in talkative.score(windows, [Settings(0.0, 0.5)]):
        inside = set(range(1, len(score.window.encoding) - 1))
        assert {*score.places[:, :4].ravel().tolist()} <= inside and bool(len(score.places)) == bool(inside)


def test_scores_once_computed_decode_at_any_threshold_as_if_computed_for_it(talkative):
    asked = [Settings(*pair) for pair in itertools.product((0.01, 0.5, 0.999), (0.01, 0.9, 0.999))]
    scores = talkative.score(talkative.features(sentences(*TEXTS)), asked)
    counts = []
    for pair in asked:
        cached = talkative.decode(sentences(*TEXTS), scores, pair)
        assert cached == talkative(sentences(*TEXTS), pair)
        counts.append(sum(map(len, cached)))
    assert len(set(counts)) > 4


@pytest.mark.parametrize("pair", [PAIR, Settings(0.3, 0.3), Settings(0.999, 0.02)])
def test_what_is_chosen_from_a_file_of_scores_is_what_is_decoded(talkative, pair):
    examples = sentences(*TEXTS)
    found = talkative.candidates(examples, pair)
    assert [decode.choose(*one, pair, SCHEMA, talkative.nests) for one in zip(examples, found)] == talkative(
        examples, pair
    )
    assert min(one.object_probability for some in found for one in some) < 0.1 < sum(map(len, found))


def test_the_threshold_search_finds_the_best_pair(talkative):
    chosen = decode.grid("gplinker")[7]
    gold = talkative(sentences(*TEXTS), chosen)
    examples = [task.Example(text, tuple(triples), 1) for text, triples in zip(TEXTS, gold)]
    dev = DevSet(examples, talkative, lambda examples, predictions: predictions)
    found, predictions = dev.search(decode.grid("gplinker"), decode.counts, decode.f1, seed=1)
    assert found.score == 1.0 and predictions == gold


def test_a_new_network_finds_nothing():
    seed_everything(1)
    encoder, network = linking_model()
    assert decode.Predictor(network, encoder, SCHEMA)(sentences(*TEXTS), decode.DEFAULTS["gplinker"]) == [[]] * len(
        TEXTS
    )


def test_all_weights_are_trained(talkative):
    batch, training = (
        linking.collate_links(labelled(talkative.encoder, TRAINING)),
        TrainingModel(talkative.networks, model.loss),
    )
    with tf.GradientTape() as tape:
        loss = training.batch_loss(batch)
    gradients = tape.gradient(loss, talkative.networks.trainable_weights)
    assert all(tf.reduce_any(tf.convert_to_tensor(gradient) != 0) for gradient in gradients)


def test_training_learns_its_sentences():
    seed_everything(1)
    encoder, network = linking_model()
    windows = labelled(encoder, TRAINING)
    training = TrainingModel(network, model.loss)
    epochs = 50
    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
        lambda batch, generator: linking.collate_links(batch),
        4,
        1,
        range(epochs),
        training,
    )
    training.compile(build_optimizer(TrainingOptions(epochs=1, ema_momentum=0), 2e-2, epochs))
    history = training.fit(batches, steps_per_epoch=1, epochs=epochs, verbose=0).history
    parts = [history[name] for name in ("span_loss", "first_link_loss", "last_link_loss")]
    np.testing.assert_allclose(history["loss"], np.sum(parts, axis=0), rtol=1e-4)
    assert np.mean(history["loss"][-5:]) < 0.1 * history["loss"][0]
    found = decode.Predictor(network, encoder, SCHEMA)(TRAINING, Settings(0.5, 0.5))
    assert [set(triples) for triples in found] == [set(one.triples) for one in TRAINING]


# Scripts


def live(predictor):
    return SimpleNamespace(
        module=lambda name: competition.load(FOLDER, name), predictor=predictor, settings=PAIR, schema=SCHEMA
    )


def test_an_answer_tells_the_least_probability_of_each_triple(talkative):
    examples = sentences(*TEXTS)
    answers = live_answers.relations(live(talkative), examples)
    expected = [
        task.submission_record(example.text, triples, SCHEMA)
        for example, triples in zip(examples, talkative(examples, PAIR))
    ]
    assert [answer.record for answer in answers] == expected
    for answer in answers:
        assert len(answer.scores) == len(answer.record["spo_list"])
        assert all(0.5 <= one["probability"] <= 1 for one in answer.scores)


def test_what_is_explained_of_a_triple_are_the_scores_of_its_spans_and_links(talkative):
    text = "顾南导演《远山》，许青主演"
    record = {"spo_list": [{"subject": "远山", "predicate": "导演", "object": {"@value": "顾南"}}]}
    [part] = parts(live(talkative), sentences(text)[0], record)
    outputs = talkative.networks({name: tf.constant(values) for name, values in part.reading.inputs.items()})
    values = {name: output.numpy()[0].astype(np.float64) for name, output in outputs.items()}
    [window] = talkative.features(sentences(text))
    subject, span = (window.encoding.token_span(text.index(name), text.index(name) + 2) for name in ("远山", "顾南"))
    class_id = SCHEMA.class_ids["导演", "@value"]
    expected = values["entities"][0][subject] + values["entities"][1][span]
    for edge, one, other in zip(linking.EDGES, subject, span):
        expected += values[f"{edge}_pairs"][one, other]
        expected += values[f"{edge}_subject"][one, class_id] + values[f"{edge}_object"][other, class_id]
    assert part.of(outputs).numpy() == pytest.approx([expected], rel=1e-5)


def test_a_run_from_before_there_was_a_choice_has_half_pointers(tmp_path):
    assert predict.head_of(Run(tmp_path, {"settings": {}})) == "half_pointer"
    assert predict.head_of(Run(tmp_path, {"settings": {"head": "gplinker"}})) == "gplinker"
    refused(lambda: predict.head_of(Run(tmp_path, {"settings": {"head": "crf"}})), "config.json", "crf")
