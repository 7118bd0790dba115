"""LIC2020 event extraction (DuEE 1.0): the official files, read and checked, and the submission, written and checked.

A text has events. Each is of one of the schema's types, is named by a trigger word, and has arguments: pieces of the
text, each in one of the roles of that type. The judge scores the arguments alone. The metric is in metric.py.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.json_document import read_json_records
from common.submission import BLANK_LINE, field, find_file, read_json_lines, write_json_lines

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "lic2020_event_extraction"

#: The reasons under which `read` counts a position that it does not believe, a text that it takes for one without
#: events, and an id that it makes a string.
WRONG_START = "start index where the text says something else, not used"
NO_LABELS = '"event_list" absent or null: nothing to find'
NUMBER_AS_ID = "id is a number: read as text"

#: The contest has 65 event types and 217 roles of them. A file with more than this is none of its, and would fill the
#: memory.
MAX_CLASSES = 2000


@dataclass(frozen=True, slots=True)
class Argument:
    """A piece of the text in a role. `start` is the index of its first character, -1 where it is not known."""

    role: str
    text: str
    start: int = -1
    aliases: tuple[str, ...] = ()
    """Other strings that the metric accepts as well; gold alone has them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `trigger` is "" where none is given; `trigger_start` is the index of its first character, or -1."""

    event_type: str
    trigger: str
    trigger_start: int
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A text, its events (None: unlabelled) and its line in the file, from 1."""

    id: str
    text: str
    events: tuple[Event, ...] | None
    line: int


class Schema:
    """The event types of the contest, in the order of the file.

    `event_types` maps each type to its roles, all different, and `categories` to what the file calls its "class" ("" if
    it does not say). `classes` lists the (type, role) pairs, 217 in the real schema. They stay pairs and are never
    joined into one string: names may hold any character, and many types share a role.
    """

    def __init__(self, event_types: Mapping[str, Iterable[str]], categories: Mapping[str, str] | None = None):
        self.event_types = {name: tuple(dict.fromkeys(roles)) for name, roles in event_types.items()}
        self.categories = {name: (categories or {}).get(name, "") for name in self.event_types}
        self.classes = [(name, role) for name, roles in self.event_types.items() for role in roles]

    @classmethod
    def read(cls, path: str | Path) -> "Schema":
        """From the official event_schema.json, a JSON object on each line, or one list of them. Raises UserError for a
        file that is not like that, or has more than MAX_CLASSES types and roles.

        Of a type on several lines the roles add up, and its first class stays.
        """
        event_types: dict[str, list[str]] = {}
        categories: dict[str, str] = {}
        classes = 0
        for record in read_json_records(path):
            where = record.where()
            name = field(record.value, "event_type", str, where)
            inside = f'{where}: in "role_list" of "{name:.60}"'
            roles = [field(item, "role", str, inside) for item in _objects(record.value, "role_list", where)]
            event_types.setdefault(name, []).extend(roles)
            categories.setdefault(name, _optional(record.value, "class", str, "", where))
            classes += 1 + len(roles)
            if classes > MAX_CLASSES:
                raise UserError(
                    f"{where}: with it there are more than {MAX_CLASSES} types and roles - is it the contest's event_schema.json?"
                )
        if not any(event_types.values()):
            raise UserError(f"{path}: names no event type with a role - is it the contest's event_schema.json?")
        return cls(event_types, categories)

    def write(self, path: str | Path) -> None:
        """In the official format, without ids; reading it back gives an equal schema."""
        write_json_lines(
            path,
            (
                {"event_type": name, "role_list": [{"role": role} for role in roles], "class": self.categories[name]}
                for name, roles in self.event_types.items()
            ),
        )

    def __eq__(self, other: object) -> bool:
        # The order counts, since class ids depend on it, and dicts alone would not compare it.
        return (
            isinstance(other, Schema)
            and list(self.event_types.items()) == list(other.event_types.items())
            and self.categories == other.categories
        )


# Reading


def read(
    path: str | Path, schema: Schema | None, labelled: bool | None = None, skipped: Counter[str] | None = None
) -> list[Example]:
    """The texts of a file in the official format, or of one JSON list of such records, in order.

    `labelled=True` is for what is learned from or scored against: a text without `event_list`, or with null there, has
    nothing to find, and `skipped` counts it; `False` never looks at labels; None takes what there is. With a schema an
    unknown event type or role is an error; without one anything goes. Triggers, positions and aliases may be absent, an
    alias may be a mere string, an id a whole number. Arguments stay as they are, also repeated ones and those that do
    not occur in the text. Only a position where the text does not say what it should becomes -1, counted in `skipped`:
    one that is left can be trusted. `skipped` counts blank lines, too. Raises UserError naming file and line, also for
    a file without texts, or with `labelled=True` without any labels; and for an id that stands there twice: the
    submission answers ids, and could not tell the two apart.
    """
    skipped = Counter() if skipped is None else skipped
    lines: dict[str, int] = {}
    examples, unlabelled = [], 0
    for record in read_json_records(path, skipped):
        where = record.where()
        identifier = _id(record.value, where, skipped)
        text = field(record.value, "text", str, where)
        if identifier in lines:
            raise UserError(
                f'{where}: id "{identifier:.60}" stands already in line {lines[identifier]} - give each text an id of its own'
            )
        lines[identifier] = record.line
        if labelled is False or record.value.get("event_list") is None:
            unlabelled += 1
            events = () if labelled else None
        else:
            events = _events(record.value, schema, where, text, skipped)
        examples.append(Example(identifier, text, events, record.line))
    if labelled and unlabelled == len(examples):
        raise UserError(f'{path}: no text has "event_list" - give a file with labels (is this the judge\'s file?)')
    if labelled and unlabelled:
        skipped[NO_LABELS] += unlabelled
    return examples


