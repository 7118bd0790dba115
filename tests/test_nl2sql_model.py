"""Features, networks, decoding of their logits, and prediction of NL2SQL. Every question and table here is invented."""

import functools
from collections import Counter

import numpy as np
import pytest

from common.encoders import build_encoder
from common.keras_compat import keras, seed_everything, tf
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions

import competition
from helpers import mostly_slow

FOLDER = "nl2sql"
task = competition.load(FOLDER, "task")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
execution = competition.load(FOLDER, "execution")
KINDS = competition.load(FOLDER, "schema_linking").KINDS
metric = competition.load(FOLDER, "metric")
HEADS = ("span_column", "tagging")
each_head = pytest.mark.parametrize("head", HEADS)

SHOPS = task.Table(
    "shops",
    "",
    ("店铺", "所在城市", "月租(万元)", "面积", "开业年份"),
    ("text", "text", "real", "real", "text"),
    (
        ("青石面馆", "苏州", 1.5, 80, "2011年"),
        ("半亩书屋", "无锡", 3, 240, "2015年"),
        ("石榴花店", "苏州", 0.8, 35, "2019年"),
    ),
    1,
)


def example(question, selected, connection, *conditions, table=SHOPS):
    query = task.Query(
        tuple(task.Selected(*one) for one in selected), connection, tuple(task.Condition(*one) for one in conditions)
    )
    return task.Example(question, table, query, 1)


EXAMPLES = [
    example("苏州有哪些店铺", [(0, 0)], 0, (1, 2, "苏州")),
    example("月租超过1万元而且面积不到100的店铺有几家", [(0, 4)], 1, (2, 0, "1"), (3, 1, "100")),
    example("青石面馆和半亩书屋的平均面积", [(3, 1)], 2, (0, 2, "青石面馆"), (0, 2, "半亩书屋")),
    example("面积在50和200之间的店铺叫什么，在哪个城市", [(0, 0), (1, 0)], 1, (3, 0, "50"), (3, 1, "200")),
    example("不在苏州的店铺最早是哪一年开业的", [(4, 0)], 0, (1, 3, "苏州")),
    example("哪家店铺的开业年份是15年", [(0, 0)], 0, (4, 2, "2015年")),
]


def encoder(max_length=256, kind="dgcnn", examples=EXAMPLES):
    options = EncoderOptions(encoder=kind, hidden_size=16, layers=1, word_size=8, max_length=max_length)
    return build_encoder(options, [one.question for one in examples for _ in range(3)] + list(SHOPS.header))


@functools.cache
def untrained(head):
    """A network for the encoder that `encoder()` makes; building it takes seconds."""
    return model.build_network(encoder(), head, 16)


def wide(columns, rows=3):
    header = tuple(f"指标{number}" for number in range(columns))
    return task.Table(
        "wide", "", header, ("real",) * columns, tuple(tuple(float(row) for _ in header) for row in range(rows)), 1
    )


# Features


@pytest.mark.parametrize("shape", [(3, 2, 4), (0, 2, 4), (3, 0, 4), (300, 1, 2)])
def test_arrays_of_mostly_zeros_come_back(shape):
    array = np.random.default_rng(0).random(shape, np.float32)
    array[array < 0.8] = 0
    held = features.Sparse.of(array)
    assert held.array().dtype == np.float32 and np.array_equal(held.array(), array)
    assert len(held.values) == np.count_nonzero(array) and held.places.itemsize <= 2


def test_a_sequence_is_the_question_and_every_column_with_its_name_first():
    built = encoder()
    row = features.question_window(EXAMPLES[0], built, 2, Counter())
    ids, layout = row.arrays["token_ids"], row.columns
    starts = np.flatnonzero(ids == built.tokenizer.start_id)
    assert starts.tolist() == [0, *layout[:, 0]]
    assert np.flatnonzero(ids == built.tokenizer.end_id).tolist() == [*(starts[1:] - 1), len(ids) - 1]
    names = [built.tokenizer.tokenize(name).ids.tolist() for name in SHOPS.header]
    assert [ids[begin + 1 : end].tolist() for begin, end, _ in layout] == names
    assert layout[:, 2].tolist() == [1, 1, 2, 2, 1]
    assert row.matches.shape[:2] == (len(row.question), 5)
    # The cell that the question names is shown before the others.
    city = built.tokenizer.tokenize("苏州").ids.tolist()
    assert ids[layout[1, 1] : layout[1, 1] + 2].tolist() == city


