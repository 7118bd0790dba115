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
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from common.command_line import UserError
from common.runs.directory import fingerprint
from common.submission import atomic_path, field, json_bytes, read_json_lines
from common.tokenizers import Dictionary, name_form, normal_name
from common.tokenizers.normalization import has_surrogate

#: Name of the index in a run directory.
INDEX_NAME = "knowledge_base.sqlite"

# Says that a sqlite file is such an index, and in which format. To be counted up with every change of the tables or of
# `normal_name`.
_APPLICATION_ID = 0x4B420001

# Lists and strings that sqlite need not look into are JSON: half a surrogate pair, which sqlite cannot hold, is an
# escape there.
_TABLES = """
    CREATE TABLE entities (line INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, content TEXT NOT NULL);
    CREATE TABLE candidates (name INTEGER PRIMARY KEY, ids TEXT NOT NULL);
    CREATE TABLE names (first INTEGER PRIMARY KEY, names TEXT NOT NULL);
"""

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

    It is built when it is not there, in about a minute for the contest's own file, which one line on stdout says.
    Raises UserError for a file that is not in the official format, or an index that is damaged.
    """
    if not source.is_file():
        raise UserError(f"{source}: no such file - give the contest's knowledge base (kb_data)")
    index = folder / f"knowledge_base-{_APPLICATION_ID & 0xFFFF}-{fingerprint(source)[:16]}.sqlite"
    if index.exists():
        return KnowledgeBase(index)
    begun = time.perf_counter()
    build_index(source, index)
    seconds = time.perf_counter() - begun
    opened = KnowledgeBase(index)
    print(f"index     {len(opened):,} entities with {opened.name_count:,} names, built in {seconds:.0f} s  ({index})")
    return opened


def build_index(source: Path, index: Path) -> None:
    """Reads an official file (JSON lines `{alias, subject_id, subject, type, data: [{predicate, object}]}`) into an
    index for KnowledgeBase.

    The subject is a name like every alias; blank ones, and those of which `normal_name` leaves nothing, are no names.
    The index appears whole or not at all. Raises UserError naming file and line for lines that are not like that, and
    for an id that stands there twice.
    """
    try:
        with atomic_path(index) as temporary, closing(sqlite3.connect(temporary)) as connection:
            _fill(connection, source)
    except sqlite3.OperationalError as error:
        raise UserError(f"{index}: cannot be written ({error}) - is there space, and may you write there?") from None


def _fill(connection: sqlite3.Connection, source: Path) -> None:
    # The file is new, and goes if anything fails: a journal would protect nothing.
    connection.executescript(
        f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = {_APPLICATION_ID}; {_TABLES}"
    )
    candidates: dict[str, list[str]] = {}
    connection.executemany("INSERT INTO entities VALUES (?, ?, ?)", _entity_rows(source, candidates))
    if not connection.total_changes:
        raise UserError(f"{source}: has no entity - is it the contest's knowledge base (kb_data)?")
    names = sorted(candidates)  # a trie is built twice as fast from sorted ones
    connection.executemany(
        "INSERT INTO candidates VALUES (?, ?)", ((number, _json(candidates[name])) for number, name in enumerate(names))
    )
    rows = ((first, _json(names[first : first + _NAMES_IN_A_ROW])) for first in range(0, len(names), _NAMES_IN_A_ROW))
    connection.executemany("INSERT INTO names VALUES (?, ?)", rows)
    connection.commit()


def _entity_rows(source: Path, candidates: dict[str, list[str]]) -> Iterator[tuple[int, str, str]]:
    """The rows of the table of entities; `candidates` gets the ids of each name."""
    lines: dict[str, int] = {}
    for number, record in tqdm(
        read_json_lines(source), desc="knowledge base", unit=" entities", disable=not sys.stderr.isatty(), leave=False
    ):
        entity = _entity(record, f"{source}:{number}")
        if entity.id in lines:
            raise UserError(
                f'{source}:{number}: subject_id "{entity.id:.60}" stands already in line {lines[entity.id]} - give each entity an id of its own'
            )
        lines[entity.id] = number
        for name in {normal_name(name) for name in entity.names} - {""}:
            candidates.setdefault(name, []).append(entity.id)
        yield number, entity.id, _json([entity.subject, entity.names, entity.types, entity.description])


def _entity(record: dict[str, Any], where: str) -> Entity:
    identifier = str(field(record, "subject_id", (str, int), where))
    if has_surrogate(identifier):
        raise UserError(f'{where}: "subject_id" holds half a surrogate pair, which cannot be stored - mend this line')
    subject = field(record, "subject", str, where)
    names = dict.fromkeys(name for name in [subject, *_strings(record, "alias", where)] if name.strip())
    description = "；".join(_fact(item, where) for item in field(record, "data", list, where))
    return Entity(identifier, subject, tuple(names), tuple(_strings(record, "type", where)), description)


def _fact(item: Any, where: str) -> str:
    if not isinstance(item, dict):
        raise UserError(f'{where}: "data" holds {item!r:.60} - each of its items must be an object')
    return f"{field(item, 'predicate', str, where)}：{field(item, 'object', str, where)}"


def _strings(record: dict[str, Any], key: str, where: str) -> list[str]:
    values = field(record, key, list, where)
    for value in values:
        if not isinstance(value, str):
            raise UserError(f'{where}: "{key}" holds {value!r:.60} - each of its items must be a string')
    return values


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
    Raises UserError for a file that is no such index, and every method does where it turns out to be damaged. Nothing
    in it can run code.
    """

    def __init__(self, path: Path):
        self.path = path
        if not path.is_file():
            raise UserError(f"{path}: no such file - it is the index of the knowledge base, which train.py makes")
        with self._reading():
            # An index is replaced and never changed, so that nothing needs to be locked. Training batches are made in a
            # thread of their own.
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.execute("PRAGMA trusted_schema = OFF")
            (application_id,) = self._connection.execute("PRAGMA application_id").fetchone()
            if application_id != _APPLICATION_ID:
                raise ValueError("no index, or one of another version")
            rows = self._connection.execute("SELECT names FROM names ORDER BY first")
            self._names = Dictionary(name for (names,) in rows for name in json.loads(names))

    def __len__(self) -> int:
        with self._reading():
            return self._connection.execute("SELECT count(*) FROM entities").fetchone()[0]

    def __contains__(self, id: str) -> bool:
        return id in self.entities([id])

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
            return tuple(json.loads(ids))

    def entities(self, ids: Iterable[str], max_length: int | None = None) -> dict[str, Entity]:
        """The entities with these ids, by id; ids that the knowledge base does not have are left out.

        max_length: characters of a description at most; None for all of it.
        """
        # json_each takes any number of ids, where a list of placeholders would end at sqlite's limit.
        query = (
            "SELECT entities.id, content FROM json_each(?) AS asked CROSS JOIN entities ON entities.id = asked.value"
        )
        asked = _json(list(dict.fromkeys(ids)))
        found = {}
        with self._reading():
            for identifier, content in self._connection.execute(query, (asked,)):
                subject, names, types, description = json.loads(content)
                found[identifier] = Entity(identifier, subject, tuple(names), tuple(types), description[:max_length])
        return found

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, TypeError, ValueError, RecursionError) as error:
            raise UserError(
                f"{self.path}: cannot be read as index of a knowledge base ({error}) - delete it, and train.py makes it again"
            ) from None
