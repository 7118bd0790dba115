"""The knowledge base of the contest, about 400,000 entities and their names, as an index on disk. No TensorFlow.

The official file is read once, into one sqlite file. Opened, that file has its names in memory, in a trie, and nothing
else: candidates and descriptions stay on disk until they are asked for.
"""

import json
import os
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from common.command_line import UserError, print_counts
from common.runs.directory import fingerprint
from common.submission import atomic_path, field, json_bytes, read_json_lines, wrong_kind
from common.tokenizers import Dictionary, name_form, normal_name
from common.tokenizers.dictionary import LONGEST_NAME
from common.tokenizers.normalization import has_surrogate

#: The reasons under which `build_index` counts what it leaves out, merges, or reads otherwise than it stands there.
LONG_NAME = f"name of more than {LONGEST_NAME} characters, left out"
MERGED = "entity whose id and subject stand there already, merged with it"
NO_ALIAS = "alias absent: the subject is the only name"
FACTS_BY_PREDICATE = "data that is one object, read as facts by their predicates"
OTHER_OBJECT = "object of a fact that is a number or a list, read as words"

#: Name of the index in a run directory.
INDEX_NAME = "knowledge_base.sqlite"

# Says that a sqlite file is such an index, and in which format. To be counted up with every change of the tables or of
# `normal_name`.
_APPLICATION_ID = 0x4B420001

# Lists and strings that sqlite need not look into are JSON: half a surrogate pair, which sqlite cannot hold, is an
# escape there.
_TABLES = {
    "entities": "CREATE TABLE entities (line INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL)",
    "candidates": "CREATE TABLE candidates (name INTEGER PRIMARY KEY, ids TEXT NOT NULL)",
    "names": "CREATE TABLE names (first INTEGER PRIMARY KEY, names TEXT NOT NULL)",
}
# What sqlite keeps of them: the last is its own index of the ids.
_SCHEMA = [*_TABLES.items(), ("entities", None)]

# Bytes of the longest string in an index, and seconds that a question may take: ten times what a good one needs.
_LONGEST_VALUE = 2**24
_MOST_SECONDS = 20

# Names are read several times faster in lists than one by one.
_NAMES_IN_A_ROW = 10_000


@dataclass(frozen=True)
class Entity:
    """An entity as the file has it: `names` are the subject and the aliases, each spelling once, without blank ones.

    `description` is its data, "predicate：object" joined by "；", possibly cut.
    """

    id: str
    subject: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    description: str


class NameMatch(NamedTuple):
    """A name of the knowledge base at the characters [start, end) of a text; `name` in normal form (`normal_name`)."""

    start: int
    end: int
    name: str


# Building


def open_knowledge_base(source: Path, folder: Path) -> "KnowledgeBase":
    """The knowledge base of the official file `source`, whose index is kept in `folder` under the file's fingerprint.

    It is built when it is not there, in about a minute for the contest's own file, which one line on stdout says, and
    what was left out or merged below it. Raises UserError for a file that is not in the official format, or an index
    that is damaged.
    """
    if not source.is_file():
        raise UserError(f"{source}: no such file - give the contest's knowledge base (kb_data)")
    index = folder / f"knowledge_base-{_APPLICATION_ID & 0xFFFF}-{fingerprint(source)[:16]}.sqlite"
    if index.exists():
        return KnowledgeBase(index)
    begun = time.perf_counter()
    lost = build_index(source, index)
    seconds = time.perf_counter() - begun
    opened = KnowledgeBase(index)
    print(f"index     {len(opened):,} entities with {opened.name_count:,} names, built in {seconds:.0f} s  ({index})")
    print_counts(lost)
    return opened


def build_index(source: Path, index: Path) -> Counter[str]:
    """Reads an official file (JSON lines `{alias, subject_id, subject, type, data: [{predicate, object}]}`) into an
    index for KnowledgeBase. Returns how much was left out, merged or read otherwise than it stands there, by reason.

    The subject is a name like every alias; blank ones, those longer than LONGEST_NAME, and those of which `normal_name`
    leaves nothing, are no names. Lines with the same id and subject are one entity, with the names, types and facts of
    all. The index appears whole or not at all. Raises UserError naming file and line for lines that are not like that,
    and for an id that stands there with two subjects.
    """
    lost: Counter[str] = Counter()
    try:
        with atomic_path(index) as temporary, closing(sqlite3.connect(temporary)) as connection:
            _fill(connection, source, lost)
    except sqlite3.OperationalError as error:
        raise UserError(f"{index}: cannot be written ({error}) - is there space, and may you write there?") from None
    return lost