def read_submission(path: str | Path) -> list[tuple[str, tuple[Event, ...]]]:
    """The (id, events) pairs of a submission, or of gold: one for each line that is not blank, for metric.compare.

    Without schema and texts, and so as lenient as the metric: positions are not checked, and an id may stand there
    twice. Raises UserError naming file and line.
    """
    return [
        (_id(record, f"{path}:{number}", Counter()), _events(record, None, f"{path}:{number}"))
        for number, record in read_json_lines(path)
    ]


def _id(record: dict[str, Any], where: str, skipped: Counter[str]) -> str:
    identifier = field(record, "id", (str, int), where)
    if isinstance(identifier, int):
        skipped[NUMBER_AS_ID] += 1
    return str(identifier)


def _events(
    record: dict[str, Any],
    schema: Schema | None,
    where: str,
    text: str | None = None,
    skipped: Counter[str] | None = None,
) -> tuple[Event, ...]:
    """The events of a record. With a text, a position where it says something else is -1, and `skipped`, which must be
    there then, counts it."""

    def start(item: dict[str, Any], key: str, piece: str, where: str) -> int:
        if isinstance(item.get(key), float) and item[key].is_integer():  # 3.0 is what some tables make of 3
            item = {key: int(item[key])}
        found = _optional(item, key, int, -1, where)
        if found == -1 or text is None or (piece and is_at(piece, found, text)):
            return found
        skipped[WRONG_START] += 1
        return -1

    events = []
    for item in _objects(record, "event_list", where):
        event_type = field(item, "event_type", str, where)
        inside = f'{where}: in "{event_type:.60}"'
        arguments = []
        for argument in _objects(item, "arguments", inside):
            role, piece = field(argument, "role", str, inside), field(argument, "argument", str, inside)
            begin = start(argument, "argument_start_index", piece, inside)
            arguments.append(Argument(role, piece, begin, _aliases(argument, inside)))
        trigger = _optional(item, "trigger", str, "", inside)
        begin = start(item, "trigger_start_index", trigger, inside)
        events.append(Event(event_type, trigger, begin, tuple(arguments)))
        if schema is not None:
            _check_names(events[-1], schema, where)
    return tuple(events)


def _aliases(argument: dict[str, Any], where: str) -> tuple[str, ...]:
    aliases = _optional(argument, "alias", (list, str), [], where)
    if isinstance(aliases, str):
        return (aliases,) if aliases else ()
    for alias in aliases:
        if not isinstance(alias, str):
            raise UserError(f'{where}: "alias" holds {alias!r:.60} - each of its items must be a string')
    return tuple(aliases)