def test_where_there_is_little_room_cells_go_first_and_the_last_columns_last():
    one = task.Example("指标7超过1的有几个", wide(40), None, 1)
    whole = features.question_window(one, encoder(1000), 2, Counter())
    for room in range(40, len(whole), 7):
        lost = Counter()
        row = features.question_window(one, encoder(room), 2, lost)
        layout = row.columns
        is_read = layout[:, 2] > 0
        assert len(row) <= room
        assert lost[features.COLUMN_CUT] == np.sum(~is_read) and is_read[: is_read.sum()].all()
        names = layout[is_read, 1] - layout[is_read, 0] - 1
        has_cells = len(row) > len(row.question) + 2 + np.sum(names + 2)
        assert not has_cells or (is_read.all() and (names == whole.columns[:, 1] - whole.columns[:, 0] - 1).all())


def test_a_long_question_loses_its_end_and_its_table_stays():
    lost = Counter()
    row = features.question_window(task.Example("面积" * 3000, SHOPS, None, 1), encoder(64), 2, lost)
    assert len(row.question) == 32 and len(row) <= 64 and lost[features.QUESTION_CUT] == 1
    assert row.columns[:, 2].all()


def test_a_mark_on_a_column_that_is_not_read_is_left_out():
    one = example("指标39超过1的指标0是多少", [(0, 0)], 0, (39, 0, "1"), table=wide(40))
    lost = Counter()
    rows = list(features.labelled_windows([one], encoder(60), 0, lost))
    assert rows[0].labels.marks == () and lost[features.COLUMN_CUT] > 0


# Hiding


def batch(head, known, seed=0, tokens=0.0):
    built = encoder()
    rows = list(features.labelled_windows(EXAMPLES, built, 2, Counter()))
    return (
        built,
        rows,
        features.collate_labelled(rows, np.random.default_rng(seed), head, built, tokens, known),
    )


def test_without_hiding_everything_is_as_it_was():
    built, rows, arrays = batch("span_column", 0.0)
    plain = features.collate(rows)
    assert all((arrays[name] == values).all() for name, values in plain.items())
    assert [tuple(mark) for row in arrays["marks"].tolist() for mark in row if mark[0] >= 0] == [
        mark for row in rows for mark in row.labels.marks
    ]


def test_hidden_tokens_say_nothing_and_change_places_with_their_labels():
    operators, aggregations = set(), set()
    for seed in range(20):
        built, rows, arrays = batch("span_column", 1.0, seed)
        row = rows[1]
        said = row.cues[:, : len(KINDS)] == 1
        hidden = arrays["token_ids"][1, 1 : 1 + len(row.question)] == built.unknown_ids["token_ids"]
        assert hidden[said.any(1)].all()
        more, less = KINDS.index(">"), KINDS.index("<")
        now = arrays["cues"][1, : len(row.question)]
        mark = arrays["marks"][1]
        turned = mark[0, 1] == 1
        assert mark[:2, 1].tolist() == ([1, 0] if turned else [0, 1])
        before = row.cues
        assert (now[:, more] == before[:, less if turned else more]).all() and (
            now[:, less] == before[:, more if turned else less]
        ).all()
        operators.add(bool(turned))
        aggregations.add(int(arrays["selections"][2, 3]))
    assert operators == {True, False}
    assert aggregations == {1, 2, 3, 5}


# Networks


@each_head
def test_scores_do_not_depend_on_what_else_is_in_the_batch(head):
    built = encoder()
    larger = [*EXAMPLES, task.Example("指标3大于2的一共有多少个，" * 3, wide(12), None, 1)]
    predictor = decode.Predictor(untrained(head), built, 2, batch_tokens=1000)
    rows = predictor.features(larger)
    together, alone = predictor.score(rows, []), [predictor.score([row], [])[0] for row in rows]
    for one, other in zip(together, alone):
        for name in ("selections", "connection", "selected_count", "condition_count"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-4)
        assert len(one.found) == len(other.found)
        for found, same in zip(
            sorted(one.found, key=lambda item: item[:3]), sorted(other.found, key=lambda item: item[:3])
        ):
            assert found[:3] == same[:3]
            np.testing.assert_allclose(found.operators, same.operators, atol=1e-4)