def _fill(connection: sqlite3.Connection, source: Path, lost: Counter[str]) -> None:
    # The file is new, and goes if anything fails: a journal would protect nothing.
    connection.executescript(
        f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = {_APPLICATION_ID}; {';'.join(_TABLES.values())}"
    )
    candidates = _write_entities(connection, source, lost)
    names = sorted(candidates)  # a trie is built twice as fast from sorted ones
    connection.executemany(
        "INSERT INTO candidates VALUES (?, ?)", ((number, _json(candidates[name])) for number, name in enumerate(names))
    )
    rows = ((first, _json(names[first : first + _NAMES_IN_A_ROW])) for first in range(0, len(names), _NAMES_IN_A_ROW))
    connection.executemany("INSERT INTO names VALUES (?, ?)", rows)
    connection.commit()


def _write_entities(connection: sqlite3.Connection, source: Path, lost: Counter[str]) -> dict[str, list[str]]:
    """Fills the table of entities; returns the ids of each name."""
    candidates: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, record in tqdm(
        read_json_lines(source, lost),
        desc="knowledge base",
        unit=" entities",
        disable=not sys.stderr.isatty(),
        leave=False,
    ):
        where = f"{source}:{number}"
        entity = _entity(record, where, lost)
        names = _normal_names(entity)
        first = lines.setdefault(entity.id, number)
        if first < number:
            content = connection.execute("SELECT content FROM entities WHERE line = ?", (first,)).fetchone()[0]
            before = _entity_of(entity.id, content)
            if normal_name(before.subject) != normal_name(entity.subject):
                raise UserError(
                    f'{where}: subject_id "{entity.id:.60}" is "{entity.subject:.60}" here, and "{before.subject:.60}" in '
                    f"line {first} - give each entity an id of its own"
                )
            lost[MERGED] += 1
            names -= _normal_names(before)
            entity = _merged(before, entity)
        content = _json([entity.subject, entity.names, entity.types, entity.description])
        if len(content) > _LONGEST_VALUE // 4:  # in UTF-8 a character has four bytes at most
            raise UserError(
                f'{where}: subject_id "{entity.id:.60}" has more than {_LONGEST_VALUE // 4:,} characters - shorten it'
            )
        connection.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?)", (first, entity.id, content))
        for name in names:
            candidates.setdefault(name, []).append(entity.id)
    return candidates


# Lines of the official file


def _entity(record: dict[str, Any], where: str, lost: Counter[str]) -> Entity:
    identifier = str(field(record, "subject_id", (str, int), where))
    if has_surrogate(identifier):
        raise UserError(f'{where}: "subject_id" holds half a surrogate pair, which cannot be stored - mend this line')
    subject = field(record, "subject", str, where)
    if record.get("alias") is None:
        lost[NO_ALIAS] += 1
        record = {**record, "alias": []}
    names = dict.fromkeys(name for name in [subject, *_strings(record, "alias", where, lost)] if name.strip())
    short = tuple(name for name in names if len(name) <= LONGEST_NAME)
    if len(short) < len(names):
        lost[LONG_NAME] += len(names) - len(short)
    types = tuple(_strings(record, "type", where, lost))
    return Entity(identifier, subject[:LONGEST_NAME], short, types, "；".join(_facts(record, where, lost)))


def _strings(record: dict[str, Any], key: str, where: str, lost: Counter[str]) -> list[str]:
    values = field(record, key, (list, str), where)
    if isinstance(values, str):
        lost[f'"{key}" that is a string, read as a list of one'] += 1
        return [values]
    for value in values:
        if not isinstance(value, str):
            raise UserError(f'{where}: "{key}" holds {value!r:.60} - each of its items must be a string')
    return values


def _facts(record: dict[str, Any], where: str, lost: Counter[str]) -> Iterator[str]:
    facts = field(record, "data", (list, dict), where)
    if isinstance(facts, dict):
        lost[FACTS_BY_PREDICATE] += 1
        facts = [{"predicate": predicate, "object": value} for predicate, value in facts.items()]
    for fact in facts:
        if not isinstance(fact, dict):
            raise UserError(f'{where}: "data" holds {fact!r:.60} - each of its items must be an object')
        predicate = field(fact, "predicate", str, where)
        value = field(fact, "object", (str, int, float, list), where)
        if not isinstance(value, str):
            lost[OTHER_OBJECT] += 1
            values = value if isinstance(value, list) else [value]
            wrong = [one for one in values if wrong_kind(one, (str, int, float))]
            if wrong:
                raise UserError(f'{where}: "object" holds {wrong[0]!r:.60} - its items must be strings or numbers')
            value = "、".join(map(str, values))
        yield f"{predicate}：{value}"


