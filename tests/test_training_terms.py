"""The loss terms of every contest against its formula in double precision: numerators, denominators, and what both make
of a batch given twice."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from common.encoders import build_encoder
from common.generators import Arrays
from common.keras_compat import keras, seed_everything, tf
from common.losses import symmetric_divergence
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions

import competition

#: Numerator and denominator of each term, by name.
Terms = dict[str, tuple[float, float]]
TEXTS = 6


class Case(NamedTuple):
    """A contest's network and batch, and a function that makes its terms of what the network says of the batch.

    rows: names of inputs that hold numbers of rows of another input, -1 for none, in their first column where they have
    several.
    """

    training: TrainingModel
    batch: Arrays
    terms: Callable[[Any], Terms]
    rows: dict[str, str]


def small(**options) -> EncoderOptions:
    return EncoderOptions(**{"hidden_size": 16, "layers": 1, "word_size": 8, "max_length": 64, **options})


def with_opinions(training: TrainingModel) -> TrainingModel:
    generator = np.random.default_rng(1)
    for weight in training.weights:
        weight.assign_add(generator.normal(0, 0.1, weight.shape))
    return training


def read_training(folder: str, *arguments: Any) -> list[Any]:
    sample = competition.COMPETITIONS / folder / "sample"
    return competition.load(folder, "task").read(sample / "train.json", *arguments, labelled=True)[:TEXTS]


def sigmoid_errors(labels, logits) -> np.ndarray:
    logits = np.asarray(logits, np.float64)
    return np.logaddexp(0, np.where(labels, -logits, logits))


def softmax_errors(labels, logits) -> np.ndarray:
    logits = np.asarray(logits, np.float64)
    return np.logaddexp.reduce(logits, axis=-1) - np.take_along_axis(logits, labels[..., None], -1)[..., 0]


def marginal_error(right, logits, allowed) -> float:
    logits, right = np.asarray(logits, np.float64), (right == 1) & allowed
    return np.logaddexp.reduce(logits[allowed]) - np.logaddexp.reduce(logits[right]) if right.any() else 0.0


def pair_errors(logits, right) -> float:
    """Multi-label cross entropy of scores of pairs of tokens, of all rows and classes. right: (n, 4), places in them."""
    logits, is_right = np.asarray(logits, np.float64), np.zeros(logits.shape, bool)
    is_right[tuple(right.T)] = True
    wrong = np.logaddexp.reduce(np.where(is_right, -np.inf, logits), axis=(2, 3))
    missed = np.logaddexp.reduce(np.where(is_right, -logits, -np.inf), axis=(2, 3))
    return (np.logaddexp(0, wrong) + np.logaddexp(0, missed)).sum()


def factored_errors(pairs, first, last, right) -> float:
    """The same of scores in three parts, the second and third by class."""
    first, last = (np.asarray(scores, np.float64).transpose(0, 2, 1) for scores in (first, last))
    return pair_errors(np.asarray(pairs, np.float64)[:, None] + first[..., None] + last[:, :, None], right)


def priors(counts, decisions: int | None = None) -> np.ndarray:
    """What logit adjustment adds for each class, float (classes,): centred log odds, or log frequencies for a
    softmax."""
    right = np.asarray(counts, np.float64) + 1
    logs = np.log(right) - (0 if decisions is None else np.log(decisions - counts + 1))
    return logs - (right * logs).sum() / right.sum()


def said_by(training: TrainingModel, layer: str, batch: Arrays) -> np.ndarray:
    network = training.network
    inputs = {name: batch[name] for name in network.input_names}
    return keras.Model(network.inputs, network.get_layer(layer).output)(inputs).numpy()


def reading_comprehension() -> Case:
    folder = "lic2020_reading_comprehension"
    model, features = competition.load(folder, "model"), competition.load(folder, "features")
    examples = read_training(folder)
    encoder = build_encoder(small(), [text for one in examples for text in (one.context, one.question)])
    groups = list(features.labelled_windows(examples, encoder, features.Lengths(16, 16), Counter()))
    batch = features.collate(groups, np.random.default_rng(0), 0)

    def terms(logits) -> Terms:
        errors = 0.0
        for windows in batch["windows"]:
            windows = windows[windows >= 0]
            for edge in (0, 1):
                errors += marginal_error(
                    batch["labels"][windows, :, edge],
                    logits.numpy()[windows, :, edge],
                    batch["in_context"][windows] == 1,
                )
        return {"edge_loss": (errors / 2, len(groups))}

    return Case(TrainingModel(model.build_network(encoder), model.loss), batch, terms, {"windows": "token_ids"})


def relation_extraction(tau: float = 0.0) -> Case:
    folder = "lic2020_relation_extraction"
    model, features, task = (competition.load(folder, module) for module in ("model", "features", "task"))
    schema = task.Schema.read(competition.COMPETITIONS / folder / "sample/schema.json")
    examples = read_training(folder, schema)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows = list(features.labelled_windows(examples, encoder, schema, Counter()))
    batch = features.collate(windows, np.random.default_rng(0), len(schema.classes), most_subjects=99)
    adjustment = model.adjustment_for(windows, len(schema.classes), tau)
    training = TrainingModel(
        model.half_pointer_networks(encoder, len(schema.classes)).training,
        functools.partial(model.loss, adjustment=adjustment),
    )

    def errors(labels, logits, power) -> np.ndarray:
        probabilities = (1 / (1 + np.exp(-logits.numpy().astype(np.float64)))) ** power
        return -np.log(np.where(labels, probabilities, 1 - probabilities))

    def terms(outputs) -> Terms:
        is_token = batch["token_ids"] > 0
        of_object = is_token[batch["subjects"][:, 0]]
        subject_errors = errors(batch["subject_labels"], outputs["subject_logits"], 2).mean(-1)
        begins, is_subject = batch["object_labels"][..., 0].sum((0, 1)), batch["object_labels"].any((1, 2, 3))
        offsets = tau * priors(begins, of_object[is_subject].sum())[:, None] / 4
        object_logits = outputs["object_logits"] + offsets.astype(np.float32)
        object_errors = errors(batch["object_labels"], object_logits, 4).mean(-1).sum(-1)
        return {
            "subject_loss": (subject_errors[is_token].sum(), is_token.sum()),
            "object_loss": (object_errors[of_object].sum(), of_object.sum()),
        }

    return Case(training, batch, terms, {"subjects": "token_ids"})


def linked_relations(tau: float = 0.0) -> Case:
    """With GPLinker."""
    folder = "lic2020_relation_extraction"
    model, features, task, linking = (
        competition.load(folder, module) for module in ("model", "features", "task", "linking")
    )
    schema = task.Schema.read(competition.COMPETITIONS / folder / "sample/schema.json")
    examples = read_training(folder, schema)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows = list(features.labelled_windows(examples, encoder, schema, Counter()))
    batch = linking.collate_links(windows)
    adjustment = model.adjustment_for(windows, len(schema.classes), tau)
    network = model.build_network(encoder, len(schema.classes), "gplinker")
    training = TrainingModel(network, functools.partial(model.loss, adjustment=adjustment))

    def terms(outputs) -> Terms:
        found = {"span_loss": (pair_errors(outputs["entities"], batch["entities"]), len(windows))}
        for edge in ("first", "last"):
            pairs, subject, object_ = (outputs[f"{edge}_{name}"] for name in ("pairs", "subject", "object"))
            errors = factored_errors(pairs, subject + adjustment, object_, batch[f"{edge}_links"])
            found[f"{edge}_link_loss"] = errors, len(windows)
        return found

    return Case(training, batch, terms, dict.fromkeys(("entities", "first_links", "last_links"), "token_ids"))


def event_extraction(head: str, tau: float = 0.0) -> Case:
    folder = "lic2020_event_extraction"
    model, features, task = (competition.load(folder, module) for module in ("model", "features", "task"))
    schema = task.Schema.read(competition.COMPETITIONS / folder / "sample/event_schema.json")
    classes = features.Classes(schema)
    examples = read_training(folder, schema)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows = list(features.labelled_windows(examples, encoder, classes, Counter()))
    batch = features.collate(windows, classes, head)
    network = model.build_network(encoder, classes, head, 30.0)
    adjustment = model.adjustment_for(windows, classes, tau)
    training = TrainingModel(network, functools.partial(model.loss, network=network, adjustment=adjustment))
    begins = np.zeros(len(classes))
    for window in windows:
        for class_id, _ in {(class_id, first) for first, _, class_id in window.tags}:
            begins[class_id] += 1

    def terms(outputs) -> Terms:
        lengths, told = (batch["token_ids"] > 0).sum(1), said_by(training, "type_tags", batch)
        type_logits = np.stack(
            [np.logaddexp.reduce(row[1 : length - 1].astype(np.float64)) for row, length in zip(told, lengths)]
        )
        type_logits += tau * priors(batch["type_labels"].sum(0), len(windows))
        offsets = (tau * priors(begins, lengths.sum())).astype(np.float32)
        if head == "crf":
            of_labels = np.concatenate([[0], np.stack([offsets, 0 * offsets], 1).ravel()]).astype(np.float32)
            emissions, crf = outputs["emissions"] + of_labels, network.get_layer("crf")
            head_errors = crf.negative_log_likelihood(batch["labels"], emissions, batch["token_ids"] > 0).numpy().sum()
        else:
            head_errors = factored_errors(outputs["spans"], outputs["first"] + offsets, outputs["last"], batch["tags"])
        found = {
            "type_loss": (sigmoid_errors(batch["type_labels"], type_logits).sum(), len(windows)),
            "head_loss": (head_errors, len(windows)),
        }
        if head == "gplinker":
            found["link_loss"] = pair_errors(outputs["links"], batch["links"]), len(windows)
        return found

    return Case(training, batch, terms, dict.fromkeys(batch.keys() & {"tags", "links"}, "token_ids"))


def entity_linking(knowledge_bases) -> Case:
    folder = "ccks2019_entity_linking"
    model, features, candidates = (competition.load(folder, module) for module in ("model", "features", "candidates"))
    base = competition.load(folder, "knowledge_base").open_knowledge_base(
        competition.COMPETITIONS / folder / "sample/kb_data", knowledge_bases
    )
    examples = read_training(folder)
    _, spots = candidates.training_spots(examples, base)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows = list(features.labelled_windows(examples, spots, encoder, Counter()))
    batch = features.collate(windows, np.random.default_rng(0), features.PairReader(encoder, base, 16), 99, 3)

    def terms(outputs) -> Terms:
        outputs = {name: values.numpy() for name, values in outputs.items()}
        is_token, is_choice = batch["token_ids"] > 0, batch["choices"] >= 0
        queries = zip(batch["right"], outputs["entity_logits"][batch["choices"]], is_choice)
        edge_errors = sigmoid_errors(batch["edge_labels"], outputs["edge_logits"])
        name_errors = sigmoid_errors(batch["name_labels"], outputs["name_logits"])
        return {
            "edge_loss": (edge_errors[is_token].sum(), is_token.sum()),
            "name_loss": (name_errors.sum(), len(batch["name_labels"])),
            "entity_loss": (sum(marginal_error(*query) for query in queries), len(batch["choices"])),
        }

    return Case(
        TrainingModel(model.build_network(encoder).training, model.loss),
        batch,
        terms,
        {"name_places": "token_ids", "choices": f"{features.PAIR}token_ids"},
    )


def nl2sql(head: str, tau: float = 0.0) -> Case:
    folder = "nl2sql"
    model, features, task = (competition.load(folder, module) for module in ("model", "features", "task"))
    examples = read_training(folder, task.tables_of(competition.COMPETITIONS / folder / "sample/train.json"))
    encoder = build_encoder(
        small(max_length=128), [text for one in examples for text in (one.question, *one.table.header)]
    )
    rows = list(features.labelled_windows(examples, encoder, 2, Counter()))
    batch = features.collate_labelled(rows, np.random.default_rng(0), head, encoder, 0, 0)
    operators, classes = (
        len(task.OPERATORS),
        {"selections": 6, "connection": 3, "selected_count": 3, "condition_count": 3},
    )
    adjustments = model.adjustments_for([row.labels for row in rows], tau)
    training = TrainingModel(
        model.build_network(encoder, head, 16), functools.partial(model.loss, adjustments=adjustments)
    )

    def span_errors(edges, columns, is_column):
        """Marks one by one: where values begin and end, and for each value all columns."""
        right, column_errors, asked = np.zeros(edges.shape, bool), 0.0, 0
        for row, marks in enumerate(batch["marks"].tolist()):
            marks = [mark for mark in marks if mark[0] >= 0]
            for _, operator, first, last in marks:
                right[row, first, operator, 0] = right[row, last, operator, 1] = True
                wanted = {column for column, _, *span in marks if span == [first, last]}
                for column in np.flatnonzero(is_column[row]):
                    column_errors += sigmoid_errors(
                        column in wanted, columns[row, first, column] + columns[row, last, column]
                    )
                    asked += 1
        return sigmoid_errors(right, edges), operators * column_errors, asked

    def terms(outputs) -> Terms:
        outputs = {name: values.numpy() for name, values in outputs.items()}
        in_question, is_column = batch["question"] > 0, batch["columns"][..., 2] > 0
        for name, count in classes.items():
            labels = batch[name][is_column] if name == "selections" else batch[name]
            # Of columns that are selected: that others are not is no class among aggregations.
            offsets = tau * priors(np.array([(labels == number).sum() for number in range(count)]))
            outputs[name][..., :count] += offsets
        found = {
            "selection_loss": (softmax_errors(batch["selections"], outputs["selections"])[is_column].sum(), len(rows))
        }
        for name in ("connection", "selected_count", "condition_count"):
            found[f"{name}_loss"] = (softmax_errors(batch[name], outputs[name]).sum(), len(rows))
        if head == "span_column":
            edge_errors, *columns = span_errors(outputs["edges"], outputs["value_columns"], is_column)
            return {**found, "edge_loss": (edge_errors[in_question].sum(), len(rows)), "column_loss": tuple(columns)}
        found["tag_loss"] = (softmax_errors(batch["tags"], outputs["tags"])[in_question].sum(), len(rows))
        tagged = (batch["tags"] > 0)[..., None] & in_question[..., None] & is_column[:, None]
        column_errors = sigmoid_errors(batch["tag_columns"], outputs["value_columns"])
        return {**found, "column_loss": (operators * column_errors[tagged].sum(), tagged.sum())}

    return Case(training, batch, terms, {})


def webqa() -> Case:
    model, features = competition.load("webqa_dgcnn", "model"), competition.load("webqa_dgcnn", "features")
    examples = read_training("webqa_dgcnn")
    encoder = build_encoder(
        small(), [text for one in examples for text in (one.question, *(passage.text for passage in one.passages))]
    )
    evidence = list(features.labelled_windows(examples, encoder, features.Lengths(16, 16), Counter()))
    batch = features.collate(evidence, np.random.default_rng(0), features.Sampling(2, 2, 0.0, 128))
    training = TrainingModel(model.build_network(encoder), model.loss)

    def terms(outputs) -> Terms:
        pointers, gates = (outputs[name].numpy().astype(np.float64) for name in ("pointers", "gate"))
        in_passage = (batch["segment_ids"] > 0) & (batch["token_ids"] != encoder.tokenizer.end_id)
        errors = 0.0
        for labels, logits, gate, inside in zip(batch["labels"], pointers, gates, in_passage):
            p = 1 / (1 + np.exp(-logits[inside])) / (1 + np.exp(-gate))
            focal = np.where(labels[inside], -0.25 * (1 - p) ** 2 * np.log(p), -0.75 * p**2 * np.log1p(-p)).sum()
            places = sum(marginal_error(labels[:, edge], logits[:, edge], inside) for edge in (0, 1))
            errors += (focal + places) / 2 + sigmoid_errors(labels.any(), gate)
        return {"answer_loss": (errors, len(batch["labels"]))}

    return Case(training, batch, terms, {})


def titling(**flags) -> Case:
    folder = "seq2seq_titling"
    copying, features, model = (competition.load(folder, module) for module in ("copying", "features", "model"))
    writing = features.WritingOptions(**flags)
    examples = read_training(folder)
    # Of half of the titles, so that some characters can only be copied, or not be written at all.
    encoder = model.build_writing_encoder(
        small(), writing, [text for one in examples[::2] for text in (one.text, one.title)], 12
    )
    pairs = list(features.labelled_pairs(examples, encoder, 12, Counter()))
    batch = features.collate(pairs, encoder.tokenizer, writing.model)
    training = TrainingModel(model.build_network(encoder, writing).training, model.loss)

    def terms(outputs) -> Terms:
        names = ("forward", "backward") if writing.model == "bidirectional" else ("title",)
        return {f"{name}_loss": side(outputs[name], batch[f"{name}_targets"], 1 / len(names)) for name in names}

    def side(scores, targets, share) -> tuple[float, float]:
        can_write = targets != features.NOTHING
        if writing.copy == "none":
            can_write &= targets < len(encoder.tokenizer)
        log_probabilities = copying.log_probabilities(targets, batch["copy_ids"], scores).numpy()
        return -share * log_probabilities[can_write].sum(dtype=np.float64), can_write.sum()

    return Case(training, batch, terms, {})


CASES = {
    "reading comprehension": reading_comprehension,
    "relation extraction": relation_extraction,
    "event extraction, crf": lambda: event_extraction("crf"),
    "relation extraction, gplinker": linked_relations,
    "event extraction, global_pointer": lambda: event_extraction("global_pointer"),
    "event extraction, gplinker": lambda: event_extraction("gplinker"),
    "entity linking": entity_linking,
    "nl2sql, span_column": lambda: nl2sql("span_column"),
    "nl2sql, tagging": lambda: nl2sql("tagging"),
    "webqa": webqa,
    "titling, copy_lstm": lambda: titling(model="copy_lstm"),
    "titling, bidirectional": lambda: titling(model="bidirectional"),
    "titling, unilm": lambda: titling(model="unilm", copy="none"),
}
each_case = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def case_of(tmp_path_factory):
    @functools.cache
    def built(name: str) -> Case:
        seed_everything(3)
        case = entity_linking(tmp_path_factory.mktemp("knowledge_bases")) if name == "entity linking" else CASES[name]()
        with_opinions(case.training)
        return case

    return built


def numbers_of(training: TrainingModel, batch: Arrays) -> np.ndarray:
    """Numerators and denominators, (terms, 2)."""
    return np.array([[float(term.numerator), float(term.denominator)] for term in training.terms(batch)])


def twice(case: Case) -> Arrays:
    """The batch and the same once more behind it; where an input has numbers of rows, these are other rows."""
    doubled = {}
    for name, values in case.batch.items():
        again = values.copy()
        if name in case.rows:
            numbers = again if name == "windows" or again.ndim == 1 else again[:, 0]
            numbers[numbers >= 0] += len(case.batch[case.rows[name]])
        doubled[name] = np.concatenate([values, again])
    return doubled


@each_case
def test_terms_are_their_formulas(case_of, name):
    case = case_of(name)
    expected = case.terms(case.training(case.batch))
    assert [term.name for term in case.training.terms(case.batch)] == [*expected]
    found = numbers_of(case.training, case.batch)
    np.testing.assert_allclose(found, list(expected.values()), rtol=2e-4)
    assert (found > 0).all(), "a term about nothing tests nothing"
    total = sum(numerator / denominator for numerator, denominator in expected.values())
    assert float(case.training.batch_loss(case.batch)) == pytest.approx(total, rel=2e-4)


@each_case
def test_denominators_come_from_the_inputs_alone(case_of, name):
    training, batch, *_ = case_of(name)
    counts = training.denominators(batch).numpy()
    assert counts.dtype == np.float32
    np.testing.assert_array_equal(counts, numbers_of(training, batch)[:, 1])


@each_case
def test_a_batch_twice_counts_twice(case_of, name):
    case = case_of(name)
    np.testing.assert_allclose(
        numbers_of(case.training, twice(case)), 2 * numbers_of(case.training, case.batch), rtol=1e-4
    )


@each_case
def test_beliefs_and_their_gradients_are_numbers_wherever_they_are_compared(case_of, name):
    """Also of what is impossible: the difference of two infinities would be none."""
    training, batch, *_ = case_of(name)
    with tf.GradientTape() as tape:
        total = 0.0
        for term in training.terms(batch):
            assert term.distributions, "R-Drop would compare nothing"
            for logits, activation, weights in term.distributions:
                distances = symmetric_divergence(logits, 0.9 * logits.numpy(), activation)
                weighted = weights * distances
                assert (
                    weighted.shape == distances.shape and (weights.numpy() >= 0).all() and (weighted.numpy() >= 0).all()
                )
                assert np.isfinite(weighted).all() and weighted.numpy().any()
                total += tf.reduce_sum(weighted)
    gradients = [
        tf.convert_to_tensor(one) for one in tape.gradient(total, training.trainable_variables) if one is not None
    ]
    assert all(np.isfinite(one).all() for one in gradients) and sum(np.abs(one).any() for one in gradients) > 3
