"""LIC2020 relation extraction (DuIE 2.0): the official files, read and checked, and the submission, written and
checked.

A sentence has subject-predicate-object triples. The object is a set of slots: `@value`, which it must have, and for
some predicates others (`inWork`, `onDate`, ...). The schema names every predicate with its slots and types. The metric
is in metric.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.json_document import read_json_records
from common.submission import BLANK_LINE, field, find_file, read_json_lines, write_json_lines

#: Name of the contest: its runs are kept under it, also those of a copied folder.
TASK = "lic2020_relation_extraction"

#: The slot that every object must have.
VALUE = "@value"

#: The reason under which `read` counts a sentence that it takes for one without triples.
NO_LABELS = '"spo_list" absent or null: nothing to find'

#: The contest has 55 (predicate, slot) classes. A file with more than this is none of its, and would fill the memory.
MAX_CLASSES = 2000


@dataclass(frozen=True, slots=True)
class Triple:
    """One relation. `object` holds (slot, value) pairs, `@value` first; make it with `Triple.of`, read it with
    `.slots`."""

    subject: str
    predicate: str
    object: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, subject: str, predicate: str, slots: dict[str, str], schema: "Schema | None" = None) -> "Triple":
        """A triple from a dict of slots. They go into the schema's order, or where it does not know them into that of
        their names, so that equal dicts give equal triples."""
        if len(slots) > 1:
            known = schema.predicates.get(predicate) if schema else None
            order = list(known.object_types) if known else [VALUE]
            names = sorted(slots, key=lambda slot: (order.index(slot) if slot in order else len(order), slot))
            slots = {name: slots[name] for name in names}
        return cls(subject, predicate, tuple(slots.items()))

    @property
    def slots(self) -> dict[str, str]:
        return dict(self.object)


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence, its triples (None: unlabelled) and its line in the file, from 1."""

    text: str
    triples: tuple[Triple, ...] | None
    line: int


@dataclass(frozen=True)
class Predicate:
    """A line of the schema. `object_types` maps every slot to its type, `@value` first."""

    name: str
    subject_type: str
    object_types: dict[str, str]


class Schema:
    """The predicates of the contest, in the order of the file.

    `predicates` maps names to Predicates. `classes` lists the (predicate, slot) pairs, 55 in the real schema, and
    `class_ids` numbers them. They stay pairs and are never joined into one string: names may hold any character.
    """

    def __init__(self, predicates: Iterable[Predicate]):
        self.predicates: dict[str, Predicate] = {}
        for new in predicates:
            # DuIE 1.0 has predicates with a line for each pair of types: the slots add up, the first types stay.
            old = self.predicates.get(new.name, new)
            types = {**new.object_types, **old.object_types}
            order = [VALUE, *(slot for slot in dict.fromkeys([*old.object_types, *new.object_types]) if slot != VALUE)]
            if VALUE not in types:
                raise ValueError(f'predicate "{new.name}" has no slot {VALUE}')
            self.predicates[new.name] = Predicate(new.name, old.subject_type, {slot: types[slot] for slot in order})
        self.classes: list[tuple[str, str]] = [
            (name, slot) for name, known in self.predicates.items() for slot in known.object_types
        ]
        self.class_ids: dict[tuple[str, str], int] = {pair: number for number, pair in enumerate(self.classes)}

    @classmethod
    def read(cls, path: str | Path) -> "Schema":
        """From the official schema.json, a JSON object on each line, or one list of them. Raises UserError for a file
        that is not like that, or has more than MAX_CLASSES."""
        predicates, classes = [], 0
        for record in read_json_records(path):
            where = record.where()
            types = field(record.value, "object_type", (dict, str), where)
            types = {VALUE: types} if isinstance(types, str) else types  # DuIE 1.0 has only the type of the value
            for slot in (VALUE, *types):
                field(types, slot, str, f'{where}: in "object_type"')
            name, subject_type = (field(record.value, key, str, where) for key in ("predicate", "subject_type"))
            predicates.append(Predicate(name, subject_type, types))
            classes += len(types)
            if classes > MAX_CLASSES:
                raise UserError(
                    f"{where}: with it there are more than {MAX_CLASSES} classes - is it the contest's schema.json?"
                )
        return cls(predicates)

    def write(self, path: str | Path) -> None:
        """In the official format; reading it back gives an equal schema."""
        write_json_lines(
            path,
            (
                {"object_type": known.object_types, "predicate": known.name, "subject_type": known.subject_type}
                for known in self.predicates.values()
            ),
        )

    def __eq__(self, other: object) -> bool:
        # The order counts, since class ids depend on it, and dicts alone would not compare it.
        return isinstance(other, Schema) and self.classes == other.classes and self.predicates == other.predicates


