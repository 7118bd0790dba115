"""The bundled samples: in the official format, complete, the same every time, and a real test of what was learnt."""

import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.command_line import UserError
from common.tokenizers import Dictionary, longest_matches, normal_name

import competition

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "make_samples.py"
LARGEST_FILE = 500_000  # bytes

sys.path.insert(0, str(SCRIPT.parent))
import make_samples  # noqa: E402
from samples import _nl2sql_tables, _tables, _titling_world, lic2020_reading_comprehension, seq2seq_titling, webqa_dgcnn  # noqa: E402
from samples._reading_phrasings import Fact  # noqa: E402
from samples._templates import Step, Templates  # noqa: E402
from samples._titling_phrasings import Story, fitting  # noqa: E402
from samples._titling_phrasings import facts as facts_told  # noqa: E402


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


@dataclass(frozen=True)
class Contest:
    """What the tests have to know of a contest; `entities` are the names and values that a labelled example is about.

    `parse` gives the examples in the text of a file, here or in ../shared/data.
    """

    counts: dict[str, int]
    other_files: set[str]
    text: Callable[[dict], str]
    entities: Callable[[dict], set[str]]
    parse: Callable[[str], list[dict]] = lines


def triple_values(example: dict) -> set[str]:
    return {value for triple in example["spo_list"] for value in (triple["subject"], *triple["object"].values())}


def questions(text: str) -> list[dict]:
    """The questions of a file, each with its context."""
    articles = json.loads(text)["data"]
    return [
        {"context": paragraph["context"], **item}
        for article in articles
        for paragraph in article["paragraphs"]
        for item in paragraph["qas"]
    ]


def answers(example: dict) -> set[str]:
    return {answer["text"] for answer in example["answers"]}


def snippets(example: dict) -> str:
    return "\n".join([example["question"], *(passage["passage"] for passage in example["passages"])])


def asked(question: str) -> tuple[str, list[Fact]]:
    """The name in a question of the WebQA sample, and the facts that its phrasing asks for: several where domains ask
    alike."""
    question = question.removeprefix("请问").rstrip("？?")
    found: dict[str, list[Fact]] = {}
    for fact in webqa_dgcnn.FACTS:
        for phrasing in fact.questions + fact.held_out():
            before, _, after = phrasing.partition("{name}")
            if question.startswith(before) and question.endswith(after):
                found.setdefault(question.removeprefix(before).removesuffix(after), []).append(fact)
    return min(found.items(), key=lambda item: len(item[0]))


def name_and_answer(example: dict) -> set[str]:
    return {asked(example["question"])[0], example["answers"][0]}


def arguments(example: dict) -> Iterator[dict]:
    for event in example["event_list"]:
        yield from event["arguments"]


def argument_texts(example: dict) -> set[str]:
    return {argument["argument"] for argument in arguments(example)}


def mention_texts(example: dict) -> set[str]:
    return {mention["mention"] for mention in example["mention_data"]}


def condition_values(example: dict) -> set[str]:
    return {value for _, _, value in example["sql"]["conds"]}


def article(example: dict) -> str:
    """Of our sample, and of both kinds of ../shared/data."""
    return f"{example.get('title', '')}\n{example.get('content') or example.get('abst')}"


def names_in_title(example: dict) -> set[str]:
    return _titling_world.entities(example["title"])


RELATIONS = "lic2020_relation_extraction"
READING = "lic2020_reading_comprehension"
EVENTS = "lic2020_event_extraction"
LINKING = "ccks2019_entity_linking"
PASSAGES = "webqa_dgcnn"
QUERIES = "nl2sql"
TITLES = "seq2seq_titling"
SIZES = {"train": 400, "dev": 100, "test": 60}
CONTESTS = {
    RELATIONS: Contest(SIZES, {"schema.json"}, lambda example: example["text"], triple_values),
    READING: Contest(
        SIZES | {"train": 1200},
        set(),
        lambda example: f"{example['question']}\n{example['context']}",
        answers,
        questions,
    ),
    EVENTS: Contest(SIZES, {"event_schema.json"}, lambda example: example["text"], argument_texts),
    LINKING: Contest(
        {"train": 600, "dev": 120, "test": 60}, {"kb_data"}, lambda example: example["text"], mention_texts
    ),
    PASSAGES: Contest(SIZES | {"train": 700}, set(), snippets, name_and_answer, json.loads),
    QUERIES: Contest(
        SIZES, {f"{split}.tables.json" for split in SIZES}, lambda example: example["question"], condition_values
    ),
    TITLES: Contest(SIZES | {"train": 600}, set(), article, names_in_title),
}

each_contest = pytest.mark.parametrize("task", CONTESTS)


def read(task: str, name: str) -> list[dict]:
    return CONTESTS[task].parse((make_samples.folder(task) / name).read_text(encoding="utf-8"))


def splits(task: str) -> dict[str, list[dict]]:
    return {split: read(task, f"{split}.json") for split in CONTESTS[task].counts}


@pytest.fixture(scope="module")
def made():
    """What each generator makes, once."""
    return functools.cache(make_samples.generate)


@pytest.fixture
def generated_once(made, monkeypatch):
    """Files are compared with that; another process makes it anew (test_same_bytes_in_another_process)."""
    monkeypatch.setattr(make_samples, "generate", made)


# Every contest


def test_every_generator_is_tested():
    assert set(make_samples.TASKS) == set(CONTESTS)


@each_contest
@pytest.mark.usefixtures("generated_once")
def test_files_are_what_the_generator_writes(task):
    assert make_samples.stale(task) == []
    assert {path.name for path in make_samples.folder(task).iterdir()} == {
        f"{split}.json" for split in CONTESTS[task].counts
    } | (CONTESTS[task].other_files)


