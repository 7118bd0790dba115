"""The tables of the nl2sql sample: some of the columns of a kind, under headers that differ from table to table."""

import math
import random
from dataclasses import dataclass

from samples._choosing import UNSEEN_PHRASINGS, Chooser
from samples._names import DIGITS
from samples._nl2sql_cells import LARGE, LARGEST, YEAR, Cells
from samples._nl2sql_world import DOMAINS, LISTS, NEW_DOMAINS, Column, Kind, Number, Years
from samples._tables import Pair, fill

#: In dev and test, the share of the tables of new domains.
NEW = 0.25
#: The share of the kinds with the most columns whose tables show all of them.
WIDE = 0.35
#: Words or names that several rows share; a table has a few of them.
SHARED = (
    "@person",
    "@company",
    "@developer",
    "@drugmaker",
    "@carmaker",
    "@team",
    "@station",
    "@airport",
    "@airline",
    "@album",
)
YEARS = (2015, 2016, 2017, 2018, 2019)


@dataclass(frozen=True)
class Field:
    """A column of one table. `names`: what questions call it, first its header without the unit. `year`: of a column
    for one of several years."""

    index: int
    column: Column
    header: str
    names: tuple[str, ...]
    unit: str = ""
    real: bool = False
    year: int = 0

    @property
    def number(self) -> Number | None:
        return self.column.values if isinstance(self.column.values, Number) else None

    @property
    def years(self) -> Years | None:
        return self.column.values if isinstance(self.column.values, Years) else None


@dataclass(frozen=True)
class Table:
    """`name`: the field that names the things of its rows."""

    id: str
    kind: Kind
    title: str
    fields: tuple[Field, ...]
    rows: tuple[tuple, ...]

    @property
    def name(self) -> Field:
        return next(field for field in self.fields if field.column == self.kind.name)

    def cells(self, field: Field) -> list:
        return [row[field.index] for row in self.rows]

    def record(self) -> dict:
        types = ["real" if field.real else "text" for field in self.fields]
        return {
            "id": self.id, "name": f"Table_{self.id}", "title": self.title, "header": [field.header for field in self.fields], "types": types,
            "rows": [list(row) for row in self.rows],
        }  # fmt: skip


class SplitChooser(Chooser):
    """Chooses among wordings: in dev and test, mostly those that are kept from train."""

    def choose(self, wordings: Pair) -> str:
        everywhere, held_out = wordings
        if not held_out and self.split != "train":
            return self.use(self.rng.choice(everywhere))
        return self.phrasing(everywhere, held_out)


