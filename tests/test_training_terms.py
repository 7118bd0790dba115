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
    model = competition.load("lic2020_reading_comprehension", "model")
    examples = read_training("lic2020_reading_comprehension")
    encoder = build_encoder(small(), [text for one in examples for text in (one.context, one.question)])
    groups, _ = model.labelled_windows(examples, encoder, model.Lengths(16, 16))
    batch = model.collate(groups, np.random.default_rng(0), 0)

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

    return Case(model.build_networks(encoder).training, batch, terms, {"windows": "token_ids"})


def relation_extraction(tau: float = 0.0) -> Case:
    folder = "lic2020_relation_extraction"
    model, features, task = (competition.load(folder, module) for module in ("model", "features", "task"))
    schema = task.Schema.read(competition.COMPETITIONS / folder / "sample/schema.json")
    examples = read_training(folder, schema)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows = features.labelled_windows(examples, encoder, schema, Counter())
    batch = features.collate(windows, np.random.default_rng(0), len(schema.classes), most_subjects=99)
    adjustment = model.adjustment_for(windows, len(schema.classes), tau)
    training = TrainingModel(
        model.build_network(encoder, len(schema.classes)).training, functools.partial(model.loss, adjustment=adjustment)
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


def event_extraction(head: str, tau: float = 0.0) -> Case:
    folder = "lic2020_event_extraction"
    model, task = competition.load(folder, "model"), competition.load(folder, "task")
    schema = task.Schema.read(competition.COMPETITIONS / folder / "sample/event_schema.json")
    classes = competition.load(folder, "labels").Classes(schema)
    examples = read_training(folder, schema)
    encoder = build_encoder(small(), [one.text for one in examples])
    windows, _ = model.labelled_windows(examples, encoder, classes)
    batch = model.collate(windows, classes, head)
    networks = model.build_networks(encoder, classes, head, 30.0, model.adjustment_for(windows, classes, tau))
    begins = np.zeros(len(classes))
    for window in windows:
        for class_id, _ in {(class_id, first) for first, _, class_id in window.tags}:
            begins[class_id] += 1

    def span_errors(spans, first, last) -> float:
        first, last = (np.asarray(scores, np.float64).transpose(0, 2, 1) for scores in (first, last))
        logits = np.asarray(spans, np.float64)[:, None] + first[..., None] + last[:, :, None]
        right = np.zeros(logits.shape, bool)
        right[tuple(batch["tags"].T)] = True
        wrong = np.logaddexp.reduce(np.where(right, -np.inf, logits), axis=(2, 3))
        missed = np.logaddexp.reduce(np.where(right, -logits, -np.inf), axis=(2, 3))
        return (np.logaddexp(0, wrong) + np.logaddexp(0, missed)).sum()

    def terms(scores) -> Terms:
        lengths, told = (batch["token_ids"] > 0).sum(1), said_by(networks.training, "type_tags", batch)
        type_logits = np.stack(
            [np.logaddexp.reduce(row[1 : length - 1].astype(np.float64)) for row, length in zip(told, lengths)]
        )
        type_logits += tau * priors(batch["type_labels"].sum(0), len(windows))
        offsets = (tau * priors(begins, lengths.sum())).astype(np.float32)
        if head == "crf":
            emissions = scores + np.concatenate([[0], np.stack([offsets, 0 * offsets], 1).ravel()]).astype(np.float32)
            head_errors = (
                networks.crf.negative_log_likelihood(batch["labels"], emissions, batch["token_ids"] > 0).numpy().sum()
            )
        else:
            spans, first, last = scores
            head_errors = span_errors(spans, first + offsets, last)
        return {
            "type_loss": (sigmoid_errors(batch["type_labels"], type_logits).sum(), len(windows)),
            "head_loss": (head_errors, len(windows)),
        }

    return Case(networks.training, batch, terms, {} if head == "crf" else {"tags": "token_ids"})


def entity_linking(knowledge_bases) -> Case:
    folder = "ccks2019_entity_linking"
    model, habits = competition.load(folder, "model"), competition.load(folder, "habits")
    base = competition.load(folder, "knowledge_base").open_knowledge_base(
        competition.COMPETITIONS / folder / "sample/kb_data", knowledge_bases
    )
    examples = read_training(folder)
    texts = [one.text for one in examples]
    matches = [base.matches(text) for text in texts]
    own = [habits.Habits.of_text(one.text, found, one.mentions) for one, found in zip(examples, matches)]
    total = habits.Habits.total(own)
    names = [
        competition.load(folder, "names").find_names(*one, base, total, mine) for *one, mine in zip(texts, matches, own)
    ]
    encoder = build_encoder(small(), texts)
    windows = model.text_windows(texts, names, encoder)
    model.label_windows(windows, [one.mentions for one in examples])
    asked, _ = model.questions(windows, [one.mentions for one in examples])
    questions = [question for of_text in asked for question in of_text]
    batch = model.collate(windows, questions, texts, model.PairReader(encoder, base, 16), 3, np.random.default_rng(0))

    def terms(outputs) -> Terms:
        edges, chosen, logits = (values.numpy() for values in outputs)
        is_token, names = batch["token_ids"] > 0, len(batch["name_labels"])
        entity_errors = [
            marginal_error(*row, choices >= 0) for *row, choices in zip(batch["right"], logits, batch["choices"])
        ]
        return {
            "edge_loss": (sigmoid_errors(batch["edge_labels"], edges)[is_token].sum(), is_token.sum()),
            "name_loss": (sigmoid_errors(batch["name_labels"], chosen).sum(), names),
            "entity_loss": (sum(entity_errors), len(questions)),
        }

    return Case(
        model.build_networks(encoder).training,
        batch,
        terms,
        {"name_places": "token_ids", "choices": f"{model.PAIR}token_ids"},
    )


def nl2sql(head: str, tau: float = 0.0) -> Case:
    folder = "nl2sql"
    model, features, task = (competition.load(folder, module) for module in ("model", "features", "task"))
    examples = read_training(folder, task.tables_of(competition.COMPETITIONS / folder / "sample/train.json"))
    encoder = build_encoder(
        small(max_length=128), [text for one in examples for text in (one.question, *one.table.header)]
    )
    rows, _ = features.labelled(examples, encoder, 2)
    batch = features.collate_labelled(rows, head, encoder, features.Hiding(0, 0), np.random.default_rng(0))
    operators, classes = (
        len(task.OPERATORS),
        {"selections": 6, "connection": 3, "selected_count": 3, "condition_count": 3},
    )
    training = model.build_networks(
        encoder, head, 16, model.adjustments_for([row.labels for row in rows], tau)
    ).training

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
    model = competition.load("webqa_dgcnn", "model")
    examples = read_training("webqa_dgcnn")
    encoder = build_encoder(
        small(), [text for one in examples for text in (one.question, *(passage.text for passage in one.passages))]
    )
    evidence, _ = model.labelled_windows(examples, encoder, model.Lengths(16, 16))
    batch = model.collate(evidence, np.random.default_rng(0), model.Sampling(2, 2, 0.0, 128))
    training = model.build_networks(encoder).training

    def terms(_) -> Terms:
        pointers, gates = (said_by(training, layer, batch).astype(np.float64) for layer in ("pointers", "gate"))
        in_passage = (batch["segment_ids"] > 0) & (batch["token_ids"] != encoder.tokenizer.end_id)
        errors = 0.0
        for labels, logits, gate, inside in zip(batch["labels"], pointers, gates, in_passage):
            p = 1 / (1 + np.exp(-logits[inside])) / (1 + np.exp(-gate))
            focal = np.where(labels[inside], -0.25 * (1 - p) ** 2 * np.log(p), -0.75 * p**2 * np.log1p(-p)).sum()
            places = sum(marginal_error(labels[:, edge], logits[:, edge], inside) for edge in (0, 1))
            errors += (focal + places) / 2 + sigmoid_errors(labels.any(), gate[0])
        return {"answer_loss": (errors, len(batch["labels"]))}

    return Case(training, batch, terms, {})


def titling(**flags) -> Case:
    folder = "seq2seq_titling"
    model, features = competition.load(folder, "model"), competition.load(folder, "features")
    writing = competition.load(folder, "options").WritingOptions(**flags)
    examples = read_training(folder)
    # Of half of the titles, so that some characters can only be copied, or not be written at all.
    encoder = model.build_writing_encoder(
        small(), writing, [text for one in examples[::2] for text in (one.text, one.title)], 12
    )
    pairs, _ = features.labelled_pairs(examples, encoder, 12)
    network = model.build_network(encoder, writing)
    batch = network.training_batch(pairs, [pair.title for pair in pairs])

    def terms(outputs) -> Terms:
        if writing.model == "bidirectional":
            return {
                f"{name}_loss": sides(outputs[side], f"targets_{name}", 0.5)
                for side, name in enumerate(("forward", "backward"))
            }
        return {"title_loss": sides(outputs, "targets", 1.0)}

    def sides(log_probabilities, targets, share) -> tuple[float, float]:
        can_write = batch[targets] != features.NOTHING
        if writing.copy == "none":
            can_write &= batch[targets] < len(encoder.tokenizer)
        return -share * log_probabilities.numpy()[can_write].sum(dtype=np.float64), can_write.sum()

    return Case(network.training, batch, terms, {})


CASES = {
    "reading comprehension": reading_comprehension,
    "relation extraction": relation_extraction,
    "event extraction, crf": lambda: event_extraction("crf"),
    "event extraction, global_pointer": lambda: event_extraction("global_pointer"),
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
            numbers = again[:, 0] if name in ("subjects", "tags", "name_places") else again
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