@each_contest
def test_same_bytes_in_another_process(task, tmp_path):
    # Another hash seed gives sets another order, which must not show.
    code = (
        "import sys; from pathlib import Path; import make_samples; make_samples.write(sys.argv[1], Path(sys.argv[2]))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(SCRIPT.parent)}
    subprocess.run([sys.executable, "-c", code, task, str(tmp_path)], check=True, env=environment)
    for path in make_samples.folder(task, tmp_path).iterdir():
        assert path.read_bytes() == (make_samples.folder(task) / path.name).read_bytes()


@each_contest
@pytest.mark.usefixtures("generated_once")
def test_check_finds_changed_and_missing_files(task, tmp_path):
    paths = make_samples.write(task, tmp_path)
    assert make_samples.stale(task, tmp_path) == []
    paths[0].write_bytes(paths[0].read_bytes() + b"\n")
    paths[1].unlink()
    assert make_samples.stale(task, tmp_path) == paths[:2]


@pytest.mark.usefixtures("generated_once")
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
def test_half_of_the_phrasings_are_unseen(task, split, made):
    phrasings = made(task).phrasings
    assert len(phrasings[split] - phrasings["train"]) >= len(phrasings[split]) / 2


def sentences(text: str) -> set[str]:
    """The sentences that are long enough not to be written twice by chance."""
    return {sentence for sentence in re.split(r"[。！？；!?;|\n]", text) if len(sentence) >= 10}


@each_contest
def test_no_sentence_of_the_real_data(task):
    folder = competition.SHARED / "data" / task
    if not folder.is_dir():
        pytest.skip("../shared/data is not here")
    contest = CONTESTS[task]
    real = {
        sentence
        for path in folder.rglob("*.json")
        if path.name not in contest.other_files
        for example in contest.parse(path.read_text(encoding="utf-8"))
        for sentence in sentences(contest.text(example))
    }
    ours = {
        sentence
        for examples in splits(task).values()
        for example in examples
        for sentence in sentences(contest.text(example))
    }
    assert len(real) > 1000 and ours
    assert ours & real == set()


# The data files


def test_words_stand_in_data_files_alone():
    """Whoever adds a phrasing or a name edits one line of a data file, and no Python."""
    paths = [SCRIPT, *(SCRIPT.parent / "samples").glob("*.py")]
    assert len(paths) > 20
    assert [
        path.name for path in paths if re.search("[\u3000-\u9fff\uff00-\uffef]", path.read_text(encoding="utf-8"))
    ] == []


BROKEN = {
    "other columns": (
        "lic2020_relation_extraction/topics.tsv",
        "topic\tweight",
        "topic\tshare",
        ":1: the first line must name the columns",
    ),
    "one tab too many": (
        "seq2seq_titling/phrasings.tsv",
        "\ttelling\tall\t",
        "\ttelling\t\tall\t",
        ":5: 7 cells - there must be 6",
    ),
    "half a brace": (
        "webqa_dgcnn/phrasings.tsv",
        "{it}的作者是{author}",
        "{it}的作者是{author",
        "a brace without the other one",
    ),
    "no such split": (
        "lic2020_event_extraction/phrasings.tsv",
        "match\tall\t",
        "match\ttrain\t",
        ":2: splits is 'train'",
    ),
    "no such slot": (
        "lic2020_event_extraction/phrasings.tsv",
        "{player}打入",
        "{plaier}打入",
        ":3: there is no value for plaier",
    ),
    "no such kind of value": (
        "lic2020_reading_comprehension/recipes.tsv",
        "{film_form}",
        "{film_from}",
        "there is no value for film_from",
    ),
    "no such fact": (
        "ccks2019_entity_linking/phrasings.tsv",
        "{novel}无弹窗",
        "{novell}无弹窗",
        "there is no value for novell",
    ),
    "no such role": (
        "lic2020_event_extraction/scenes.tsv",
        "winner=胜者",
        "winner=赢家",
        ":2: schema.tsv has no such event type with these roles",
    ),
    "no such predicate": (
        "lic2020_relation_extraction/facts.tsv",
        "film\t导演",
        "film\t监制",
        ":2: topics.tsv has no such topic, or schema.tsv no such",
    ),
    "no such habit": ("ccks2019_entity_linking/nouns.tsv", "always\t小说", "often\t小说", ":2: labelled is 'often'"),
    "no number": ("nl2sql/columns.tsv", "number\t78..180", "number\tlong", "values is 'long'"),
    "no such list": ("nl2sql/columns.tsv", "=country / ", "=countries / ", "there is no list 'countries'"),
    "no range": ("names.tsv", "第{2..99}号", "第{2..many}号", "there is no value for 2..many"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_data_file_gives_one_line(fault, tmp_path):
    name, before, after, message = BROKEN[fault]
    copy = shutil.copytree(
        SCRIPT.parent / "samples", tmp_path / "samples", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(SCRIPT, tmp_path)
    path = copy / "data" / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    tasks = [name.partition("/")[0]] if "/" in name else [RELATIONS]
    command = [sys.executable, tmp_path / "make_samples.py", "--check", *tasks]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(rf"error: samples/data/{re.escape(name)}:\d+: .+\n", done.stderr), done.stderr
    assert message in done.stderr
    line = int(re.search(r":(\d+): ", done.stderr)[1])
    assert after in path.read_text(encoding="utf-8").splitlines()[line - 1]


def test_data_files_that_are_missing_or_of_another_encoding(monkeypatch, tmp_path):
    monkeypatch.setattr(_tables, "DATA", tmp_path)
    with pytest.raises(UserError, match="words.tsv"):
        _tables.read_lists("words.tsv")
    (tmp_path / "words.tsv").write_bytes("list\twords\ncity\t昆明\n".encode("gbk"))
    with pytest.raises(UserError, match="words.tsv:2: .*UTF-8"):
        _tables.read_lists("words.tsv")


def test_words_of_a_cell(monkeypatch, tmp_path):
    monkeypatch.setattr(_tables, "DATA", tmp_path)
    (tmp_path / "words.tsv").write_text("list\twords\nshort\ta {}\nlong\t=short b␣c 元/年 / d\n", encoding="utf-8")
    assert _tables.read_lists("words.tsv") == {"short": ("a", ""), "long": ("a", "", "b c", "元/年")}
    (row,) = list(_tables.rows("words.tsv", "list", "words"))[1:]
    assert row.pair("words", {"short": ("x",)}) == (("x", "b c", "元/年"), ("d",))


SLOTS = {
    "{a}": "A", "{word}": "W", "{3..3}": "3", "{08..08}": "08", "{1.5..1.5}": "1.5", "{3.0..3.0}": "3.0", "{3.0..3.0~}": "3", "{50..70/50}": "50",
    "{year+2..2}": "2002", "{year-1}": "1999", "{x|x}": "x", "{|}": "", "{100%:a|word}": "A", "{0%:a|word}": "W", "{twice(a)}": "AA", "{twice(@a)}": "aa",
    "{pair(year)}": "2000-2001",
}  # fmt: skip


@pytest.mark.parametrize("slot", SLOTS)
def test_slots(slot):
    recipes = {"pair": [Step("next", "once", ("{one+1}",)), Step("text", "once", ("{one}-{next}",))]}
    templates = Templates(
        random.Random(1),
        {"word": ("W",)},
        recipes,
        {"twice": lambda text: text * 2},
        lambda make, *values: make(*values),
    )
    assert templates.fill(slot, {"a": "A", "year": "2000"}) == SLOTS[slot]


def labelled(task: str = RELATIONS) -> Iterator[tuple[str, dict]]:
    for split in ("train", "dev"):
        for example in read(task, f"{split}.json"):
            yield split, example


# Relation extraction


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
    counts = Counter(
        (triple["predicate"], slot)
        for _, example in labelled()
        for triple in example["spo_list"]
        for slot in triple["object"]
    )
    assert all(counts[predicate, slot] >= 8 for predicate, line in schema().items() for slot in line["object_type"])


def test_marriage_goes_both_ways():
    for _, example in labelled():
        couples = {
            kind: {(t["subject"], t["object"]["@value"]) for t in example["spo_list"] if t["predicate"] == kind}
            for kind in ("丈夫", "妻子")
        }
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
        found["several compound objects"] += any(
            count > 1 for (_, predicate), count in objects.items() if predicate in compound
        )
        found["compound object without slots"] += any(
            t["predicate"] in compound and len(t["object"]) == 1 for t in triples
        )
        found["subject and object"] += bool(subjects & values)
        found["repeated mention"] += any(text.count(name) > 1 for name in subjects)
        found["nested name"] += any(one != other and one in other for one in values for other in subjects)
        found["no brackets"] += any(
            f"《{t['subject']}》" not in text for t in triples if t["predicate"] in ("导演", "歌手", "作者")
        )
        found["Latin letters"] += any(character.isascii() and character.isalpha() for character in text)
    assert all(count >= least for count in found.values()), found
    assert len(found) == 8


# Reading comprehension


def test_questions_have_the_official_form():
    for split in SIZES:
        document = json.loads((make_samples.folder(READING) / f"{split}.json").read_text(encoding="utf-8"))
        assert list(document) == ["data"] and len(document["data"]) == 1
        (article,) = document["data"]
        assert list(article) == ["title", "paragraphs"] and article["title"] == ""
        for paragraph in article["paragraphs"]:
            assert list(paragraph) == ["context", "qas"] and paragraph["qas"]
            for item in paragraph["qas"]:
                assert list(item) == ["question", "id"] + ["answers"] * (split != "test")
                assert all(list(answer) == ["text", "answer_start"] for answer in item.get("answers", ()))


@pytest.mark.parametrize("task", [READING, EVENTS, PASSAGES])
def test_ids_are_those_of_one_example(task):
    ids = [example["id"] for examples in splits(task).values() for example in examples]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in ids)
    assert len(set(ids)) == len(ids)


def test_answers_stand_where_they_should():
    for split, example in labelled(READING):
        assert 1 <= len(example["answers"]) <= (1 if split == "train" else 2)
        for answer in example["answers"]:
            assert 1 <= len(answer["text"]) <= 30 and answer["text"] == answer["text"].strip()
            assert answer["text"] in example["context"], example
            assert answer["answer_start"] == -1 or example["context"].startswith(
                answer["text"], answer["answer_start"]
            ), example


def test_contexts_have_the_intended_sizes():
    contexts = {
        split: list({example["context"] for example in examples}) for split, examples in splits(READING).items()
    }
    assert {split: len(texts) for split, texts in contexts.items()} == {"train": 390, "dev": 34, "test": 20}
    for split, texts in contexts.items():
        assert all(100 <= len(text) <= 350 or 450 <= len(text) <= 700 for text in texts)
        assert sum(len(text) >= 450 for text in texts) >= len(texts) // 12
    assert not set(contexts["train"]) & (set(contexts["dev"]) | set(contexts["test"]))


@pytest.mark.parametrize("split", ["dev", "test"])
@pytest.mark.parametrize("generator", [lic2020_reading_comprehension, webqa_dgcnn])
def test_half_of_the_phrasings_of_questions_and_of_answers_are_unseen(generator, split, made):
    phrasings = made(generator.__name__.rpartition(".")[2]).phrasings
    for kind in (phrasings[split] & generator.ASKING, phrasings[split] - generator.ASKING):
        assert len(kind - phrasings["train"]) >= len(kind) / 2


def test_one_question_has_one_answer():
    """No question is asked twice of a context, nor for two things."""
    asked = Counter(
        (example["context"], example["question"]) for examples in splits(READING).values() for example in examples
    )
    assert max(asked.values()) == 1


@pytest.mark.parametrize("split, least", [("train", 8), ("dev", 2)])
def test_the_difficulties_of_reading_are_there(split, least):
    examples = read(READING, f"{split}.json")
    found: Counter[str] = Counter()
    for example in examples:
        context, question, answer = example["context"], example["question"], example["answers"][0]
        text, start = answer["text"], answer["answer_start"]
        found["in the question too"] += text in question
        found["earlier in a wrong place"] += start >= 0 and context.index(text) < start
        found["unknown start, several places"] += start < 0 and context.count(text) > 1
        found["beyond 256 characters"] += context.index(text) > 256
        found["blank"] += " " in text
        found["Latin letters"] += re.search("[A-Za-z]", text) is not None
        found["range"] += re.search("[-—至到～].*[0-9]", text) is not None
        found["long answer"] += len(text) >= 12
        found["short answer"] += len(text) <= 2
        found["another thing of the kind"] += re.search("另外，|顺便一提，|相比之下，", context) is not None
        found["name in lower case"] += (
            re.search("[a-z]", question) is not None and question not in context and question.lower() == question
        )
        found["no question word"] += re.search("谁|什么|哪|多|几|何|怎么", question) is None
    assert all(count >= least for count in found.values()), found
    assert len(found) == 12
    assert any(re.search("[０-９]", example["answers"][0]["text"]) for example in examples)
    starts = [example["answers"][0]["answer_start"] for example in examples]
    assert 0.4 <= sum(start < 0 for start in starts) / len(starts) <= 0.6
    several = sum(len(example["answers"]) > 1 for example in examples)
    assert several == 0 if split == "train" else several >= 5


def test_every_question_word_is_learnt_and_asked():
    for word in ("谁", "什么时候", "哪", "多少", "几", "多久", "什么"):
        for split, least in (("train", 5), ("dev", 1)):
            assert sum(word in example["question"] for example in read(READING, f"{split}.json")) >= least, (
                word,
                split,
            )


# Event extraction


def event_schema() -> dict[str, dict]:
    return {line["event_type"]: line for line in read(EVENTS, "event_schema.json")}


def test_events_have_the_official_keys_and_types():
    schema = event_schema()
    assert len({line["id"] for line in schema.values()}) == len(schema) and 12 <= len(schema) <= 15
    for line in schema.values():
        assert list(line) == ["event_type", "role_list", "id", "class"]
        assert line["event_type"].startswith(f"{line['class']}-")
    for _, example in labelled(EVENTS):
        assert list(example) == ["text", "id", "event_list"] and example["event_list"]
        for event in example["event_list"]:
            assert list(event) == ["event_type", "trigger", "trigger_start_index", "arguments", "class"]
            assert event["class"] == schema[event["event_type"]]["class"] and event["arguments"]
            for argument in event["arguments"]:
                assert list(argument) == ["argument_start_index", "role", "argument", "alias"]
                assert {"role": argument["role"]} in schema[event["event_type"]]["role_list"]
    assert all(list(example) == ["text", "id"] for example in read(EVENTS, "test.json"))


def test_arguments_and_triggers_stand_where_they_should():
    for _, example in labelled(EVENTS):
        text = example["text"]
        for event in example["event_list"]:
            assert event["trigger"] and text.startswith(event["trigger"], event["trigger_start_index"]), example
        for argument in arguments(example):
            assert argument["argument"] and text.startswith(argument["argument"], argument["argument_start_index"]), (
                example
            )
            assert all(alias != argument["argument"] and alias in text for alias in argument["alias"]), example


def test_no_argument_twice():
    for _, example in labelled(EVENTS):
        for event in example["event_list"]:
            keys = [
                (argument["role"], argument["argument_start_index"], argument["argument"])
                for argument in event["arguments"]
            ]
            assert len(set(keys)) == len(keys), example


def test_texts_with_events_have_the_intended_sizes():
    for examples in splits(EVENTS).values():
        lengths = [len(example["text"]) for example in examples]
        assert all(10 <= length <= 120 or 150 <= length <= 300 for length in lengths)
        assert sum(length <= 24 for length in lengths) >= 5 and sum(length >= 150 for length in lengths) >= 1


def test_every_event_type_and_role_can_be_learnt_and_is_asked():
    counts = Counter(
        (split, event["event_type"]) for split, example in labelled(EVENTS) for event in example["event_list"]
    )
    roles = Counter(
        (event["event_type"], argument["role"])
        for split, example in labelled(EVENTS)
        if split == "train"
        for event in example["event_list"]
        for argument in event["arguments"]
    )
    for event_type, line in event_schema().items():
        assert counts["train", event_type] >= 20 and counts["dev", event_type] >= 3, event_type
        assert all(roles[event_type, role["role"]] >= 5 for role in line["role_list"]), event_type


@pytest.mark.parametrize("split, least", [("train", 8), ("dev", 2)])
def test_the_difficulties_of_events_are_there(split, least):
    found: Counter[str] = Counter()
    for here, example in labelled(EVENTS):
        if here != split:
            continue
        text, events = example["text"], example["event_list"]
        spans = [
            (
                argument["argument_start_index"],
                argument["argument_start_index"] + len(argument["argument"]),
                number,
                argument["role"],
            )
            for number, event in enumerate(events)
            for argument in event["arguments"]
        ]
        types, texts = {event["event_type"] for event in events}, argument_texts(example)
        roles: dict[tuple[int, int], set[str]] = {}
        for start, end, _, role in spans:
            roles.setdefault((start, end), set()).add(role)
        found["span in two roles"] += any(len(names) > 1 for names in roles.values())
        found["span in two events"] += len(spans) > len({span[:2] for span in spans})
        found["several arguments of a role"] += max(Counter(span[2:] for span in spans).values()) > 1
        found["nested"] += any(a != b and a[0] <= b[0] and b[1] <= a[1] for a in roles for b in roles)
        found["two types"] += len(types) > 1
        found["two events of a type"] += len(types) < len(events)
        found["repeated mention"] += any(text.count(argument) > 1 for argument in texts)
        found["not the first mention"] += any(
            text.index(a["argument"]) < a["argument_start_index"] for a in arguments(example)
        )
        found["alias"] += any(argument["alias"] for argument in arguments(example))
        found["trigger twice"] += any(text.count(event["trigger"]) > 1 for event in events)
        found["no time"] += any("时间" not in {argument["role"] for argument in event["arguments"]} for event in events)
        found["blank"] += any(" " in argument for argument in texts)
        found["Latin letters"] += any(re.search("[A-Za-z]", argument) for argument in texts)
        found["percentage"] += any(re.search("[%％]", argument) for argument in texts)
        found["full width"] += any(re.search("[０-９％]", argument) for argument in texts)
    assert all(count >= least for count in found.values()), found
    assert len(found) == 15


# Passages for a question


def test_questions_with_passages_have_the_official_form():
    for split in SIZES:
        assert (make_samples.folder(PASSAGES) / f"{split}.json").read_text(encoding="utf-8").count("\n") == CONTESTS[
            PASSAGES
        ].counts[split] + 2
        for example in read(PASSAGES, f"{split}.json"):
            assert list(example)[:3] == ["id", "question", "passages"]
            assert (
                list(example)[3:] in ([], ["answers"])
                if split == "train"
                else list(example)[3:] == ["answers"] * (split == "dev")
            )
            assert 3 <= len(example["passages"]) <= 8
            for passage in example["passages"]:
                assert list(passage) == ["passage", "answer"] if split != "test" else list(passage) == ["passage"]
                assert 20 <= len(passage["passage"]) <= 150


def test_accepted_answers_are_those_of_the_passages():
    for _, example in labelled(PASSAGES):
        for passage in example["passages"]:
            assert passage["answer"] in passage["passage"] and passage["answer"] == passage["answer"].strip()
            assert len(passage["answer"]) <= 14
            assert not passage["answer"] or passage["answer"] in example.get("answers", [passage["answer"]]), example
        assert len(set(example.get("answers", ()))) == len(example.get("answers", ()))


@functools.cache
def shape(fact: Fact, value: str) -> re.Pattern:
    """Matches what tells the fact of something, with this value; "" for any."""
    anything = f"《?{re.escape(value)}》?" if value else ".+"
    phrasings = (re.sub(r"[\[\]]|^\{it\}", "", phrasing) for phrasing in fact.sentences + fact.held_out_sentences)
    return re.compile(
        "|".join(
            re.sub(r"\\{(\w+)\\}", lambda slot: ".+" if slot[1] == "it" else anything, re.escape(text))
            for text in phrasings
        )
    )


def tells(passage: str, facts: list[Fact], value: str = "") -> bool:
    return any(shape(fact, value).search(passage) for fact in facts)


def names(passage: str, name: str) -> bool:
    return name.strip("《》").lower() in passage.lower()


def test_passages_answer_if_they_tell_the_fact_of_the_topic():
    for _, example in labelled(PASSAGES):
        name, facts = asked(example["question"])
        answers = {passage["answer"] for passage in example["passages"]} - {""}
        for passage in example["passages"]:
            text, answer = passage["passage"], passage["answer"]
            if answer:
                assert names(text, name), example
                assert tells(text, facts, answer) or re.search(f"？答：《?{re.escape(answer)}》?。$", text), example
            else:
                assert not (names(text, name) and any(tells(text, facts, value) for value in answers)), example


@pytest.mark.parametrize("split, least", [("train", 10), ("dev", 2)])
def test_the_difficulties_of_passages_are_there(split, least):
    found: Counter[str] = Counter()
    for example in read(PASSAGES, f"{split}.json"):
        name, facts = asked(example["question"])
        answers = [passage["answer"] for passage in example["passages"] if passage["answer"]]
        others = [passage["passage"] for passage in example["passages"] if not passage["answer"]]
        about = [text for text in others if names(text, name)]
        claims = [text for text in about if tells(text, facts) and not re.search("和.+不同|别和.+弄混|与.+相比", text)]
        standard = example.get("answers", answers or [""])[0]
        found["other facts of the topic"] += any(not tells(text, facts) for text in about)
        found["the fact of another thing"] += any(tells(text, facts) for text in others if text not in about)
        found["another thing beside the topic"] += any(
            re.search("和.+不同|别和.+弄混|与.+相比", text) for text in about
        )
        found["agreeing against a claim"] += len(answers) > len(claims) > 0
        found["several claims"] += len(claims) > 1
        found["parts with 、"] += "、" in standard
        found["parts with blanks"] += " " in standard
        found["several spellings"] += len(set(answers)) > 1
        found["numeral or digits"] += any(
            re.fullmatch("[一二三四五六七八九十]+[卷座枚次]", answer) for answer in example.get("answers", ())
        )
        found["answer where nothing tells it"] += any(answer in text for answer in answers for text in others)
        found["no passage answers"] += not answers
        found["question in the passage"] += any(text.startswith("问：") for text in others)
    assert all(count >= least for count in found.values()), found
    assert len(found) == 12


# Entity linking


@functools.cache
def knowledge_base() -> dict[str, dict]:
    """By subject_id."""
    return {entity["subject_id"]: entity for entity in read(LINKING, "kb_data")}


@functools.cache
def ids_by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, entity in knowledge_base().items():
        for name in dict.fromkeys(map(normal_name, entity["alias"])):
            found.setdefault(name, []).append(number)
    return found


@functools.cache
def dictionary() -> Dictionary:
    return Dictionary(ids_by_name())


def named(text: str, longest: bool = False) -> list[tuple[int, int, str]]:
    """(start, end, name) of the names in a text, all of them or the longest ones."""
    names, matches = list(ids_by_name()), dictionary().matches(text)
    return [
        (match.start, match.end, names[match.number])
        for match in (longest_matches(matches, len(text)) if longest else matches)
    ]


def span(mention: dict) -> tuple[int, int]:
    return int(mention["offset"]), int(mention["offset"]) + len(mention["mention"])


def is_noun(entity: dict) -> bool:
    return entity["type"] == ["Vocabulary"]


def test_the_knowledge_base_has_the_official_form():
    entities = read(LINKING, "kb_data")
    assert 700 <= len(entities) <= 1000 and len(knowledge_base()) == len(entities)
    for entity in entities:
        assert list(entity) == ["alias", "subject_id", "subject", "type", "data"] and entity["subject_id"].isdigit()
        assert entity["subject"] in entity["alias"] and len(set(entity["alias"])) == len(entity["alias"])
        assert entity["type"] and entity["data"]
        for item in entity["data"]:
            assert list(item) == ["predicate", "object"] and item["predicate"] and item["object"], entity


def test_mentions_stand_where_they_should():
    entities = knowledge_base()
    for split, examples in splits(LINKING).items():
        for example in examples:
            assert list(example) == ["text_id", "text", "mention_data"][: 2 if split == "test" else 3]
            assert 8 <= len(example["text"]) <= 45
    numbers = [int(example["text_id"]) for examples in splits(LINKING).values() for example in examples]
    assert numbers == list(range(1, len(numbers) + 1))
    for _, example in labelled(LINKING):
        spans = [span(mention) for mention in example["mention_data"]]
        assert spans == sorted(set(spans), key=lambda item: (item[0], -item[1])) and spans
        for mention in example["mention_data"]:
            assert list(mention) == ["kb_id", "mention", "offset"] and mention["mention"]
            assert example["text"].startswith(mention["mention"], int(mention["offset"])), example
            if mention["kb_id"] != "NIL":
                assert normal_name(mention["mention"]) in map(normal_name, entities[mention["kb_id"]]["alias"]), mention


def test_half_of_the_linked_entities_of_dev_are_unseen():
    linked = {"train": set(), "dev": set()}
    for split, example in labelled(LINKING):
        linked[split] |= {mention["kb_id"] for mention in example["mention_data"]} - {"NIL"}
    assert len(linked["dev"] - linked["train"]) >= len(linked["dev"]) / 2


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_common_nouns_are_labelled_by_habit():
    """What train always or never labels, dev does too; some are labelled now and then, by what follows them."""
    nouns = {name: number for name, ids in ids_by_name().items() for number in ids if is_noun(knowledge_base()[number])}
    habits: dict[str, dict[str, set[bool]]] = {"train": {}, "dev": {}}
    followed: dict[tuple[str, bool], set[str]] = {}
    for split, example in labelled(LINKING):
        text, own, others = example["text"], set(), []
        for mention in example["mention_data"]:
            if mention["kb_id"] in nouns.values():
                own.add(span(mention))
            else:
                others.append(span(mention))
        for start, end, noun in named(text):
            if noun in nouns and not any(overlaps((start, end), other) for other in others):
                habits[split].setdefault(noun, set()).add((start, end) in own)
                followed.setdefault((noun, (start, end) in own), set()).add(text[end : end + 1])
    kinds = Counter(tuple(sorted(values)) for values in habits["train"].values())
    assert kinds[True,] >= 30 and kinds[False,] >= 20 and kinds[False, True] >= 8, kinds
    assert all(values <= habits["train"].get(noun, values) for noun, values in habits["dev"].items())
    for noun in nouns:  # what follows tells
        assert not followed.get((noun, True), set()) & followed.get((noun, False), set()), noun


def test_context_has_to_tell_which_entity_is_meant():
    """Counts of train alone: the longest names, those mostly labelled, each as its commonest entity."""
    names, counts = ids_by_name(), Counter()
    linked: dict[str, Counter[str]] = {}
    for example in read(LINKING, "train.json"):
        gold = {span(mention) for mention in example["mention_data"]}
        counts.update((name, (start, end) in gold) for start, end, name in named(example["text"], longest=True))
        for mention in example["mention_data"]:
            linked.setdefault(normal_name(mention["mention"]), Counter())[mention["kb_id"]] += 1

    def commonest(name: str) -> str:
        return max(names[name], key=lambda number: linked.get(name, Counter())[number])

    gold, counted, guesses = set(), set(), []
    for example in read(LINKING, "dev.json"):
        for start, end, name in named(example["text"], longest=True):
            if counts[name, True] >= counts[name, False]:
                counted.add((example["text_id"], start, end, commonest(name)))
        for mention in example["mention_data"]:
            name = normal_name(mention["mention"])
            if mention["kb_id"] != "NIL":
                gold.add((example["text_id"], *span(mention), mention["kb_id"]))
            if len(names.get(name, ())) > 1:
                guesses.append(commonest(name) == mention["kb_id"])
    assert 0.6 < 2 * len(gold & counted) / (len(gold) + len(counted)) < 0.75
    assert len(guesses) >= 100 and sum(guesses) <= len(guesses) / 2


def maker(entity: dict) -> str:
    """The predicate that names who made a film or a song; something of its own for any other entity."""
    return next(
        (item["predicate"] for item in entity["data"] if item["predicate"] in ("导演", "歌曲原唱")),
        entity["subject_id"],
    )


@pytest.mark.parametrize("split, least", [("train", 10), ("dev", 2)])
def test_the_difficulties_of_linking_are_there(split, least):
    entities, names = knowledge_base(), ids_by_name()
    found: Counter[str] = Counter()
    for example in read(LINKING, f"{split}.json"):
        text, mentions = example["text"], example["mention_data"]
        spans = [span(mention) for mention in mentions]
        ids = [mention["kb_id"] for mention in mentions if mention["kb_id"] != "NIL"]
        inside = any(one != other and other[0] <= one[0] and one[1] <= other[1] for one in spans for other in spans)
        for start, end, _ in named(text):
            found["name that is not labelled"] += not any(overlaps((start, end), other) for other in spans)
            found["only the longer name"] += not inside and any(
                other[0] <= start and end <= other[1] and other != (start, end) for other in spans
            )
        found["both names"] += inside
        found["repeated mention"] += len(set(ids)) < len(ids)
        found["full width"] += re.search("[０-９Ａ-Ｚａ-ｚ]", text) is not None
        for mention in mentions:
            name = normal_name(mention["mention"])
            candidates = [entities[number] for number in names.get(name, ())]
            types = Counter(entity["type"][0] for entity in candidates)
            if mention["kb_id"] == "NIL":
                found["unknown name"] += not candidates
                found["known name, unknown entity"] += bool(candidates)
                continue
            entity = entities[mention["kb_id"]]
            before, is_work = text[: span(mention)[0]][-1:], entity["type"] == ["CreativeWork"]
            found["name of several works"] += is_work and types["CreativeWork"] > 1
            found["two works of a kind"] += sum(maker(other) == maker(entity) for other in candidates) > 1
            found["work and its hero"] += types["CreativeWork"] and types["FictionalHuman"]
            found["two people of one name"] += types["Person"] > 1
            found["fruit and firm"] += types["Organism"] and types["Organization"]
            found["town and river"] += types["Place"] > 1
            found["title that is a common noun"] += is_work and types["Vocabulary"]
            found["one name, two entities"] += any(
                m["mention"] == mention["mention"] and m["kb_id"] not in ("NIL", mention["kb_id"]) for m in mentions
            )
            found["alias"] += name != normal_name(entity["subject"])
            found["title marks in the knowledge base"] += entity["subject"].startswith("《")
            found["title marks in the text"] += is_work and before == "《"
            found["title without marks"] += is_work and before not in tuple("《【「“")
            found["other letter case"] += (
                mention["mention"] not in entity["alias"] and re.search("[A-Za-z]", name) is not None
            )
    assert all(count >= least for count in found.values()), found
    assert len(found) == 20


# Questions about a table

MORE, LESS, EQUAL = range(3)


@functools.cache
def tables(split: str) -> dict[str, dict]:
    """By id."""
    return {table["id"]: table for table in read(QUERIES, f"{split}.tables.json")}


def cells(table: dict, column: int) -> list:
    return [row[column] for row in table["rows"]]


def results(table: dict, sql: dict) -> list[tuple]:
    task, execution = competition.load(QUERIES, "task"), competition.load(QUERIES, "execution")
    selected = tuple(task.Selected(*pair) for pair in zip(sql["sel"], sql["agg"], strict=True))
    query = task.Query(selected, sql["cond_conn_op"], tuple(task.Condition(*condition) for condition in sql["conds"]))
    rows = tuple(map(tuple, table["rows"]))
    with execution.Database(
        task.Table(table["id"], table["title"], tuple(table["header"]), tuple(table["types"]), rows, 1)
    ) as database:
        return database.execute(query)


def test_tables_have_the_official_form():
    ids = [table["id"] for split in SIZES for table in read(QUERIES, f"{split}.tables.json")]
    assert len(ids) >= 60 and len(set(ids)) == len(ids)  # none in two splits
    for split in SIZES:
        assert {example["table_id"] for example in read(QUERIES, f"{split}.json")} == set(tables(split))
        for name, table in tables(split).items():
            assert list(table) == ["id", "name", "title", "header", "types", "rows"]
            assert re.fullmatch("[0-9a-f]{32}", name) and table["name"] == f"Table_{name}"
            assert 3 <= len(table["header"]) == len(table["types"]) == len(set(table["header"])) <= 15
            assert 5 <= len(table["rows"]) <= 15
            for row in table["rows"]:
                assert [{str: "text"}.get(type(cell), "real") for cell in row] == table["types"]
    columns = Counter(len(table["header"]) for split in SIZES for table in tables(split).values())
    assert columns[3] >= 3 and sum(count for number, count in columns.items() if number > 10) >= 3


def test_queries_have_the_official_form():
    assert all(list(example) == ["question", "table_id"] for example in read(QUERIES, "test.json"))
    for split, example in labelled(QUERIES):
        assert list(example) == ["question", "table_id", "sql"] and list(example["sql"]) == [
            "sel",
            "agg",
            "cond_conn_op",
            "conds",
        ]
        table, sql = tables(split)[example["table_id"]], example["sql"]
        assert 1 <= len(sql["sel"]) == len(set(sql["sel"])) == len(sql["agg"]) <= 2
        assert (
            1 <= len(sql["conds"]) <= 3
            and (sql["cond_conn_op"] == 0) == (len(sql["conds"]) == 1)
            and sql["cond_conn_op"] in range(3)
        )
        for column, aggregation in zip(sql["sel"], sql["agg"], strict=True):
            assert aggregation in (0, 4) or table["types"][column] == "real" and aggregation in range(6)
        for column, operator, value in sql["conds"]:
            if table["types"][column] == "real":
                assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value), example
            else:
                assert operator > LESS and value in cells(table, column), example


def test_every_query_finds_something_and_needs_its_conditions():
    needed = 0
    for split, example in labelled(QUERIES):
        table, sql = tables(split)[example["table_id"]], example["sql"]
        found = results(table, sql)
        assert found and all(cell is not None for row in found for cell in row), example
        everything = results(table, sql | {"cond_conn_op": 0, "conds": [[sql["conds"][0][0], 3, "no such value"]]})
        fewer = [
            sql["conds"][:number] + sql["conds"][number + 1 :]
            for number in range(len(sql["conds"]) if len(sql["conds"]) > 1 else 0)
        ]
        others = [
            results(table, sql | {"cond_conn_op": sql["cond_conn_op"] * (len(left) > 1), "conds": left})
            for left in fewer
        ]
        needed += found not in [everything, *others]
    assert needed >= 0.7 * (SIZES["train"] + SIZES["dev"])


def test_no_question_of_the_golden_files():
    path = competition.SHARED / "golden" / QUERIES / "gold.json"
    if not path.is_file():
        pytest.skip("../shared/golden is not here")
    real = {example["question"].strip("？?") for example in lines(path.read_text(encoding="utf-8"))}
    ours = {example["question"].strip("？?") for split in SIZES for example in read(QUERIES, f"{split}.json")}
    assert len(real) > 100 and not ours & real


def test_most_of_the_tables_of_dev_is_unseen():
    headers = {split: {header for table in tables(split).values() for header in table["header"]} for split in SIZES}
    texts = {
        split: {
            cell for table in tables(split).values() for row in table["rows"] for cell in row if isinstance(cell, str)
        }
        for split in SIZES
    }
    for seen in (headers, texts):
        for split in ("dev", "test"):
            assert len(seen[split] - seen["train"]) >= len(seen[split]) / 2
    # But words that are nobody's name, such as cities, may be met again.
    assert texts["dev"] & texts["train"] and headers["dev"] & headers["train"]


def test_dev_has_domains_that_train_lacks():
    def found(split: str, domains: dict) -> set[str]:
        titles = [table["title"] for table in tables(split).values()]
        ends = {
            domain: tuple(title for kind in kinds for titles in kind.titles for title in titles)
            for domain, kinds in domains.items()
        }
        return {domain for domain, words in ends.items() if any(title.endswith(words) for title in titles)}

    assert len(found("train", _nl2sql_tables.DOMAINS)) == len(_nl2sql_tables.DOMAINS) >= 12
    assert not found("train", _nl2sql_tables.NEW_DOMAINS)
    assert len(found("dev", _nl2sql_tables.NEW_DOMAINS)) in (2, 3)


@pytest.mark.parametrize("split, slack", [("train", 0.05), ("dev", 0.1)])
def test_shares_are_near_those_of_the_contest(split, slack):
    queries = [example["sql"] for example in read(QUERIES, f"{split}.json")]
    conditions = [condition for sql in queries for condition in sql["conds"]]
    aggregations = Counter(max(sql["agg"]) for sql in queries)

    def near(count: int, total: list, share: float) -> bool:
        return abs(count / len(total) - share) <= slack

    for number, share in {1: 0.4, 2: 0.55, 3: 0.05}.items():
        assert near(sum(len(sql["conds"]) == number for sql in queries), queries, share), number
    for connection, share in {1: 0.43, 2: 0.22}.items():
        assert near(sum(sql["cond_conn_op"] == connection for sql in queries), queries, share), connection
    for operator, share in {MORE: 0.25, LESS: 0.08, EQUAL: 0.66}.items():
        assert near(sum(condition[1] == operator for condition in conditions), conditions, share), operator
    assert any(condition[1] == 3 for condition in conditions)
    assert near(aggregations[0], queries, 0.75) and near(aggregations[4], queries, 0.1)
    assert all(aggregations[aggregation] for aggregation in range(6))
    assert near(sum(len(sql["sel"]) == 2 for sql in queries), queries, 0.15)
    words = [
        (example["question"], value)
        for example in read(QUERIES, f"{split}.json")
        for _, _, value in example["sql"]["conds"]
    ]
    assert near(sum(value not in question for question, value in words), conditions, 0.17)


@pytest.mark.parametrize("split, least", [("train", 4), ("dev", 1)])
def test_the_difficulties_of_queries_are_there(split, least):
    found: Counter[str] = Counter()
    for example in read(QUERIES, f"{split}.json"):
        question, sql, table = example["question"], example["sql"], tables(split)[example["table_id"]]
        columns, values = [condition[0] for condition in sql["conds"]], [condition[2] for condition in sql["conds"]]
        numbers = [value for column, _, value in sql["conds"] if table["types"][column] == "real"]
        texts = [(column, value) for column, _, value in sql["conds"] if table["types"][column] == "text"]
        names = [re.sub("[(（].*", "", table["header"][column]) for column in sql["sel"]]
        found["value at the end"] += question.rstrip("？?").endswith(tuple(values))
        found["one value in two columns"] += len(set(values)) < len(values)
        found["two numbers for one column"] += len(numbers) == 2 and len(set(columns)) == 1
        found["two texts for one column"] += len(texts) == 2 and len(set(columns)) == 1
        found["two things and no or"] += sql["cond_conn_op"] == 2 and re.search("或|要么", question) is None
        found["three conditions"] += len(columns) == 3
        found["Chinese numeral"] += (
            any(value not in question for value in numbers)
            and re.search("[二三四五六七八九十][十百千万亿]", question) is not None
        )
        found["per cent in words"] += "百分之" in question
        found["name not verbatim"] += any(value not in question for _, value in texts)
        found["a number that is no value"] += (
            re.search("[0-9](个备选|个人|十几条|分钟|次问|页表)", question) is not None
        )
        found["cell of two columns"] += any(
            sum(value in cells(table, other) for other in range(len(table["header"]))) > 1 for _, value in texts
        )
        found["header in a value"] += any(header in value for header in table["header"] for value in values)
        found["selected column not named"] += all(name not in question for name in names)
        found["year in the header"] += any(re.search("[0-9]{2}", table["header"][column]) for column in columns)
        found["unit in the header"] += any(
            "（" in table["header"][column] or "(" in table["header"][column] for column in columns
        )
        found["question mark"] += question.endswith(("？", "?"))
        found["thousands separator"] += any("," in value for value in values)
        found["values side by side"] += any(one + other in question for one in values for other in values)
        found["another unit"] += any(
            value not in question and re.search("[0-9.]+[万亿]", question) for value in numbers
        )
    rare = {"thousands separator", "values side by side", "per cent in words", "another unit", "header in a value"}
    assert all(count >= (least if split == "train" else name not in rare) for name, count in found.items()), found
    assert len(found) == 19


# Titles


def stories() -> list[Story]:
    return [story for domain in seq2seq_titling.NEWS + seq2seq_titling.PAPERS for story in domain.stories]


def title_pieces(title: str, length: int) -> list[str]:
    return [title[start : start + length] for start in range(len(title) - length + 1)]


def test_titles_have_the_official_form():
    assert all(list(example) == ["content"] for example in read(TITLES, "test.json"))
    for _, example in labelled(TITLES):
        assert list(example) == ["title", "content"]
        assert 8 <= len(example["title"]) <= 26 and 60 <= len(example["content"]) <= 220, example
        assert (
            not re.search(r"[{}|\s]", example["content"].replace(" ", ""))
            and example["title"] == example["title"].strip()
        )
        assert not re.search("[{}|]|  ", example["title"]), example


def test_there_are_many_stories_and_phrasings():
    assert len({title for story in stories() for title in story.titles[0]}) >= 40
    tellings = [telling for story in stories() for telling in story.tellings[0] + story.tellings[1]]
    assert len(tellings) == len(set(tellings)) >= 120
    titles = make_samples.generate(TITLES).phrasings["train"]
    assert all(title in titles for story in stories() for title in story.titles[0])


def test_the_telling_decides_which_title_it_is():
    for story in stories():
        firsts = [fitting(story.titles[0], telling)[:1] for telling in story.tellings[0] + story.tellings[1]]
        assert all(firsts), story
        told = [
            (facts_told(first), facts_told(telling))
            for (first,), telling in zip(firsts, story.tellings[0] + story.tellings[1], strict=True)
        ]
        for title in story.titles[1]:  # what takes the place of a title says as much
            assert any(first <= facts_told(title) <= telling for first, telling in told), title


@pytest.mark.parametrize("split", ["train", "dev"])
def test_titles_are_of_words_of_the_text_but_not_of_its_beginning(split):
    metric, examples = competition.load(TITLES, "metric"), read(TITLES, f"{split}.json")

    def mean(values: Iterator[float]) -> float:
        return sum(values) / len(examples)

    def shared(example: dict, length: int) -> float:
        pieces = title_pieces(example["title"], length)
        return sum(piece in example["content"] for piece in pieces) / len(pieces)

    assert 0.25 < mean(metric.score(example["title"], example["content"][:24]).rouge_l for example in examples) < 0.4
    assert 0.7 < mean(shared(example, 1) for example in examples) < 0.85
    assert 0.5 < mean(shared(example, 2) for example in examples) < 0.7
    assert mean(example["title"] in example["content"] for example in examples) < 0.05


@pytest.mark.parametrize("split, least", [("train", 20), ("dev", 2)])
def test_the_difficulties_of_titles_are_there(split, least):
    found: Counter[str] = Counter()
    for example in read(TITLES, f"{split}.json"):
        title, content = example["title"], example["content"]
        names = _titling_world.entities(title)
        places = [content.find(piece) for piece in title_pieces(title, 3) if piece in content]
        found["words at the beginning"] += min(places, default=99) < 12
        found["words in the second half"] += max(places, default=0) > len(content) / 2
        found["words in another order"] += places != sorted(places)
        found["a change in other words"] += re.search("增长|下滑|上涨|下跌|上调|下调|走高|走低", title) is not None
        found["words that the text has not"] += any(
            piece not in content for piece in ("研究", "开工", "合龙", "夺", "收购", "助学", "应用") if piece in title
        )
        found["Latin letters"] += re.search("[A-Za-z]", title) is not None
        found["figures"] += re.search("[0-9]", title) is not None
        found["per cent"] += "%" in title
        found["title marks"] += "《" in title
        found["quotation marks"] += "“" in title
        found["blank"] += " " in title
        found["long name"] += any(len(name) >= 8 for name in names)
        found["names that do not belong in it"] += len(_titling_world.entities(content) - names) >= 2
    assert all(count >= least for count in found.values()), found
    assert len(found) == 13