def _merged(one: Entity, other: Entity) -> Entity:
    """An entity that is described twice, with the names, types and facts of both."""
    known = {"", *one.description.split("；")}
    more = [fact for fact in dict.fromkeys(other.description.split("；")) if fact not in known]
    names, types = dict.fromkeys([*one.names, *other.names]), dict.fromkeys([*one.types, *other.types])
    return Entity(one.id, one.subject, tuple(names), tuple(types), "；".join(filter(None, [one.description, *more])))


def _normal_names(entity: Entity) -> set[str]:
    return {normal_name(name) for name in entity.names} - {""}


# As the index has them


def _entity_of(identifier: str, content: str, max_length: int | None = None) -> Entity:
    """An entity out of its row. Raises ValueError for what is none."""
    match json.loads(content):
        case [str(subject), list(names), list(types), str(description)]:
            if all(isinstance(value, str) for value in (*names, *types)):
                return Entity(identifier, subject, tuple(names), tuple(types), description[:max_length])
    raise ValueError("a row holds no entity")


def _strings_of(content: str) -> list[str]:
    """A list of strings, one at least. Raises ValueError for what is none."""
    values = json.loads(content)
    if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
        return values
    raise ValueError("a row holds no list of strings")


def _json(value: Any) -> str:
    return json_bytes(value).decode("utf-8")


def link_index(index: Path, folder: Path) -> None:
    """Puts an index into a run directory, as INDEX_NAME, so that the run stands alone: a hard link where there can be
    one, or else a copy."""
    try:
        os.link(index, folder / INDEX_NAME)
    except OSError:  # another disk, another owner, a file system without links
        with atomic_path(folder / INDEX_NAME) as temporary:
            shutil.copyfile(index, temporary)


# Opened


class KnowledgeBase:
    """An index, opened for reading; `len` is the number of entities, `name_count` that of different names.

    Names are matched and looked up in any spelling: case, width, and blanks and 《》 around them make no difference.
    Raises UserError for a file that is no such index, and every method does where it turns out to be damaged, or takes
    longer than any good one. Nothing in it can run code: it may come out of anybody's run.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.is_symlink():
            raise UserError(f"{path}: is a symbolic link - put the index itself there")
        if not path.is_file():
            raise UserError(f"{path}: no such file - it is the index of the knowledge base, which train.py makes")
        with self._reading():
            # An index is replaced and never changed, so that nothing needs to be locked. Training batches are made in a
            # thread of their own.
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, 1000)
            self._connection.executescript("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
            (application_id,) = self._connection.execute("PRAGMA application_id").fetchone()
            if application_id != _APPLICATION_ID:
                raise ValueError("no index, or one of another version")
            # Whatever else stands there, a view, a trigger or an index, would be run.
            schema = self._connection.execute("SELECT tbl_name, sql FROM sqlite_master LIMIT 9").fetchall()
            if sorted(schema, key=str) != sorted(_SCHEMA, key=str):
                raise ValueError("its tables are not those of an index")
            rows = self._connection.execute("SELECT names FROM names ORDER BY first")
            self._names = Dictionary(name for (names,) in rows for name in _strings_of(names))

    def __len__(self) -> int:
        with self._reading():
            return self._connection.execute("SELECT count(*) FROM entities").fetchone()[0]

    def __contains__(self, id: str) -> bool:
        with self._reading():
            asked = "SELECT 1 FROM entities WHERE id = ?"
            return not has_surrogate(id) and self._connection.execute(asked, (id,)).fetchone() is not None

    @property
    def name_count(self) -> int:
        """How many different names there are, in normal form."""
        return len(self._names)

    def matches(self, text: str) -> list[NameMatch]:
        """Every occurrence of a name in the text, also nested and overlapping ones, by (start, end); see
        Dictionary.matches."""
        form = name_form(text)
        return [NameMatch(start, end, form[start:end]) for start, end, _ in self._names.matches(text)]

    def candidates(self, name: str) -> tuple[str, ...]:
        """The ids of the entities that have this name, in any spelling, in the order of the file; () for an unknown
        one."""
        number = self._names.number(normal_name(name))
        if number is None:
            return ()
        with self._reading():
            (ids,) = self._connection.execute("SELECT ids FROM candidates WHERE name = ?", (number,)).fetchone()
            return tuple(_strings_of(ids))

    def entity(self, id: str, max_length: int | None = None) -> Entity:
        """The entity with this id, which must be one of the knowledge base.

        max_length: characters of its description at most; None for all of it.
        """
        with self._reading():
            (content,) = self._connection.execute("SELECT content FROM entities WHERE id = ?", (id,)).fetchone()
            return _entity_of(id, content, max_length)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._deadline = time.monotonic() + _MOST_SECONDS
        try:
            yield
        except (sqlite3.Error, TypeError, ValueError, RecursionError) as error:
            raise UserError(
                f"{self.path}: cannot be read as index of a knowledge base ({error}) - delete it, and train.py makes it again"
            ) from None
