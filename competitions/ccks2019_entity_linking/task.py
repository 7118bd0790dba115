"""CCKS2019 entity linking: the official files, read and checked, and the submission, written and checked.

A text has mentions: pieces that name something. Each is linked to an entity of the knowledge base, or to NIL where the
knowledge base does not have what it names. The judge leaves NIL out. The metric is in metric.py.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import BLANK_LINE, field, find_file, read_json_lines, write_json_lines

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "ccks2019_entity_linking"

#: What stands in place of an entity where the knowledge base has none.
NIL = "NIL"

#: The reasons under which `read` counts what it leaves out, or understands though it is not there.
WRONG_OFFSET = "mention that is not at its offset, left out"
REPEATED = "mention that stands there already, left out"
NO_OFFSET = "mention without an offset, where its text has it once"
NO_LABELS = "labels absent: nothing to find"
NUMBER = "id that is a number, read and answered as a string"


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of the text. `offset` is the index of its first character, `entity` an id of the knowledge base or
    NIL."""

    text: str
    offset: int
    entity: str

    @property
    def end(self) -> int:
        """The index behind its last character."""
        return self.offset + len(self.text)

    @property
    def place(self) -> tuple[int, str]:
        """All of it but the entity."""
        return self.offset, self.text


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its mentions in the order of the file (None: unlabelled) and its line there, from 1."""

    id: str
    text: str
    mentions: tuple[Mention, ...] | None
    line: int


# Reading


def read(path: str | Path, labelled: bool | None = None, skipped: Counter[str] | None = None) -> list[Example]:
    """The texts of an official file, one Example for each line that is not blank (`skipped` counts the blank ones).

    `labelled=False` never looks at `mention_data`, None takes what there is, and True demands it of some line: in the
    others there is nothing to find. Offsets are strings of digits in the official files, and ids strings; whole numbers
    will do for both, and a mention that its text has once needs no offset. Mentions may overlap, but each of an Example
    is where it says, `text[offset:end]`, and no other one is: one that is empty or elsewhere is left out, since nothing
    could be learned from it, and so are all but the first of those in one place. `skipped` counts all of these. Whether
    the knowledge base has the entities is not checked. Raises UserError naming file and line, also for an id that
    stands there twice: the submission answers ids.
    """
    examples = []
    skipped = Counter() if skipped is None else skipped
    for number, identifier, text, record in _texts(path, skipped):
        mentions = None
        if labelled is not False and record.get("mention_data") is not None:
            mentions = _usable(_mentions(record, f"{path}:{number}", text, skipped), text, skipped)
        examples.append(Example(identifier, text, mentions, number))
    if not labelled:
        return examples
    without = sum(example.mentions is None for example in examples)
    if without == len(examples):
        raise UserError(f'{path}: no line has "mention_data" - give a file with labels')
    if without:
        skipped[NO_LABELS] += without
    return [replace(example, mentions=example.mentions or ()) for example in examples]


def read_gold(path: str | Path, skipped: Counter[str] | None = None) -> list[Example]:
    """The texts of a labelled file with all mentions as the metric takes them, each line with its own: they may be
    repeated, or be elsewhere than they say. Raises UserError as `read` does, and for a line without labels."""
    return [
        Example(identifier, text, _mentions(record, f"{path}:{number}"), number)
        for number, identifier, text, record in _texts(path, Counter() if skipped is None else skipped)
    ]


def _texts(path: str | Path, skipped: Counter[str]) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Line, id, text and record of each text."""
    lines: dict[str, int] = {}
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        identifier = _name(record, "text_id", where)
        text = field(record, "text", str, where)
        if identifier in lines:
            raise UserError(
                f'{where}: text_id "{identifier:.60}" stands already in line {lines[identifier]} - give each text an id of its own'
            )
        lines[identifier] = number
        if record["text_id"] != identifier:
            skipped[NUMBER] += 1
        yield number, identifier, text, record


def read_submission(path: str | Path) -> list[tuple[str, tuple[Mention, ...]]]:
    """The (id, mentions) pairs of a submission: one for each line that is not blank, for metric.compare.

    Without the texts, and so as lenient as the metric: offsets are not checked, mentions may be repeated, and an id may
    stand there twice. Raises UserError naming file and line.
    """
    return [
        (_name(record, "text_id", f"{path}:{number}"), _mentions(record, f"{path}:{number}"))
        for number, record in read_json_lines(path)
    ]


def _mentions(
    record: dict[str, Any], where: str, text: str | None = None, counted: Counter[str] | None = None
) -> tuple[Mention, ...]:
    """The mentions of a line. `text`: in which those are looked up that have no offset, and `counted` there."""
    items = field(record, "mention_data", list, where)
    for item in items:
        if not isinstance(item, dict):
            raise UserError(f'{where}: "mention_data" holds {item!r:.60} - each of its items must be an object')
    if text is not None:
        items = [_with_offset(item, where, text, counted) for item in items]
    return tuple(_mention(item, where) for item in items)


def _with_offset(item: dict[str, Any], where: str, text: str, counted: Counter[str]) -> dict[str, Any]:
    if item.get("offset") is not None:
        return item
    name = field(item, "mention", str, where)
    offset = text.find(name)
    if offset < 0 or text.find(name, offset + 1) >= 0:
        raise UserError(
            f'{where}: in "{name:.60}": "offset" is missing, and the text does not have these characters once - '
            "give the index of the first one"
        )
    counted[NO_OFFSET] += 1
    return {**item, "offset": offset}


def _mention(item: dict[str, Any], where: str) -> Mention:
    text = field(item, "mention", str, where)
    inside = f'{where}: in "{text:.60}"'
    offset = field(item, "offset", (str, int), inside)
    try:
        offset = int(offset)
    except ValueError:
        raise UserError(f'{inside}: "offset" is "{offset:.60}" - it must be a whole number') from None
    return Mention(text, offset, _name(item, "kb_id", inside))


