import numpy as np
import pytest

from competition import COMPETITIONS, load

FOLDER = "lic2020_relation_extraction"
task = load(FOLDER, "task")
features = load(FOLDER, "features")
SCHEMA = task.Schema(
    [
        task.Predicate("导演", "影视作品", {"@value": "人物"}),
        task.Predicate("气候", "行政区", {"@value": "气候"}),
        task.Predicate("饰演", "娱乐人物", {"@value": "人物", "inWork": "影视作品"}),
    ]
)


def example(text, *triples):
    return task.Example(
        text, tuple(task.Triple.of(subject, predicate, slots, SCHEMA) for subject, predicate, slots in triples), 1
    )


FILMS = [example(f"片{i:02d}由导演丙{i:02d}拍", (f"片{i:02d}", "导演", {"@value": f"丙{i:02d}"})) for i in range(40)]
CLIMATE = example("砂城气候为干燥", ("砂城", "气候", {"@value": "干燥"}))


def replaced(sentence, rate=1.0, seed=0, corpus=(*FILMS, CLIMATE)):
    replacement = features.EntityReplacement(corpus, None, SCHEMA, rate=rate)
    return replacement.replace(sentence, np.random.default_rng(seed))


def test_every_occurrence_is_replaced_by_a_value_of_the_same_type():
    sentence = example("《片01》是丙02的片01，丙02说", ("片01", "导演", {"@value": "丙02"}))
    for seed in range(30):
        new = replaced(sentence, seed=seed)
        [triple] = new.triples
        person, work = triple.slots["@value"], triple.subject
        assert person.startswith("丙") and work.startswith("片") and triple.predicate == "导演"
        assert new.text == f"《{work}》是{person}的{work}，{person}说"


def test_one_entity_of_several_triples_stays_one():
    sentence = example(
        "丙03在片04里演丙05，导演也是丙03",
        ("丙03", "饰演", {"@value": "丙05", "inWork": "片04"}),
        ("片04", "导演", {"@value": "丙03"}),
    )
    role, film = replaced(sentence, seed=1).triples
    assert role.subject == film.slots["@value"] != "丙03"
    assert role.slots["inWork"] == film.subject
    assert [slot for slot, _ in role.object] == ["@value", "inWork"]


@pytest.mark.parametrize(
    "sentence",
    [
        CLIMATE,  # a type with few values is knowledge, not names
        example("片01", *()),
        example(
            "丙01传由丙01拍", ("丙01传", "导演", {"@value": "丙01"})
        ),  # nested: replacing one would break the other
    ],
)
def test_what_cannot_be_replaced_safely_stays_the_very_same(sentence):
    assert all(replaced(sentence, seed=seed) is sentence for seed in range(10))


def test_the_rate_decides_and_the_generator_repeats():
    assert replaced(FILMS[0], rate=0.0) is FILMS[0]
    assert replaced(FILMS[0], seed=3) == replaced(FILMS[0], seed=3)
    changed = [replaced(FILMS[0], rate=0.5, seed=seed).triples[0] for seed in range(400)]
    share = np.mean([triple.subject != "片00" for triple in changed])
    assert 0.4 < share < 0.6


def test_the_bundled_sample_keeps_its_values_in_the_text():
    folder = COMPETITIONS / FOLDER / "sample"
    schema = task.Schema.read(folder / "schema.json")
    examples = task.read(folder / "train.json", schema)
    replacement = features.EntityReplacement(examples, None, schema)
    generator = np.random.default_rng(1)
    for old in examples:
        new = replacement.replace(old, generator)
        assert [triple.predicate for triple in new.triples] == [triple.predicate for triple in old.triples]
        for triple in new.triples:
            assert triple.subject in new.text and all(value in new.text for value in triple.slots.values())
