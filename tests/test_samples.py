"""The bundled samples: in the official format, complete, the same every time, and a real test of what was learnt."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "make_samples.py"
LARGEST_FILE = 300_000  # bytes

sys.path.insert(0, str(SCRIPT.parent))
import make_samples  # noqa: E402


@dataclass(frozen=True)
class Contest:
    """What the tests have to know of a contest; `entities` are the names that a labelled example is about."""

    counts: dict[str, int]
    other_files: set[str]
    text: Callable[[dict], str]
    entities: Callable[[dict], set[str]]


def triple_values(example: dict) -> set[str]:
    return {value for triple in example["spo_list"] for value in (triple["subject"], *triple["object"].values())}


RELATIONS = "lic2020_relation_extraction"
CONTESTS = {
    RELATIONS: Contest({"train": 400, "dev": 100, "test": 60}, {"schema.json"}, lambda example: example["text"], triple_values),
}

each_contest = pytest.mark.parametrize("task", CONTESTS)


def read(task: str, name: str) -> list[dict]:
    return [json.loads(line) for line in (make_samples.folder(task) / name).read_text(encoding="utf-8").splitlines()]


def splits(task: str) -> dict[str, list[dict]]:
    return {split: read(task, f"{split}.json") for split in CONTESTS[task].counts}


# Every contest


def test_every_generator_is_tested():
    assert set(make_samples.TASKS) == set(CONTESTS)


@each_contest
def test_files_are_what_the_generator_writes(task):
    assert make_samples.stale(task) == []
    assert {path.name for path in make_samples.folder(task).iterdir()} == {f"{split}.json" for split in CONTESTS[task].counts} | (
        CONTESTS[task].other_files
    )


@each_contest
def test_same_bytes_in_another_process(task, tmp_path):
    # Another hash seed gives sets another order, which must not show.
    code = "import sys; from pathlib import Path; import make_samples; make_samples.write(sys.argv[1], Path(sys.argv[2]))"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(SCRIPT.parent)}
    subprocess.run([sys.executable, "-c", code, task, str(tmp_path)], check=True, env=environment)
    for path in make_samples.folder(task, tmp_path).iterdir():
        assert path.read_bytes() == (make_samples.folder(task) / path.name).read_bytes()


@each_contest
def test_check_finds_changed_and_missing_files(task, tmp_path):
    paths = make_samples.write(task, tmp_path)
    assert make_samples.stale(task, tmp_path) == []
    paths[0].write_bytes(paths[0].read_bytes() + b"\n")
    paths[1].unlink()
    assert make_samples.stale(task, tmp_path) == paths[:2]


def test_check_exit_codes(monkeypatch, capsys):
    assert make_samples.main(["--check"]) == 0
    path = make_samples.folder(RELATIONS) / "train.json"
    monkeypatch.setattr(make_samples, "stale", lambda task: [path])
    assert make_samples.main([RELATIONS, "--check"]) == 1
    assert "train.json" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        make_samples.main(["no_such_contest"])
    assert stop.value.code == 2


@each_contest
def test_counts_and_sizes(task):
    assert {split: len(examples) for split, examples in splits(task).items()} == CONTESTS[task].counts
    for path in make_samples.folder(task).iterdir():
        assert path.stat().st_size < LARGEST_FILE, path


@each_contest
def test_no_text_twice(task):
    texts = Counter(CONTESTS[task].text(example) for examples in splits(task).values() for example in examples)
    assert [text for text, count in texts.items() if count > 1] == []


@each_contest
def test_half_of_the_entities_of_dev_are_unseen(task):
    contest, examples = CONTESTS[task], splits(task)
    train = "\n".join(contest.text(example) for example in examples["train"])
    entities = set().union(*map(contest.entities, examples["dev"]))
    assert sum(entity not in train for entity in entities) >= len(entities) / 2


@each_contest
@pytest.mark.parametrize("split", ["dev", "test"])
def test_half_of_the_phrasings_are_unseen(task, split):
    phrasings = make_samples.generate(task).phrasings
    assert len(phrasings[split] - phrasings["train"]) >= len(phrasings[split]) / 2


# Relation extraction


def labelled() -> Iterator[tuple[str, dict]]:
    for split in ("train", "dev"):
        for example in read(RELATIONS, f"{split}.json"):
            yield split, example


def schema() -> dict[str, dict]:
    return {line["predicate"]: line for line in read(RELATIONS, "schema.json")}


def test_relations_have_the_official_keys_and_types():
    lines = schema()
    assert all(line.keys() == {"object_type", "predicate", "subject_type"} for line in lines.values())
    assert sum(len(line["object_type"]) > 1 for line in lines.values()) >= 4  # with compound objects
    for _, example in labelled():
        assert list(example) == ["text", "spo_list"]
        for triple in example["spo_list"]:
            assert list(triple) == ["predicate", "object_type", "subject_type", "object", "subject"]
            line = lines[triple["predicate"]]
            assert triple["subject_type"] == line["subject_type"]
            assert triple["object_type"] == {slot: line["object_type"][slot] for slot in triple["object"]}
            assert "@value" in triple["object"]
    assert all(list(example) == ["text"] for example in read(RELATIONS, "test.json"))


def test_relations_are_in_the_text():
    for _, example in labelled():
        assert all(value and value in example["text"] for value in triple_values(example)), example


def test_sentences_have_the_intended_sizes():
    for _, example in labelled():
        assert 10 <= len(example["text"]) <= 150
        assert 1 <= len(example["spo_list"]) <= 8
    assert all(10 <= len(example["text"]) <= 150 for example in read(RELATIONS, "test.json"))


def test_no_triple_twice():
    for _, example in labelled():
        triples = [json.dumps(triple, sort_keys=True) for triple in example["spo_list"]]
        assert len(set(triples)) == len(triples), example


def test_every_predicate_can_be_learnt_and_is_asked():
    counts = Counter((split, triple["predicate"]) for split, example in labelled() for triple in example["spo_list"])
    for predicate in schema():
        assert counts["train", predicate] >= 8, predicate
        assert counts["dev", predicate] >= 1, predicate


def test_every_slot_occurs():
    counts = Counter((triple["predicate"], slot) for _, example in labelled() for triple in example["spo_list"] for slot in triple["object"])
    assert all(counts[predicate, slot] >= 8 for predicate, line in schema().items() for slot in line["object_type"])


def test_marriage_goes_both_ways():
    for _, example in labelled():
        couples = {kind: {(t["subject"], t["object"]["@value"]) for t in example["spo_list"] if t["predicate"] == kind} for kind in ("丈夫", "妻子")}
        assert couples["丈夫"] == {(husband_of, wife_of) for wife_of, husband_of in couples["妻子"]}, example


def test_players_of_roles_are_labelled_as_actors():
    for _, example in labelled():
        actors = {(t["subject"], t["object"]["@value"]) for t in example["spo_list"] if t["predicate"] == "主演"}
        for triple in example["spo_list"]:
            if triple["predicate"] == "饰演" and "inWork" in triple["object"]:
                assert (triple["object"]["inWork"], triple["subject"]) in actors, example


@pytest.mark.parametrize("split, least", [("train", 10), ("dev", 3)])
def test_the_difficulties_are_there(split, least):
    """Each of them in several sentences, so that they weigh something in the score."""
    compound = {predicate for predicate, line in schema().items() if len(line["object_type"]) > 1}
    found: Counter[str] = Counter()
    for here, example in labelled():
        if here != split:
            continue
        text, triples = example["text"], example["spo_list"]
        objects = Counter((triple["subject"], triple["predicate"]) for triple in triples)
        subjects, values = {triple["subject"] for triple in triples}, {triple["object"]["@value"] for triple in triples}
        found["several objects"] += max(objects.values()) > 1
        found["several compound objects"] += any(count > 1 for (_, predicate), count in objects.items() if predicate in compound)
        found["compound object without slots"] += any(t["predicate"] in compound and len(t["object"]) == 1 for t in triples)
        found["subject and object"] += bool(subjects & values)
        found["repeated mention"] += any(text.count(name) > 1 for name in subjects)
        found["nested name"] += any(one != other and one in other for one in values for other in subjects)
        found["no brackets"] += any(f"《{t['subject']}》" not in text for t in triples if t["predicate"] in ("导演", "歌手", "作者"))
        found["Latin letters"] += any(character.isascii() and character.isalpha() for character in text)
    assert all(count >= least for count in found.values()), found
    assert len(found) == 8