def perfect_logits(row, head):
    """What a network would say that gives its labels back."""
    sure = 12.0

    def one_hot(number, classes):
        return np.where(np.arange(classes) == number, sure, -sure)

    own, tokens, columns = row.labels, len(row.question), len(row.columns)
    selected = sum(selection != features.NOT_SELECTED for selection in own.selections)
    logits = {
        "selections": np.stack([one_hot(selection, features.SELECTIONS) for selection in own.selections]),
        "connection": one_hot(own.connection, 3),
        "selected_count": one_hot(features.count_class(selected), features.COUNTS),
        "condition_count": one_hot(features.count_class(own.conditions), features.COUNTS),
        "value_columns": np.full((tokens, columns), -sure),
    }
    if head == "tagging":
        tags, beside = features.tags_of(own, tokens, columns, Counter())
        return {
            **logits,
            "tags": np.stack([one_hot(tag, features.TAG_COUNT) for tag in tags]),
            "value_columns": np.where(beside, sure, -sure),
        }
    logits["edges"] = np.full((tokens, len(task.OPERATORS), 2), -sure)
    for column, operator, first, last in own.marks:
        logits["edges"][first, operator, 0] = logits["edges"][last, operator, 1] = sure
        logits["value_columns"][[first, last], column] = sure
    return logits


@each_head
def test_perfect_logits_give_gold_back(head):
    built = encoder()
    lost = Counter()
    rows = list(features.labelled_windows(EXAMPLES, built, 2, lost))
    assert not lost
    for row in rows:
        query = decode.write_query(row.example, decode.scores_of(row, perfect_logits(row, head)))
        assert row.example.query.logic_form == query.logic_form, row.example.question


@each_head
def test_perfect_logits_give_the_gold_of_the_sample_back(head):
    sample = competition.COMPETITIONS / FOLDER / "sample/dev.json"
    examples = task.read(sample, task.tables_of(sample), labelled=True)
    rows = list(features.labelled_windows(examples, encoder(1000, examples=examples), 2, Counter()))
    queries = [decode.write_query(row.example, decode.scores_of(row, perfect_logits(row, head))) for row in rows]
    assert metric.total(metric.compare(examples, queries)).logic_form_accuracy >= 0.95


def fit(training, arrays, steps):
    """The loss before each step on the same batch."""
    training.compile(keras.optimizers.Adam(1e-2))
    batches = tf.data.Dataset.from_tensors(arrays).repeat()
    return training.fit(batches, steps_per_epoch=1, epochs=steps, verbose=0).history["loss"]


@pytest.mark.slow(reason="the contract has it learn by heart")
@pytest.mark.parametrize(
    "kind, head",
    [
        ("dgcnn", "span_column"),
        pytest.param("bert", "tagging", marks=pytest.mark.slow(reason="a second graph; its parts are tested alone")),
    ],
)
def test_both_heads_learn_from_every_question(head, kind):
    seed_everything(1)
    built = encoder(kind=kind)
    training = TrainingModel(model.build_network(built, head, 16), model.loss)
    rows = list(features.labelled_windows(EXAMPLES, built, 2, Counter()))
    losses = fit(training, features.collate_labelled(rows, np.random.default_rng(0), head, built, 0, 0), 12)
    assert np.isfinite(losses).all() and losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("head", mostly_slow(HEADS, HEADS[0], reason="a graph of its own for one step"))
def test_questions_without_any_mark_can_be_learned_from(head):
    built, training = encoder(), TrainingModel(untrained(head), model.loss)
    nothing = example("随便看看", [(0, 0)], 0, (1, 2, "不在问题里的城市"))
    lost = Counter()
    rows = list(features.labelled_windows([nothing], built, 2, lost))
    assert lost[features.NOT_FOUND] == 1 and rows[0].labels.marks == ()
    batch = features.collate_labelled(rows, np.random.default_rng(0), head, built, 0, 1)
    # A step without a graph, which would take several times as long to make.
    with tf.GradientTape() as tape:
        loss = training.batch_loss(batch, training=True)
    gradients = tape.gradient(loss, training.trainable_variables)
    learned = [pair for pair in zip(gradients, training.trainable_variables) if pair[0] is not None]
    assert np.isfinite(loss) and learned
    keras.optimizers.Adam(1e-2).apply_gradients(learned)
    assert all(np.isfinite(weights).all() for weights in training.get_weights())