# Reading


def read(
    path: str | Path, schema: Schema | None, labelled: bool | None = None, skipped: Counter[str] | None = None
) -> list[Example]:
    """The sentences of a file in the official format, or of one JSON list of such records, in order.

    `labelled=True` is for what is learned from or scored against: a sentence without `spo_list`, or with null there,
    has nothing to find, and `skipped` counts it; `False` never looks at labels; None takes what there is. With a schema
    an unknown predicate or slot is an error; without one anything goes that the organisers' evaluator reads. Triples
    stay as they are, also repeated ones, those without `@value` and those that do not occur in the text. A DuIE 1.0
    object, a plain string, becomes its `@value`. `skipped` counts blank lines, too. Raises UserError naming file and
    line, also for a file without sentences, or with `labelled=True` without any labels.
    """
    examples, unlabelled = [], 0
    for record in read_json_records(path, skipped):
        where = record.where()
        text = field(record.value, "text", str, where)
        if labelled is False or record.value.get("spo_list") is None:
            unlabelled += 1
            triples = () if labelled else None
        else:
            triples = _triples(record.value, schema, where)
        examples.append(Example(text, triples, record.line))
    if labelled and unlabelled == len(examples):
        raise UserError(f'{path}: no sentence has "spo_list" - give a file with labels (is this the judge\'s file?)')
    if labelled and unlabelled and skipped is not None:
        skipped[NO_LABELS] += unlabelled
    return examples


def read_submission(path: str | Path) -> list[tuple[str, tuple[Triple, ...]]]:
    """The (text, triples) pairs of a submission, one for each line that is not blank, for metric.compare.

    Without a schema, and so as lenient as the organisers' evaluator; but each line needs its `spo_list`. Raises
    UserError naming file and line.
    """
    return [
        (field(record, "text", str, f"{path}:{number}"), _triples(record, None, f"{path}:{number}"))
        for number, record in read_json_lines(path)
    ]


def _triples(record: dict[str, Any], schema: Schema | None, where: str) -> tuple[Triple, ...]:
    return tuple(_triple(item, schema, where) for item in field(record, "spo_list", list, where))


def _triple(item: Any, schema: Schema | None, where: str) -> Triple:
    if not isinstance(item, dict):
        raise UserError(f'{where}: "spo_list" holds {item!r:.60} - each of its items must be an object')
    subject = field(item, "subject", str, where)
    predicate = field(item, "predicate", str, where)
    slots = field(item, "object", (dict, str), where)
    slots = {VALUE: slots} if isinstance(slots, str) else slots
    inside = f'{where}: in "object" of "{predicate:.60}"'
    for slot in slots:
        field(slots, slot, str, inside)
    _check_names(predicate, slots, schema, where)
    return Triple.of(subject, predicate, slots, schema)


def _check_names(predicate: str, slots: Iterable[str], schema: Schema | None, where: str) -> None:
    if schema is None:
        return
    known = schema.predicates.get(predicate)
    if known is None:
        raise UserError(
            f'{where}: unknown predicate "{predicate:.60}" - '
            f"does the schema (of {len(schema.predicates)} predicates) belong to this file?"
        )
    for slot in slots:
        if slot not in known.object_types:
            raise UserError(
                f'{where}: predicate "{predicate:.60}" has no slot "{slot:.60}", only {", ".join(known.object_types)} - '
                f"does the schema belong to this file?"
            )


@dataclass(frozen=True)
class Files:
    """Where the files of the contest are. `dev` None: there is none, and a part of the training file is to be dev."""

    train: Path
    dev: Path | None
    schema: Path


# Our names, and those of the two archives that the organisers published; unpacked, some have a folder of their own.
_NAMES = {
    "train": ("train.json", "train_data.json", "duie_train.json", "duie_train.json/duie_train.json"),
    "dev": ("dev.json", "dev_data.json", "duie_dev.json", "duie_dev.json/duie_dev.json"),
    "schema": (
        "schema.json",
        "duie_schema.json",
        "duie_schema/duie_schema.json",
        "duie_schema/schema.json",
        "all_50_schemas",
        "all_50_schemas.json",
    ),
}