def _name(record: dict[str, Any], key: str, where: str) -> str:
    return str(field(record, key, (str, int), where))


def _usable(mentions: Iterable[Mention], text: str, skipped: Counter[str]) -> tuple[Mention, ...]:
    """Those that are where they say, the first in each place."""
    kept: dict[tuple[int, str], Mention] = {}
    for mention in mentions:
        if not is_at(mention, text):
            skipped[WRONG_OFFSET] += 1
        elif mention.place in kept:
            skipped[REPEATED] += 1
        else:
            kept[mention.place] = mention
    return tuple(kept.values())


def is_at(mention: Mention, text: str) -> bool:
    """Whether the text has just these characters, one at least, at the mention's offset. The metric compares them
    exactly."""
    return mention.offset >= 0 and mention.text != "" and text.startswith(mention.text, mention.offset)


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None


# Our names, and those of the organisers' folder. Their develop.json and eval722.json are no labelled files.
_NAMES = {
    "train": ("train.json", "train_data.json", "ccks2019_el/train.json", "ccks2019_el/train_data.json"),
    "dev": ("dev.json", "dev_data.json", "ccks2019_el/dev.json", "ccks2019_el/dev_data.json"),
    "kb_data": ("kb_data", "kb_data.json", "ccks2019_el/kb_data", "ccks2019_el/kb_data.json"),
}


def find_files(data_dir: str | Path) -> Files:
    """The training and development file in a folder, under our names or the organisers'.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    return Files(*(_find(Path(data_dir), role) for role in ("train", "dev")))


def find_knowledge_base(data_dir: str | Path, given: str | Path | None = None) -> Path:
    """The file that is `given`, or kb_data in the folder. Raises UserError where it is not there."""
    if given is None:
        return _find(Path(data_dir), "kb_data")
    if not Path(given).is_file():
        raise UserError(f"{given}: no such file - give the knowledge base: --knowledge-base FILE")
    return Path(given)


def _find(folder: Path, role: str) -> Path | None:
    tree = (
        f"expected {folder}/ with train.json, dev.json and kb_data (another knowledge base: --knowledge-base FILE; "
        "the contest's develop.json has no labels: without dev.json a part of train.json is dev)"
    )
    return find_file(folder, role, _NAMES[role], tree, role == "dev")


# The submission


def submission_record(example: Example, mentions: Iterable[Mention]) -> dict[str, Any]:
    """A line of the official format, that of the labelled files. The example's own mentions are not looked at."""
    items = [{"kb_id": mention.entity, "mention": mention.text, "offset": str(mention.offset)} for mention in mentions]
    return {"text_id": example.id, "text": example.text, "mention_data": items}


def write_submission(path: str | Path, examples: Sequence[Example], predictions: Sequence[Iterable[Mention]]) -> None:
    """One line for each example, in order; a flat zip when the name ends in `.zip`. Raises ValueError for unequal
    numbers."""
    pairs = zip(examples, predictions, strict=True)
    write_json_lines(path, (submission_record(example, mentions) for example, mentions in pairs))


def check_submission(
    path: str | Path, examples: Sequence[Example] | None = None, entities: Container[str] | None = None
) -> int:
    """The number of lines of a submission that the judge can read and that says nothing impossible.

    Checked: UTF-8, a flat zip, no blank line, fields and their types, offsets and ids as strings, every id once,
    mentions where they say in the text of their line, and no place twice, since one of two links is wrong. With
    `examples` also their ids and texts, in order; with `entities`, a knowledge base for instance, that they have every
    id that is not NIL. Raises UserError naming file and line.
    """
    skipped: Counter[str] = Counter()
    lines: dict[str, int] = {}
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        identifier = field(record, "text_id", str, where)
        text = field(record, "text", str, where)
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if identifier in lines:
            raise UserError(
                f'{where}: text_id "{identifier:.60}" stands already in line {lines[identifier]} - leave one'
            )
        count = len(lines)
        if examples is not None and (
            count >= len(examples) or (examples[count].id, examples[count].text) != (identifier, text)
        ):
            raise UserError(
                f"{where}: is not text {count + 1} of the {len(examples)} in the input - keep every id with its text, in order"
            )
        lines[identifier] = number
        mentions = _mentions(record, where)
        for mention, item in zip(mentions, record["mention_data"]):
            inside = f'{where}: in "{mention.text:.60}"'
            field(item, "offset", str, inside)
            field(item, "kb_id", str, inside)
        check_mentions(mentions, text, entities, where)
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and len(lines) < len(examples):
        raise UserError(
            f"{path}: ends after {len(lines)} of {len(examples)} texts - each needs a line, also without mentions"
        )
    return len(lines)


def check_mentions(mentions: Iterable[Mention], text: str, entities: Container[str] | None, where: str) -> None:
    """Raises UserError, beginning with `where`, for mentions of a text that say something impossible; see
    `check_submission`."""
    places = set()
    for mention in mentions:
        if not mention.text:
            raise UserError(f"{where}: a mention is empty - leave it out")
        if not is_at(mention, text):
            raise UserError(
                f'{where}: "{mention.text:.60}" does not begin at offset {mention.offset} of the text - cut it from there, '
                "and count its characters from 0"
            )
        if entities is not None and mention.entity != NIL and mention.entity not in entities:
            raise UserError(
                f'{where}: in "{mention.text:.60}": the knowledge base has no entity "{mention.entity:.60}" - give one of its ids or {NIL}'
            )
        if mention.place in places:
            raise UserError(f'{where}: "{mention.text:.60}" stands twice at offset {mention.offset} - leave one')
        places.add(mention.place)