ODD_TABLES = {
    "one column": task.Table("a", "", ("名",), ("text",), (("甲",), ("乙",)), 1),
    "no rows": task.Table("b", "", ("名", "数"), ("text", "real"), (), 1),
    "empty rows": task.Table("c", "", ("名", "数"), ("text", "real"), ((None, None), ("", None)), 1),
    "the same name twice": task.Table("d", "", ("数", "数", ""), ("real", "real", "text"), ((1.0, 2.0, "甲"),), 1),
    "equal columns and cells": task.Table("e", "", ("名",) * 4, ("text",) * 4, (("甲",) * 4,) * 3, 1),
    "mixed cells": task.Table("e", "", ("名", "数"), ("text", "real"), ((3, "三"), ("甲", 1e300), (None, 2**70)), 1),
    "a hostile name": task.Table(
        "f", "", ('x"; DROP TABLE t; --', "数"), ("text", "real"), (("'; DELETE FROM t; --", 1.0),), 1
    ),
    "40 columns": wide(40),
    "120 columns": wide(120),
}


ODD_QUESTIONS = ["", " ", "数超过1的名有几个", "\ud83d", 'x"; DROP TABLE t; --', "1" * 100, "甲" * 500, "名是甲，" * 20]


@each_head
def test_any_question_about_any_table_gets_a_query_that_runs(head):
    built = encoder()
    predictor = decode.Predictor(untrained(head), built, 2, batch_tokens=500)
    examples = [task.Example(question, table, None, 1) for table in ODD_TABLES.values() for question in ODD_QUESTIONS]
    answers = predictor(examples, decode.Settings())
    for one, query in zip(examples, answers):
        with execution.Database(one.table) as database:
            database.execute(query)
    # The same in another order, beside long ones, and alone: also a question without a token.
    order = np.random.default_rng(1).permutation(len(examples))[:24]
    predictor.batch_tokens = 4096
    assert predictor([examples[index] for index in order], decode.Settings()) == [answers[index] for index in order]
    predictor.batch_tokens = 1
    assert predictor(examples[:12], decode.Settings()) == answers[:12]


# Ties


def tied_logits(row, head, generator):
    """Logits of which many are equal, and many so large that their sigmoid is 1; all on the boundary of two steps of
    the grid."""
    tokens, columns = len(row.question), len(row.columns)
    shapes = {"selections": (columns, features.SELECTIONS), "value_columns": (tokens, columns)}
    shapes |= {name: (classes,) for name, classes in features.WHOLE.items()}
    of_head = {"edges": (tokens, len(task.OPERATORS), 2)} if head == "span_column" else {"tags": (tokens, 9)}
    values = np.array([-20, -3, -1, 0, 2, 18, 20]) + 2.0**-11
    return {name: generator.choice(values, shape).astype(np.float32) for name, shape in (shapes | of_head).items()}


@each_head
def test_the_last_bits_decide_nothing(head):
    built, generator = encoder(), np.random.default_rng(0)
    examples = [task.Example(one.question * 3, one.table, None, 1) for one in EXAMPLES]
    examples += [task.Example("名是甲，或1" * 4, ODD_TABLES["equal columns and cells"], None, 1)]
    for one in examples:
        row = features.question_window(one, built, 2, Counter())
        for _ in range(2):
            logits = tied_logits(row, head, generator)
            answer = decode.write_query(one, decode.scores_of(row, logits))
            for _ in range(2):
                noisy = {
                    name: values * (1 + generator.uniform(-1e-6, 1e-6, values.shape).astype(np.float32))
                    for name, values in logits.items()
                }
                assert decode.write_query(one, decode.scores_of(row, noisy)) == answer


def test_logits_are_settled():
    logits = np.array([[1.0, 1.000001, 1.5], [-0.3, 1.000002, 1.4999999]], np.float32)
    assert decode.settled(logits).tolist() == [[1, 1, 1.5], [-307 / 1024, 1, 1.5]]
    # On the boundary of two steps, too.
    assert len(set(decode.settled(2.0**-11 + np.linspace(-1e-6, 1e-6, 9)).tolist())) == 1
    assert decode.settled(np.zeros((0, 3), np.float32)).shape == (0, 3)