class TableWriter(SplitChooser):
    """Writes the tables of one split."""

    def __init__(self, rng: random.Random, split: str):
        super().__init__(rng, split)
        self.cells = Cells(rng)

    def write(self, count: int) -> list[Table]:
        new = 0 if self.split == "train" else round(count * NEW)
        domains = list(DOMAINS.values())
        self.rng.shuffle(domains)
        new_domains = list(NEW_DOMAINS.values())
        kinds = [self._kind(domains[number % len(domains)]) for number in range(count - new)]
        kinds += [self._kind(new_domains[number % len(new_domains)]) for number in range(new)]
        return [self._table(kind) for kind in kinds]

    def _kind(self, kinds: tuple[Kind, ...]) -> Kind:
        kind = self.rng.choices(kinds, [self.rarity(kind.key) for kind in kinds])[0]
        self.use(kind.key)
        return kind

    def _table(self, kind: Kind) -> Table:
        rng = self.rng
        count = rng.choices((2, 3, 4, 5, 6, 7, 8), (7, 9, 16, 20, 18, 14, 10))[0]
        if len(kind.columns) > 8 and rng.random() < WIDE:
            count = len(kind.columns)
        columns = sorted(rng.sample(kind.columns, min(count, len(kind.columns))), key=kind.columns.index)
        columns.insert(0 if rng.random() < 0.75 else rng.randint(0, len(columns)), kind.name)
        fields: list[Field] = []
        for column in columns:
            fields += self._fields(len(fields), column)
        count = rng.randint(5, 15)
        pools: dict[str, list[str]] = {}  # what several columns share, such as stations
        cells = [self._column(field, count, field.column == kind.name, pools) for field in fields]
        return Table(
            f"{rng.getrandbits(128):032x}", kind, self._title(kind), tuple(fields), tuple(zip(*cells, strict=True))
        )

    def _title(self, kind: Kind) -> str:
        everywhere, held_out = kind.titles
        title = self.rng.choice(held_out if held_out and self.split != "train" else everywhere)
        return self.cells.templates.text("title_prefix") + title

    def _fields(self, index: int, column: Column) -> list[Field]:
        """The field of a column, or one for each of some years."""
        rng = self.rng
        everywhere, held_out = column.headers
        header = rng.choice(
            held_out if held_out and self.split != "train" and rng.random() < UNSEEN_PHRASINGS else everywhere
        )
        others = (*everywhere, *column.mentions, *(() if self.split == "train" else held_out))
        names = (header, *(name for name in others if name != header))
        if not isinstance(column.values, Number):
            return [Field(index, column, header, names, real=isinstance(column.values, Years) and rng.random() < 0.5)]

        unit = rng.choice(column.values.units or ("",))
        shown = fill(rng.choice(LISTS["unit_shown"]), {"unit": unit}) if unit else ""
        if not column.values.years:
            return [Field(index, column, header + shown, names, unit, True)]
        style, first = rng.choice(LISTS["year_header"]), rng.randrange(len(YEARS) - 2)
        fields = []
        for year in YEARS[first : first + rng.choice((2, 2, 3))]:
            said_year = {"year": str(year), "short": str(year % 100), "name": header}
            title = fill(style, said_year)
            said = [fill(prefix, said_year) + name for name in names for prefix in LISTS["year_prefix"]]
            said.append("".join(DIGITS[int(digit)] for digit in said_year["short"]) + YEAR + header)
            fields.append(Field(index + len(fields), column, title + shown, (title, *said), unit, True, year))
        return fields

    def _column(self, field: Field, count: int, distinct: bool, pools: dict[str, list[str]]) -> list:
        rng, values = self.rng, field.column.values
        if isinstance(values, Number):
            return [self._number(values, field.unit) for _ in range(count)]
        if isinstance(values, Years):
            years, suffix = (
                [rng.randint(values.low, values.high) for _ in range(count)],
                rng.choice(LISTS["year_suffix"]),
            )
            return years if field.real else [f"{year}{suffix}" for year in years]
        if not isinstance(values, str):
            everywhere, held_out = values
            words = everywhere if self.split == "train" else everywhere[::2] + held_out
            return self._spread(rng.sample(words, min(len(words), rng.randint(2, 5))), count)
        if distinct:
            return self._names(values[1:], count)
        if values not in SHARED:
            return self._spread(self._names(values[1:], count), count)
        if values not in pools:
            pools[values] = self._names(values[1:], rng.randint(3, 6))
        return self._spread(pools[values], count)

    def _names(self, kind: str, count: int) -> list[str]:
        """So many names of which none is part of another."""
        names: list[str] = []
        while len(names) < count:
            name = self.cells.make(kind)
            if self._own(name) and not any(name in other or other in name for other in names):
                names.append(name)
        return names

    def _own(self, name: str) -> bool:
        """Whether a name may be in this split: those of more than three characters are either in train or in the
        others."""
        return len(name) < 4 or (sum(map(ord, name)) % 5 < 3) == (self.split == "train")

    def _spread(self, some: list[str], count: int) -> list[str]:
        """Each of them at least once if there is room."""
        cells = (some + [self.rng.choice(some) for _ in range(count)])[:count]
        self.rng.shuffle(cells)
        return cells

    def _number(self, number: Number, unit: str) -> int | float:
        value, first, digits = self.rng.uniform(number.low, number.high), "".join(number.units)[:1], number.digits
        if number.low > 0 and number.high / number.low > 20:
            value = math.exp(self.rng.uniform(math.log(number.low), math.log(number.high)))
        if unit[:1] != first:
            value *= {(LARGE, LARGEST): 1e-4, (LARGEST, LARGE): 1e4}.get((first, unit[:1]), 1)
            digits = {LARGEST: 2, LARGE: 0}.get(unit[:1], digits)
        return round(value, digits) if digits else round(value)