def find_files(data_dir: str | Path) -> Files:
    """The training, development and schema file in a folder, under our names or the organisers'.

    Raises UserError that shows the tree we expect; only the development file may be missing.
    """
    folder = Path(data_dir)
    tree = (
        f"expected {folder}/ with train.json, dev.json and schema.json "
        "(or the contest's duie_train.json, duie_dev.json and duie_schema.json; without a dev file a part of train.json is dev)"
    )
    return Files(**{role: find_file(folder, role, names, tree, role == "dev") for role, names in _NAMES.items()})


# The submission


def submission_record(text: str, triples: Iterable[Triple], schema: Schema) -> dict[str, Any]:
    """A line of the official format, the types out of the schema. Raises ValueError for a predicate or slot it does not
    know."""
    items = []
    for triple in triples:
        _check_names(triple.predicate, triple.slots, schema, "cannot be submitted")
        known = schema.predicates[triple.predicate]
        items.append(
            {
                "predicate": triple.predicate,
                "subject": triple.subject,
                "subject_type": known.subject_type,
                "object": triple.slots,
                "object_type": {slot: known.object_types[slot] for slot in triple.slots},
            }
        )
    return {"text": text, "spo_list": items}


def write_submission(
    path: str | Path, texts: Sequence[str], predictions: Iterable[Iterable[Triple]], schema: Schema
) -> None:
    """One line for each text, in order; a flat zip when the name ends in `.zip`. Each prediction is written when it is
    made: nothing is held but its line. Raises ValueError for unequal numbers."""
    write_json_lines(
        path, (submission_record(text, triples, schema) for text, triples in zip(texts, predictions, strict=True))
    )


def check_submission(path: str | Path, schema: Schema, texts: Sequence[str] | None = None) -> int:
    """The number of lines of a submission that the judge can read and that says nothing impossible.

    Checked: UTF-8, a flat zip, no blank line, in each line what `check_record` says, and the texts themselves, in
    order, when they are given. Raises UserError naming file and line.
    """
    skipped: Counter[str] = Counter()
    count = 0
    for number, record in read_json_lines(path, skipped):
        where = f"{path}:{number}"
        text = field(record, "text", str, where)
        if skipped[BLANK_LINE]:
            raise UserError(f"{where}: follows a blank line, which the judge cannot read - delete it")
        if texts is not None and (count >= len(texts) or texts[count] != text):
            raise UserError(
                f"{where}: is not sentence {count + 1} of the {len(texts)} in the input - keep every sentence, in order"
            )
        count += 1
        check_record(record, schema, where)
    if skipped[BLANK_LINE]:
        raise UserError(f"{path}: ends with a blank line, which the judge cannot read - delete it")
    if texts is not None and count < len(texts):
        raise UserError(
            f"{path}: ends after {count} of {len(texts)} sentences - each needs a line, also without triples"
        )
    return count


def check_record(record: dict[str, Any], schema: Schema, where: str) -> None:
    """Raises UserError for a line of a submission that cannot be right; `where` says where it is.

    Checked: fields and their types, predicates and slots in the schema, `@value` in every object, no triple twice, and
    every value in the text (whatever its case).
    """
    text, seen = field(record, "text", str, where), set()
    for item, triple in zip(field(record, "spo_list", list, where), _triples(record, schema, where)):
        _check_item(item, triple, text, where)
        if triple in seen:
            raise UserError(f'{where}: "{triple.subject:.60}" has the same "{triple.predicate:.60}" twice - leave one')
        seen.add(triple)


def _check_item(item: dict[str, Any], triple: Triple, text: str, where: str) -> None:
    field(item, "object", dict, where)
    field(item, "subject_type", str, where)
    types = field(item, "object_type", dict, where)
    if VALUE not in triple.slots:
        raise UserError(
            f'{where}: the object of "{triple.predicate:.60}" has no {VALUE} and cannot be right - leave it out'
        )
    if types.keys() != triple.slots.keys():
        raise UserError(
            f'{where}: "object_type" of "{triple.predicate:.60}" must have the slots of "object": {", ".join(triple.slots)}'
        )
    for slot in types:
        field(types, slot, str, f'{where}: in "object_type" of "{triple.predicate:.60}"')
    for value in (triple.subject, *triple.slots.values()):
        if not value or (value not in text and value.lower() not in text.lower()):
            raise UserError(
                f'{where}: "{value:.60}" of "{triple.predicate:.60}" is not in the text - cut values from it'
            )