def _objects(record: dict[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    items = field(record, key, list, where)
    for item in items:
        if not isinstance(item, dict):
            raise UserError(f'{where}: "{key}" holds {item!r:.60} - each of its items must be an object')
    return items


def _optional(record: dict[str, Any], key: str, kind: type | tuple[type, ...], default: Any, where: str) -> Any:
    return default if record.get(key) is None else field(record, key, kind, where)


def is_at(piece: str, start: int, text: str) -> bool:
    """Whether `piece` stands in `text` at index `start`, whatever its case."""
    return start >= 0 and text[start : start + len(piece)].lower() == piece.lower()


def _check_names(event: Event, schema: Schema, where: str) -> None:
    known = schema.event_types.get(event.event_type)
    if known is None:
        raise UserError(
            f'{where}: unknown event type "{event.event_type:.60}" - '
            f"does the schema (of {len(schema.event_types)} types) belong to this file?"
        )
    for argument in event.arguments:
        if argument.role not in known:
            raise UserError(
                f'{where}: event type "{event.event_type:.60}" has no role "{argument.role:.60}", '
                f"only {', '.join(known) or 'none at all'} - does the schema belong to this file?"
            )


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None
    schema: Path


# Our names, and those of the archives that the organisers published; unpacked, some files have a folder of their own,
# and those of DuEE1.0.zip one together.
_NAMES = {
    "train": "train.json train_data.json train_data/train.json duee_train.json duee_train.json/duee_train.json",
    "dev": "dev.json dev_data.json dev_data/dev.json duee_dev.json duee_dev.json/duee_dev.json",
    "schema": "event_schema.json event_schema/event_schema.json duee_event_schema.json "
    "duee_schema/duee_event_schema.json duee_schema/event_schema.json",
}
_TOGETHER = (".", "DuEE1.0")


def find_files(data_dir: str | Path) -> Files:
    """The training, development and schema file in a folder, under our names or the organisers'.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json, dev.json and event_schema.json "
        "(or the contest's duee_train.json, duee_dev.json and duee_event_schema.json; without a dev file a part of train.json is dev)"
    )
    found = {}
    for role, names in _NAMES.items():
        paths = [f"{together}/{name}" for together in _TOGETHER for name in names.split()]
        found[role] = find_file(folder, role, paths, tree, optional=role == "dev")
    return Files(**found)


# The submission


def submission_record(id: str, events: Iterable[Event], schema: Schema) -> dict[str, Any]:
    """A line of the official format. Raises ValueError for an event type or role that the schema does not know."""
    items = []
    for event in events:
        _check_names(event, schema, "cannot be submitted")
        items.append(
            {
                "event_type": event.event_type,
                **(_placed("trigger", event.trigger, event.trigger_start) if event.trigger else {}),
                "arguments": [
                    {"role": argument.role, **_placed("argument", argument.text, argument.start)}
                    for argument in event.arguments
                ],
            }
        )
    return {"id": id, "event_list": items}


def _placed(key: str, text: str, start: int) -> dict[str, Any]:
    return {key: text, f"{key}_start_index": start} if start >= 0 else {key: text}


def write_submission(
    path: str | Path, ids: Sequence[str], predictions: Iterable[Iterable[Event]], schema: Schema
) -> None:
    """One line for each id, in order; a flat zip when the name ends in `.zip`. Each prediction is written when it is
    made: nothing is held but its line. Raises ValueError for unequal numbers."""
    pairs = zip(ids, predictions, strict=True)
    write_json_lines(path, (submission_record(identifier, events, schema) for identifier, events in pairs))


def check_submission(path: str | Path, schema: Schema, examples: Sequence[Example] | None = None) -> int:
    """The number of lines of a submission that the judge can read and that says nothing impossible.

    Checked: UTF-8, a flat zip, no blank line, every id once, and in each line what `check_record` says; with `examples`
    also their ids, in order. Raises UserError naming file and line.
    """
    skipped: Counter[str] = Counter()
    lines: dict[str, int] = {}
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        identifier = field(record, "id", str, where)
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if identifier in lines:
            raise UserError(f'{where}: id "{identifier:.60}" stands already in line {lines[identifier]} - leave one')
        count = len(lines)
        if examples is not None and (count >= len(examples) or examples[count].id != identifier):
            raise UserError(
                f"{where}: is not the id of text {count + 1} of the {len(examples)} in the input - keep every id, in order"
            )
        lines[identifier] = number
        check_record(record, schema, where, None if examples is None else examples[count].text)
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if examples is not None and len(lines) < len(examples):
        raise UserError(
            f"{path}: ends after {len(lines)} of {len(examples)} texts - each needs a line, also without events"
        )
    return len(lines)


def check_record(record: dict[str, Any], schema: Schema, where: str, text: str | None = None) -> None:
    """Raises UserError for a line of a submission that cannot be right; `where` says where it is.

    Checked: fields and their types, event types and roles in the schema, no empty argument, and no argument twice in
    the same role of the same type over all events that do not have triggers of their own, since the metric would pay
    for it twice. With its text also: that
    triggers and arguments are in it (whatever their case), and where their start index, if they have one, says.
    """
    field(record, "id", str, where)
    events = _events(record, schema, where)
    for item, event in zip(record["event_list"], events):
        pieces = [(argument.role, argument.text, argument.start) for argument in event.arguments]
        if "trigger" in item or "trigger_start_index" in item:
            pieces = [("trigger", event.trigger, event.trigger_start), *pieces]
        for role, piece, start in pieces:
            _check_piece(piece, start, text, f'"{role:.60}" of "{event.event_type:.60}"', where)
    _check_repeats(events, where)


def _check_piece(piece: str, start: int, text: str | None, of: str, where: str) -> None:
    if not piece:
        raise UserError(f"{where}: the {of} is empty - leave it out")
    if text is None:
        return
    if piece not in text and piece.lower() not in text.lower():
        raise UserError(f'{where}: "{piece:.60}" ({of}) is not in the text - cut it from there')
    if start != -1 and not is_at(piece, start, text):
        raise UserError(
            f'{where}: "{piece:.60}" ({of}) does not begin at index {start} of the text - '
            "count its characters from 0, or leave the index out"
        )


def _check_repeats(events: Iterable[Event], where: str) -> None:
    seen: dict[tuple[str, str, str], set[tuple[str, int]]] = defaultdict(set)
    for event in events:
        trigger = event.trigger, event.trigger_start
        for argument in event.arguments:
            triggers = seen[event.event_type, argument.role, argument.text.lower()]
            if triggers and (not event.trigger or trigger in triggers or ("", -1) in triggers):
                raise UserError(
                    f'{where}: "{argument.text:.60}" stands twice as "{argument.role:.60}" of "{event.event_type:.60}" - leave one'
                )
            triggers.add(trigger)
