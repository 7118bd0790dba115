"""Features, network and decoding of relation extraction. Every sentence here is invented."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.generators import training_dataset
from common.keras_compat import seed_everything
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, TrainingOptions
from common.runs.directory import Run

import competition
from helpers import refused, write

FOLDER = "lic2020_relation_extraction"
task = competition.load(FOLDER, "task")
metric = competition.load(FOLDER, "metric")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
predict = competition.load(FOLDER, "predict")

Settings = decode.Settings

SCHEMA = task.Schema(
    [
        task.Predicate("导演", "影视作品", {"@value": "人物"}),
        task.Predicate("作者", "图书作品", {"@value": "人物"}),
        task.Predicate("主演", "影视作品", {"@value": "人物"}),
        task.Predicate("饰演", "娱乐人物", {"@value": "人物", "inWork": "影视作品"}),
        task.Predicate(
            "获奖", "娱乐人物", {"@value": "奖项", "inWork": "影视作品", "onDate": "Date", "period": "Number"}
        ),
    ]
)


def triple(subject, predicate, value, schema=SCHEMA, **slots):
    return task.Triple.of(subject, predicate, {"@value": value, **slots}, schema)


def label(text, *triples, schema=SCHEMA):
    lost = Counter()
    return features.label(text, triples, schema, lost), lost


def round_trip(text, *triples, schema=SCHEMA):
    """The triples that come back, and what was lost on the way."""
    spans, lost = label(text, *triples, schema=schema)
    return set(decode.assemble(text, spans, schema)), dict(lost)


def place(text, value, number=0):
    start = [at for at in range(len(text)) if text.startswith(value, at)][number]
    return start, start + len(value)


# Triples -> spans


def test_of_all_occurrences_the_nearest_pair_is_labelled():
    text = "《远山》热映。顾南谈《远山》：导演顾南说，顾南很忙"
    spans, lost = label(text, triple("远山", "导演", "顾南"))
    assert spans == {place(text, "远山", 1): {(place(text, "顾南", 0), SCHEMA.class_ids["导演", "@value"])}}
    assert not lost


def test_other_slots_are_labelled_where_they_are_nearest_to_the_value():
    text = "《远山》和《长桥》：许青在《远山》里是阿木，《长桥》《远山》都好看"
    spans, _ = label(text, triple("许青", "饰演", "阿木", inWork="远山"))
    [(subject, objects)] = spans.items()
    assert subject == place(text, "许青")
    assert (place(text, "远山", 1), SCHEMA.class_ids["饰演", "inWork"]) in objects and len(objects) == 2


def test_of_equally_near_pairs_one_is_labelled():
    text = "顾南《远山》顾南"
    spans, _ = label(text, triple("远山", "导演", "顾南"))
    assert [len(objects) for objects in spans.values()] == [1]


@given(
    st.text("甲乙", min_size=1, max_size=12),
    st.text("甲乙", min_size=1, max_size=3),
    st.text("甲乙", min_size=1, max_size=3),
)
def test_the_nearest_pair_is_that_of_all_pairs(text, subject, value):
    subjects, values = features.occurrences(text, subject), features.occurrences(text, value)
    if subjects and values:
        every = [(one, other) for one in subjects for other in values]
        best = min(every, key=lambda pair: (features._overlap(*pair), features.gap(*pair)))
        assert features.nearest_pair(subjects, values) == best


def test_a_long_text_of_one_character_is_labelled():
    """Some 10,000 occurrences of both: all pairs of them would take minutes."""
    text = "甲" * 10_000
    assert label(text, triple("甲", "导演", "甲甲"))[0] == {(0, 1): {((1, 3), SCHEMA.class_ids["导演", "@value"])}}


def test_a_subject_does_not_stand_inside_its_object_where_it_also_stands_alone():
    text = "《远山的灯》一书里，远山的作者"
    spans, _ = label(text, triple("远山", "作者", "远山的灯"))
    assert list(spans) == [place(text, "远山", 1)]


def test_where_it_stands_inside_only_it_is_labelled_there():
    text = "小说《远山的灯》"
    spans, _ = label(text, triple("远山", "作者", "远山的灯"))
    assert spans == {place(text, "远山"): {(place(text, "远山的灯"), SCHEMA.class_ids["作者", "@value"])}}


def test_a_value_that_is_its_own_subject():
    text = "《顾南》由顾南自己导演"
    spans, _ = label(text, triple("顾南", "导演", "顾南"))
    [(subject, objects)] = spans.items()
    [(value, _)] = objects
    assert {subject, value} == {place(text, "顾南", 0), place(text, "顾南", 1)}


def test_labels_of_a_subject_of_several_triples_are_together():
    text = "《远山》由顾南导演，许青、白鹿主演"
    spans, _ = label(
        text, triple("远山", "导演", "顾南"), triple("远山", "主演", "许青"), triple("远山", "主演", "白鹿")
    )
    assert {subject: len(objects) for subject, objects in spans.items()} == {place(text, "远山"): 3}


def test_what_cannot_be_labelled_is_counted_by_reason():
    text = "《远山》由顾南导演，许青饰演阿木"
    spans, lost = label(
        text,
        triple("近水", "导演", "顾南"),
        triple("远山", "导演", "何人"),
        triple("", "导演", "顾南"),
        triple("远山", "导演", ""),
        task.Triple.of("许青", "饰演", {"inWork": "远山"}, SCHEMA),
        triple("许青", "饰演", "阿木", inWork="近水"),
        triple("许青", "饰演", "阿木", inWork=""),
    )
    assert lost == {
        "subject not in the text": 2,
        "object not in the text": 2,
        "object without @value": 1,
        "slot value not in the text": 2,
    }
    assert spans == {place(text, "许青"): {(place(text, "阿木"), SCHEMA.class_ids["饰演", "@value"])}}


def test_occurrences():
    assert features.occurrences("哈哈哈", "哈哈") == [(0, 2), (1, 3)]
    assert features.occurrences("abc ABC", "ABC") == [(4, 7)], "the same case comes first"
    assert features.occurrences("abc Abc", "ABC") == [(0, 3), (4, 7)]
    assert (
        features.occurrences("天地", "") == features.occurrences("", "天") == features.occurrences("天", "天地") == []
    )


def test_characters_that_change_length_in_lower_case_do_not_shift_positions():
    text = "İstanbul的Film"
    assert features.occurrences(text, "Film") == [(9, 13)]
    assert features.occurrences(text, "film") == [], "a position in the lower-cased text would be one too far"


# Spans -> triples


def test_every_value_is_a_triple():
    text = "《远山》由顾南、许青导演"
    given_triples = {triple("远山", "导演", "顾南"), triple("远山", "导演", "许青")}
    assert round_trip(text, *given_triples) == (given_triples, {})


def test_slots_go_to_the_values_one_to_one():
    text = "许青在《远山》中饰演阿木，在《长桥》中饰演阿水"
    given_triples = {triple("许青", "饰演", "阿木", inWork="远山"), triple("许青", "饰演", "阿水", inWork="长桥")}
    assert round_trip(text, *given_triples) == (given_triples, {})


def test_slots_before_or_behind_all_values():
    text = "许青演过阿木（《远山》）和阿水（《长桥》）"
    given_triples = {triple("许青", "饰演", "阿木", inWork="远山"), triple("许青", "饰演", "阿水", inWork="长桥")}
    assert round_trip(text, *given_triples) == (given_triples, {})


def test_a_value_without_its_slot_beside_one_with_it():
    text = "许青饰演阿木。多年以后，又在《长桥》中饰演阿水"
    given_triples = {triple("许青", "饰演", "阿木"), triple("许青", "饰演", "阿水", inWork="长桥")}
    assert round_trip(text, *given_triples) == (given_triples, {})


def test_all_slots_of_a_compound_object():
    text = "2030年许青凭《远山》拿下第7届云桥奖最佳新人"
    given_triples = {triple("许青", "获奖", "云桥奖最佳新人", inWork="远山", onDate="2030年", period="7")}
    assert round_trip(text, *given_triples) == (given_triples, {})


def test_slots_without_a_value_make_no_triple():
    text = "许青在《远山》中"
    spans = {place(text, "许青"): {(place(text, "远山"), SCHEMA.class_ids["饰演", "inWork"])}}
    assert decode.assemble(text, spans, SCHEMA) == []


def test_more_slots_than_values_leave_the_farther_ones_out():
    text = "《长桥》之后，许青在《远山》中饰演阿木"
    spans = {
        place(text, "许青"): {
            (place(text, "阿木"), SCHEMA.class_ids["饰演", "@value"]),
            (place(text, "远山"), SCHEMA.class_ids["饰演", "inWork"]),
            (place(text, "长桥"), SCHEMA.class_ids["饰演", "inWork"]),
        }
    }
    assert decode.assemble(text, spans, SCHEMA) == [triple("许青", "饰演", "阿木", inWork="远山")]


def test_nested_names_of_one_class():
    text = "《远山》由云桥影业、云桥影业集团的顾南导演"
    given_triples = {triple("远山", "导演", value) for value in ("云桥影业", "云桥影业集团", "顾南")}
    assert round_trip(text, *given_triples)[0] == given_triples


def test_a_repeated_answer_is_given_once_and_in_the_order_of_the_text():
    text = "顾南导演《远山》，顾南导演《远山》，许青导演《远山》"
    director = SCHEMA.class_ids["导演", "@value"]
    spans = {
        place(text, "远山", 2): {(place(text, "许青"), director)},
        place(text, "远山", 1): {(place(text, "顾南", 1), director)},
        place(text, "远山", 0): {(place(text, "顾南", 0), director)},
    }
    assert decode.assemble(text, spans, SCHEMA) == [triple("远山", "导演", "顾南"), triple("远山", "导演", "许青")]


def test_values_come_out_as_the_text_writes_them():
    text = "《Far Hills》由GU NAN导演"
    assert round_trip(text, triple("far hills", "导演", "Gu Nan")) == ({triple("Far Hills", "导演", "GU NAN")}, {})


def test_blanks_at_the_ends_of_a_value_stay_when_the_text_has_them():
    text = "《远山》由 顾南 导演"
    assert round_trip(text, triple("远山", "导演", " 顾南")) == ({triple("远山", "导演", " 顾南")}, {})
    assert round_trip(text, triple("远山", "导演", "顾南  "))[1] == {"object not in the text": 1}


def test_names_that_would_collide_when_joined_stay_apart():
    schema = task.Schema(
        [
            task.Predicate("所在_城市", "景点", {"@value": "地点"}),
            task.Predicate("所在", "景点", {"@value": "地点", "城市_@value": "地点", "城市": "地点"}),
            task.Predicate("所在_城市_@value", "景点", {"@value": "地点"}),
        ]
    )
    assert len(schema.class_ids) == len(schema.classes) == 5
    text = "望江亭位于澜江，属云桥，也属南州和北州"
    given_triples = {
        triple("望江亭", "所在_城市", "澜江", schema),
        task.Triple.of("望江亭", "所在", {"@value": "云桥", "城市_@value": "南州", "城市": "北州"}, schema),
        triple("望江亭", "所在_城市_@value", "云桥", schema),
    }
    assert round_trip(text, *given_triples, schema=schema) == (given_triples, {})


NAMES = ["顾南", "许青", "白鹿", "远山", "长桥", "Abc9", "云", "阿木阿水"]


@st.composite
def told_relations(draw):
    """A sentence that names everything once, and relations within it, at most one of them with several slots."""
    names = draw(st.permutations(NAMES))
    text = "".join(draw(st.sampled_from(["，", "的", "在", "——", " "])) + name for name in names)
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(["导演", "作者", "主演"]), st.sampled_from(names))
    triples = {triple(*pair) for pair in draw(st.lists(pairs, max_size=8))}
    if draw(st.booleans()):
        subject, value, *others = draw(st.lists(st.sampled_from(names), min_size=5, max_size=5))
        slots = draw(st.lists(st.sampled_from(["inWork", "onDate", "period"]), unique=True))
        triples.add(triple(subject, "获奖", value, **dict(zip(slots, others))))
    return text, triples


@settings(max_examples=300)
@given(told_relations())
def test_relations_between_names_that_stand_once_all_come_back(told):
    text, triples = told
    assert round_trip(text, *triples) == (triples, {})


# Sentences -> windows


@pytest.fixture(scope="module")
def bert():
    """An encoder for features only: its vocabulary knows all characters of the tests."""
    texts = ["《远山的灯》由顾南导演，许青、白鹿主演；顾南生于云桥" * 2] * 2
    return BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8, max_length=16))


def windows_of(encoder, *examples):
    examples = [task.Example(text, tuple(triples), line) for line, (text, *triples) in enumerate(examples, 1)]
    lost = Counter()
    return list(features.labelled_windows(examples, encoder, SCHEMA, lost)), lost


def test_labels_are_tokens_of_their_window(bert):
    text = "《远山》由顾南导演"
    [window], lost = windows_of(bert, (text, triple("远山", "导演", "顾南")))
    assert window.subjects == {(2, 3): [(6, 7, SCHEMA.class_ids["导演", "@value"])]} and not lost
    assert window.arrays["token_ids"].tolist() == window.encoding.ids.tolist()


def test_a_long_sentence_is_labelled_in_every_window_that_holds_the_relation(bert):
    text = "许青、白鹿" + "《远山》由顾南导演" + "；白鹿生于云桥，顾南主演"
    found, lost = windows_of(bert, (text, triple("远山", "导演", "顾南")))
    assert len(found) == 3 and [window.example for window in found] == [0, 0, 0] and not lost
    holding = [window for window in found if window.subjects]
    assert holding
    for window in holding:
        [(subject, [(first, last, class_id)])] = window.subjects.items()
        assert text[slice(*window.encoding.char_span(*subject))] == "远山"
        assert text[slice(*window.encoding.char_span(first, last))] == "顾南"


def test_a_relation_wider_than_any_window_is_counted(bert):
    text = "远山" + "、白鹿" * 8 + "顾南"
    found, lost = windows_of(bert, (text, triple("远山", "导演", "顾南")))
    assert lost == {
        "triple across windows or inside a token": 1,
        "sentence left out: none of its triples could be labelled": 1,
    }
    assert found == []


def test_sentences_without_relations_teach_silence_and_those_with_lost_ones_are_left_out(bert):
    lost_triple, usable = triple("近水", "导演", "顾南"), triple("许青", "导演", "许青")
    found, lost = windows_of(bert, ("顾南生于云桥",), ("",), ("远山", lost_triple), ("许青", usable))
    assert [window.example for window in found] == [0, 1, 3]
    assert lost["sentence left out: none of its triples could be labelled"] == 1


def gold_scores(window):
    """Scores of a network that is sure of the labels of a window and nothing else."""
    subjects = window.subjects
    scores = decode.Scores(window, ({first: 1.0 for first, _ in subjects}, {last: 1.0 for _, last in subjects}))
    for subject in scores.subjects(0.5):
        tags = subjects.get(subject, ())
        places = np.array(
            [place for first, last, c in tags for place in ((first, c, 0), (last, c, 1))], np.int32
        ).reshape(-1, 3)
        scores.object_tags[subject] = places, np.ones(len(places), np.float32)
    return scores


def decoded_gold(path, schema):
    """Examples of a file, and the triples that their own labels decode to: gold -> windows -> tags -> pairs ->
    triples."""
    examples = task.read(path, schema, labelled=True)
    texts = [example.text for example in examples]
    encoder = BertEncoder.from_texts(texts, EncoderOptions(encoder="bert", hidden_size=8))
    found = list(features.labelled_windows(examples, encoder, schema, Counter()))
    scores = [gold_scores(window) for window in found]
    decoder = SimpleNamespace(schema=schema, nests=False)
    return examples, decode.Predictor.decode(decoder, examples, scores, Settings(0.5, 0.5))


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
    examples, predictions = decoded_gold(folder / name, task.Schema.read(folder / "schema.json"))
    texts = [example.text for example in examples]
    score = metric.score([(example.text, example.triples) for example in examples], zip(texts, predictions))
    print(f"{score.f1:.4f} of gold survives in {folder / name}")
    assert score.f1 >= 0.995


# Windows -> batches


def batch_windows(bert):
    found, _ = windows_of(
        bert,
        ("《远山》由顾南导演", triple("远山", "导演", "顾南")),
        ("顾南主演",),
        (
            "许青、白鹿主演《远山》",
            triple("远山", "主演", "许青"),
            triple("远山", "主演", "白鹿"),
            triple("白鹿", "饰演", "许青"),
        ),
        ("顾南许青", triple("顾南", "作者", "许青"), triple("许青", "作者", "顾南"), triple("顾南", "主演", "许青")),
    )
    return found


def test_a_batch_against_a_slow_reference(bert):
    batch, classes = batch_windows(bert), len(SCHEMA.classes)
    for seed in range(20):
        inputs = features.collate(batch, np.random.default_rng(seed), classes)
        length = max(len(window.encoding) for window in batch)
        assert inputs["token_ids"].shape == (4, length)
        subject_labels, object_labels = (
            np.zeros((4, length, 2)),
            np.zeros((len(inputs["subjects"]), length, classes, 2)),
        )
        for row, window in enumerate(batch):
            for first, last in window.subjects:
                subject_labels[row, first, 0] = subject_labels[row, last, 1] = 1
        for number, (row, first, last) in enumerate(inputs["subjects"].tolist()):
            for subject, objects in batch[row].subjects.items():
                for begin, end, class_id in objects if subject == (first, last) else ():
                    object_labels[number, begin, class_id, 0] = object_labels[number, end, class_id, 1] = 1
        np.testing.assert_array_equal(inputs["subject_labels"], subject_labels)
        np.testing.assert_array_equal(inputs["object_labels"], object_labels)


def spans_by_row(batch, seed, **options):
    subjects = features.collate(batch, np.random.default_rng(seed), len(SCHEMA.classes), **options)["subjects"].tolist()
    return [[(first, last) for at, first, last in subjects if at == row] for row in range(len(batch))]


def test_all_subjects_are_trained_and_one_span_that_is_none(bert):
    batch = batch_windows(bert)
    drawn = set()
    for seed in range(60):
        for window, spans in zip(batch, spans_by_row(batch, seed)):
            negatives = set(spans) - window.subjects.keys()
            assert sorted(set(spans) - negatives) == sorted(window.subjects) and len(spans) == len(set(spans))
            assert len(negatives) <= 1  # a span drawn at random that happens to be a subject is left out
            assert all(0 <= first <= last < len(window.encoding) for first, last in negatives)
            drawn |= negatives
    assert len(drawn) > 5


def test_negatives_are_often_objects(bert):
    window = batch_windows(bert)[0]
    [(_, [(first, last, _)])] = window.subjects.items()
    share = np.mean([spans_by_row([window], seed)[0][-1] == (first, last) for seed in range(200)])
    assert 0.5 < share < 0.75


def test_of_many_subjects_some_are_drawn(bert):
    found, _ = windows_of(
        bert, ("顾南许青白鹿远山", *(triple(subject, "主演", "远山") for subject in ("顾南", "许青", "白鹿")))
    )
    seen = set()
    for seed in range(30):
        *positives, _ = spans_by_row(found, seed, most_subjects=2)[0]
        assert len(positives) == 2 and set(positives) <= set(found[0].subjects)
        seen.update(positives)
    assert seen == set(found[0].subjects)


def test_a_batch_depends_on_its_generator_alone(bert):
    batch = batch_windows(bert)
    assert spans_by_row(batch, 3) == spans_by_row(batch, 3)
    assert any(spans_by_row(batch, 3) != spans_by_row(batch, seed) for seed in range(4, 9))


# The network


TEXTS = [
    "《远山的灯》由顾南导演，许青、白鹿主演",
    "许青在《长桥》中饰演阿木，在《远山》中饰演阿水",
    "顾南是《云桥往事》的作者",
    "",
    "ABC",
    "白鹿凭《长桥》获第3届云桥奖，顾南凭《远山》获2030年澜江奖",
    "他说，天气很好。",
    "许青",
]
#: What stands there again and again, so that much of it scores nearly the same.
REPETITIVE = [
    "顾南导演《远山》" * 6,
    "许青" * 20,
    "云" * 40,
]
TRAINING = [
    task.Example(
        TEXTS[0],
        (triple("远山的灯", "导演", "顾南"), triple("远山的灯", "主演", "许青"), triple("远山的灯", "主演", "白鹿")),
        1,
    ),
    task.Example(
        TEXTS[1], (triple("许青", "饰演", "阿木", inWork="长桥"), triple("许青", "饰演", "阿水", inWork="远山")), 2
    ),
    task.Example(TEXTS[2], (triple("云桥往事", "作者", "顾南"),), 3),
    task.Example(TEXTS[6], (), 4),
]


def light_encoder():
    options = EncoderOptions(hidden_size=16, layers=2, max_length=64, dropout=0.1)
    return LightEncoder.from_texts(TEXTS * 2, options)


def sentences(*texts):
    return [task.Example(text, None, 1) for text in texts]


@pytest.fixture(scope="module")
def talkative():
    """An encoder and networks with random weights so wild that they predict something everywhere."""
    seed_everything(2)
    encoder = light_encoder()
    networks = model.half_pointer_networks(encoder, len(SCHEMA.classes))
    generator = np.random.default_rng(1)
    for weight in networks.training.weights:
        size = {"subject_tags/kernel": 0.8, "object_tags/kernel": 0.8, "condition_gamma": 0.1, "condition_beta": 0.1}
        for name, deviation in size.items():
            if name in weight.name:
                weight.assign(generator.normal(0, deviation, weight.shape))
    return encoder, networks


@pytest.fixture(scope="module")
def predictor(talkative):
    encoder, networks = talkative
    return decode.Predictor(networks, encoder, SCHEMA)


PAIR = Settings(0.4, 0.3)


def test_networks_share_their_weights(talkative):
    _, networks = talkative
    of_all = {id(weight) for weight in networks.training.weights}
    for network in (networks.subjects, networks.objects):
        assert {id(weight) for weight in network.weights} < of_all
    assert of_all == {id(weight) for network in (networks.subjects, networks.objects) for weight in network.weights}


def test_probabilities_are_powers_of_what_training_sees(talkative):
    encoder, networks = talkative
    windows = list(features.labelled_windows(TRAINING, encoder, SCHEMA, Counter()))
    inputs = features.collate(windows, np.random.default_rng(0), len(SCHEMA.classes))
    logits = networks.training({name: inputs[name] for name in networks.training.input_names})
    residual, subjects = networks.subjects({name: inputs[name] for name in windows[0].arrays})
    objects = networks.objects([residual, inputs["subjects"]])
    np.testing.assert_allclose(subjects, 1 / (1 + np.exp(-logits["subject_logits"].numpy())) ** 2, atol=1e-5)
    np.testing.assert_allclose(objects, 1 / (1 + np.exp(-logits["object_logits"].numpy())) ** 4, atol=1e-5)
    assert subjects.shape == inputs["subject_labels"].shape and objects.shape == inputs["object_labels"].shape


def test_the_loss_does_not_see_padding(talkative):
    encoder, networks = talkative
    windows = list(features.labelled_windows(TRAINING, encoder, SCHEMA, Counter()))
    inputs = features.collate(windows, np.random.default_rng(0), len(SCHEMA.classes))
    wider = {}
    for name, values in inputs.items():
        axes = [(0, 0)] * values.ndim
        if name != "subjects":
            axes[1] = (0, 9)
        wider[name] = np.pad(values, axes)

    training = TrainingModel(networks.training, model.loss)
    assert float(training.batch_loss(wider)) == pytest.approx(float(training.batch_loss(inputs)), rel=1e-4)


@pytest.fixture(scope="module")
def expected(predictor):
    """What is extracted one sentence at a time."""
    return [predictor(sentences(text), PAIR)[0] for text in TEXTS]


def test_something_is_extracted_and_all_of_it_is_in_the_text(expected):
    assert sum(map(len, expected)) > 20 and expected[3] == []
    for text, triples in zip(TEXTS, expected):
        for one in triples:
            assert "@value" in one.slots
            assert all(value and value in text for value in (one.subject, *one.slots.values()))
        assert len(set(triples)) == len(triples)


@pytest.mark.parametrize("batch_tokens", [1, 100, 100_000])
def test_batch_tokens_and_order_change_nothing(talkative, predictor, expected, batch_tokens):
    of_size = decode.Predictor(talkative[1], talkative[0], SCHEMA, batch_tokens)
    texts = [*TEXTS, *REPETITIVE]
    expected = [*expected, *(predictor(sentences(text), PAIR)[0] for text in REPETITIVE)]
    assert of_size(sentences(*texts), PAIR) == expected
    order = np.random.default_rng(batch_tokens).permutation(len(texts))
    shuffled = of_size(sentences(*(texts[index] for index in order)), PAIR)
    assert [shuffled[place] for place in np.argsort(order)] == expected
    assert of_size(sentences(*TEXTS[:2] * 3), PAIR) == expected[:2] * 3
    assert of_size(sentences("他" * 62, *texts), PAIR)[1:] == expected, "padded by a long neighbour"


def test_nothing_to_extract_from(predictor):
    assert predictor([], PAIR) == []
    assert predictor(sentences("", " ", "\n"), PAIR) == [[], [], []]


def test_a_very_long_text_is_read_to_its_end(predictor, expected):
    text = "".join(TEXTS) * 21
    assert len(text) > 2000
    long, short = predictor(sentences(text, TEXTS[2]), PAIR)
    assert short == expected[2]
    assert long and all(one.subject in text for one in long)
    windows = features.sentence_windows([text], predictor.encoder)
    assert len(windows) > 50 and max(len(window.encoding) for window in windows) == 64
    assert windows[-1].encoding.offsets[-1, 1] == len(text)
    [score] = predictor.score(windows[-1:], [PAIR])
    assert score.subjects(PAIR.subject_threshold), "nothing is found in the last window"


@pytest.mark.parametrize("pair", [Settings(0.45, 0.2), Settings(0.02, 0.6)])
def test_out_of_the_candidates_that_is_chosen_which_is_decoded(predictor, pair):
    examples = sentences(*TEXTS, "".join(TEXTS))
    found = predictor.candidates(examples, pair)
    assert [decode.choose(*one, pair, SCHEMA, nests=False) for one in zip(examples, found)] == predictor(examples, pair)
    for example, candidates in zip(examples, found):
        below = [one for one in candidates if not decode.is_above(one, pair)]
        assert bool(below) == bool(candidates) and len({one[:6] for one in candidates}) == len(candidates)
        for one in candidates:
            assert example.text[slice(*one.subject_span)] == one.subject
            assert one.object is None or example.text[slice(*one.object_span)] == one.object


def test_candidates_of_one_threshold_are_those_of_another(predictor):
    """What was found under some settings is enough to choose by any others that stand among the levels."""
    examples = sentences(*TEXTS)
    found = predictor.candidates(examples, PAIR)
    for pair in (Settings(0.6, 0.1), Settings(0.2, 0.5), Settings(0.9, 0.05)):
        assert [decode.choose(*one, pair, SCHEMA, nests=False) for one in zip(examples, found)] == predictor(
            examples, pair
        )


def test_overlapping_windows_say_a_thing_once(predictor):
    window = features.sentence_windows(["顾南《远山》"], predictor.encoder)[0]
    window.subjects = {(4, 5): [(1, 2, 0)]}
    once = predictor.decode(sentences("顾南《远山》"), [gold_scores(window)], PAIR)
    twice = predictor.decode(sentences("顾南《远山》"), [gold_scores(window)] * 2, PAIR)
    assert once == twice == [[triple("远山", "导演", "顾南")]]


def test_scores_are_in_the_order_of_the_windows_and_special_tokens_have_no_tags(predictor):
    windows = features.sentence_windows(TEXTS, predictor.encoder)
    scores = predictor.score(windows, [Settings(0.0, 0.0)])
    assert all(score.window is window for score, window in zip(scores, windows, strict=True))
    for score in scores:
        text_tokens = set(range(1, len(score.window.encoding) - 1))
        assert set(score.subject_tags[0]) == set(score.subject_tags[1]) == text_tokens
        assert {token for places, _ in score.object_tags.values() for token in places[:, 0].tolist()} <= text_tokens


def test_scores_once_computed_decode_at_any_threshold_as_if_computed_for_it(predictor):
    grid = [Settings(subject, object_) for subject in (0.2, 0.4, 0.6) for object_ in (0.1, 0.3, 0.5)]
    scores = predictor.score(features.sentence_windows(TEXTS, predictor.encoder), grid)
    counts = []
    for pair in grid:
        cached = predictor.decode(sentences(*TEXTS), scores, pair)
        assert cached == predictor(sentences(*TEXTS), pair)
        counts.append(sum(map(len, cached)))
    assert len(set(counts)) > 5


def best_on(predictor, examples):
    """What the search on dev finds, and the predictions of its setting."""
    dev = DevSet(examples, predictor, lambda examples, predictions: predictions)
    return dev.search(decode.grid("half_pointer"), decode.counts, decode.f1, seed=1)


def test_the_threshold_search_finds_the_best_pair(predictor):
    gold = predictor(sentences(*TEXTS), Settings(0.5, 0.3))
    examples = [task.Example(text, tuple(triples), 1) for text, triples in zip(TEXTS, gold)]
    found, predictions = best_on(predictor, examples)
    assert found.setting in decode.grid("half_pointer") and found.score == 1.0 and 0 <= found.crossed <= 1
    assert predictions == gold


def test_a_threshold_search_on_sentences_without_relations(predictor):
    found, _ = best_on(predictor, [task.Example(text, (), 1) for text in TEXTS[:2]])
    assert found.score == found.crossed == 0.0


class NamesNothing:
    """Says of each sentence who directed it, but of the second one somebody whom it does not name."""

    schema, nests = SCHEMA, False

    def __init__(self):
        self.asked = []

    def __call__(self, examples, settings):
        self.asked.append(len(examples))
        names = [example.text[:2] if example.line != 2 else "何人" for example in examples]
        return [[triple("远山", "导演", name)] for name in names]


def test_one_bad_answer_costs_no_other(tmp_path, capsys):
    examples, found = [task.Example("顾南导演远山", None, line) for line in (1, 2, 3)], Counter()
    answers = list(predict.answers(examples, NamesNothing(), None, tmp_path / "in.json", found))
    good = [triple("远山", "导演", "顾南")]
    assert answers == [good, [], good] and found == {"triples": 2}
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "1 of 3 predictions" in err and "in.json:2:" in err and "何人" in err


def test_answers_are_made_when_they_are_written(tmp_path):
    """Round by round: memory does not grow with the number of sentences."""
    predictor = NamesNothing()
    answers = predict.answers(sentences(*["顾南导演远山"] * 2500), predictor, None, tmp_path, Counter())
    next(answers)
    assert predictor.asked == [1000]
    assert len(list(answers)) == 2499 and predictor.asked == [1000, 1000, 500]


@pytest.mark.parametrize("content", ["[0.4, 0.4]", '{"subject_threshold": "0.4"}', '{"object_threshold": 1.5}'])
def test_foreign_thresholds_are_refused(tmp_path, content):
    path = write(tmp_path / "decoding.json", content)
    refused(lambda: Run(tmp_path, {}).read_decoding(Settings), path)


@pytest.mark.slow(reason="the default head, with which test_contract.py learns 8 examples by heart")
def test_training_learns_its_sentences():
    seed_everything(1)
    encoder = light_encoder()
    windows = list(features.labelled_windows(TRAINING, encoder, SCHEMA, Counter()))
    training = TrainingModel(model.half_pointer_networks(encoder, len(SCHEMA.classes)).training, model.loss)
    epochs = 40
    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
        lambda batch, generator: features.collate(batch, generator, len(SCHEMA.classes)),
        4,
        1,
        range(epochs),
        training,
    )
    training.compile(build_optimizer(TrainingOptions(epochs=1, ema_momentum=0), 2e-2, epochs))
    history = training.fit(batches, steps_per_epoch=1, epochs=epochs, verbose=0).history
    assert np.mean(history["loss"][-5:]) < 0.3 * history["loss"][0]
    np.testing.assert_allclose(history["loss"], np.add(history["subject_loss"], history["object_loss"]), rtol=1e-4)
