"""The conditions of the questions of the nl2sql sample, and how they are said."""

import math
import random
from collections import Counter
from dataclasses import dataclass, replace

from samples._names import JOINT, NAMES
from samples._nl2sql_cells import YEAR, spoken_number, spoken_text
from samples._nl2sql_tables import Field, SplitChooser, Table
from samples._nl2sql_world import CITIES, LISTS, PHRASINGS, PROVINCES
from samples._tables import Pair, fill

MORE, LESS, EQUAL, UNEQUAL = range(4)
ONE, AND, OR = range(3)
SHARES = {
    "header": 0.68, "spoken": 0.27, "quoted": 0.35, "freely": 0.28, "number of a cell": 0.1, "unequal": 0.045, "named": 0.35, "run together": 0.7,
    "same value": 0.75, "between": 0.08, "either": 0.45, "side by side": 0.45,
}  # fmt: skip
#: The shares of the operators among the conditions of the contest.
OPERATORS = {MORE: 0.255, LESS: 0.08, EQUAL: 0.655, UNEQUAL: 0.01}
(OF,), (IN,) = LISTS["of"], LISTS["in"]
PLACES = ("@city", "@province", CITIES, PROVINCES)


class Impossible(Exception):
    """A table has no question of this kind."""


@dataclass(frozen=True)
class Condition:
    """`clause`: as a predicate; `modifiers`: ways to say it before the noun. Both are empty where only a clause of
    several conditions says it."""

    field: Field
    operator: int
    value: str
    clause: str = ""
    modifiers: tuple[str, ...] = ()

    def holds(self, row: tuple) -> bool:
        cell = row[self.field.index]
        value = float(self.value) if self.field.real else self.value
        return (cell > value, cell < value, cell == value, cell != value)[self.operator]


@dataclass(frozen=True)
class Conditions:
    """`clause`: all of them as a predicate."""

    parts: tuple[Condition, ...]
    connection: int = ONE
    clause: str = ""

    def holding(self, table: Table, without: int = -1) -> list[tuple]:
        """The rows for which the conditions hold, but for one of them."""
        parts, test = (
            [part for number, part in enumerate(self.parts) if number != without],
            any if self.connection == OR else all,
        )
        return [row for row in table.rows if test(part.holds(row) for part in parts)]

    def matter(self, table: Table) -> bool:
        """Whether some rows are found but not all, and others without any of the conditions, unless a single row is
        left anyway."""
        rows, fewer = (
            self.holding(table),
            [self.holding(table, each) for each in range(len(self.parts)) if len(self.parts) > 1],
        )
        return 0 < len(rows) < len(table.rows) and all(others != rows or len(others) == 1 for others in fewer)


def plain(value: float) -> str:
    return f"{value:.10g}"


def between(low: float, high: float) -> list[float]:
    """The roundest numbers between two, if there are any."""
    for power in range(5, -3, -1):
        numbers = [round(math.ceil(low / step + 1e-9) * step, 4) for step in (10.0**power, 10.0**power / 2)]
        if found := [number for number in numbers if low < number < high and (number or low < 0)]:
            return found
    return []


def apart(before: str, after: str, between: str) -> str:
    """The texts as one; digits that would run together have something between them."""
    return before + (between if before[-1].isdigit() and after[0].isdigit() else "") + after


class ConditionWriter(SplitChooser):
    """Chooses conditions on the columns of a table, and says them. `operators` counts those of the questions so far."""

    def __init__(self, rng: random.Random, split: str):
        super().__init__(rng, split)
        self.operators: Counter[int] = Counter()

    def _rare(self, *operators: int) -> bool:
        """Whether the questions so far have fewer of these operators than those of the contest."""
        return (
            sum(self.operators[operator] for operator in operators)
            < sum(OPERATORS[operator] for operator in operators) * self.operators.total()
        )

    def _weight(self, field: Field) -> float:
        """How often there is a condition on a field."""
        if field.number:
            return 1.5 if self._rare(MORE, LESS) else 0.2
        return 2 if field.column.values == "@thousands" else 0.5 if field.years else 1

    def called(self, field: Field) -> str:
        return (
            field.names[0]
            if len(field.names) == 1 or self.rng.random() < SHARES["header"]
            else self.rng.choice(field.names[1:])
        )

    def cell(self, field: Field, cell: str) -> str:
        """How a text cell is said."""
        if self.rng.random() < SHARES["spoken"]:
            cell = spoken_text(self.rng, cell)
        return (
            cell.join(NAMES["title_mark"])
            if field.column.values in ("@title", "@book", "@song") and self.rng.random() < SHARES["quoted"]
            else cell
        )

    def joined(self, wordings: Pair, field: Field, cells: list[str]) -> str:
        """The cells as said together; names of places may have nothing between them."""
        parts = [self.cell(field, cell) for cell in cells]
        if len(parts) == 1 or field.column.values in PLACES and self.rng.random() < SHARES["run together"]:
            return "".join(parts)
        return fill(self.choose(wordings), {"a": JOINT.join(parts[:-1]), "b": parts[-1]})

    def some_cells(self, table: Table, field: Field, count: int) -> list[str]:
        cells = sorted(set(table.cells(field)))
        if len(cells) <= count:
            raise Impossible
        return self.rng.sample(cells, count)

    def conditions(self, table: Table, connection: int, count: int, without: Field | None = None) -> Conditions:
        """So many conditions, none of them on the column that names the things nor on `without`."""
        rng, fields = self.rng, [field for field in table.fields if field not in (table.name, without)]
        numbers, texts = (
            [field for field in fields if field.number],
            [field for field in fields if not field.number and not field.years],
        )
        wanted = 1 if self._rare(MORE, LESS) else 0.5
        if count > 1 and len(alike := self._alike(numbers)) >= count and rng.random() < wanted * SHARES["same value"]:
            return self._same_value(table, alike[:count], connection)
        if connection == AND and count == 2 and numbers and rng.random() < wanted * SHARES["between"]:
            return self._between(table, rng.choice(numbers))
        words = [field for field in texts if field.column.answer not in ("code", "number")]
        if connection == OR and count == 2 and words and rng.random() < SHARES["either"]:
            return self._either(table, rng.choice(words))
        bare = [field for field in texts if any(not modifier.endswith(OF) for modifier in field.column.modifiers[0])]
        if connection == AND and len(bare) >= count > 1 and rng.random() < SHARES["side by side"]:
            fields = bare

        parts: list[Condition] = []
        while len(parts) < count:
            left = [field for field in fields if field not in [part.field for part in parts]]
            if not left:
                raise Impossible
            parts.append(self._single(table, rng.choices(left, [self._weight(field) for field in left])[0]))
        clause = parts[0].clause
        for part in parts[1:]:
            clause += self.choose(PHRASINGS["and"] if connection == AND else PHRASINGS["or"]) + part.clause
        return Conditions(tuple(parts), connection, clause)

    def single(self, table: Table, without: Field) -> Condition:
        return self.conditions(table, ONE, 1, without).parts[0]

    def _single(self, table: Table, field: Field) -> Condition:
        if field.number:
            return self._of_number(table, field)
        return (
            self._of_year(table, field) if field.years else self._of_text(field, [self.rng.choice(table.cells(field))])
        )

    def _of_number(self, table: Table, field: Field) -> Condition:
        operator = self.rng.choices((LESS if self._rare(LESS) else MORE, EQUAL, UNEQUAL), (92, 7, 1))[0]
        value = (
            self._threshold(table, field, operator) if operator in (MORE, LESS) else self.rng.choice(table.cells(field))
        )
        return Condition(
            field,
            operator,
            plain(value),
            apart(self.called(field), self._comparison(field, operator, self._said(field, value)), IN),
        )

    def _said(self, field: Field, value: float) -> str:
        return spoken_number(self.rng, value, field.unit, self.rng.random() < SHARES["freely"])

    def _threshold(self, table: Table, field: Field, operator: int) -> float:
        """A round number with at least one row and at most two thirds of them beyond it; sometimes the number of a
        cell."""
        numbers = sorted(set(table.cells(field)))
        if len(numbers) < 3:
            raise Impossible
        found, exactly = [], self.rng.random() < SHARES["number of a cell"]
        for _ in range(3):
            place = self.rng.randrange(1, max(2, len(numbers) * 2 // 3))
            low, high = (
                (numbers[-place - 1], numbers[-place]) if operator == MORE else (numbers[place - 1], numbers[place])
            )
            if exactly:
                return low if operator == MORE else high
            found += between(low, high)
        whole = all(isinstance(number, int) for number in numbers)
        found = [number for number in found if number.is_integer() or not whole]
        if not found:
            raise Impossible
        return min(found, key=lambda number: len(plain(number).strip("0")))

    def _comparison(self, field: Field, operator: int, said: str) -> str:
        """What follows the name of the column."""
        high, low = field.number.adjectives
        over, under = (
            high if high in LISTS["over"] else LISTS["over"][0],
            low if low in LISTS["under"] else LISTS["under"][0],
        )
        text = self.choose((PHRASINGS["more"], PHRASINGS["less"], PHRASINGS["equal"], PHRASINGS["unequal"])[operator])
        return fill(text, {"v": said, "high": high, "low": low, "over": over, "under": under})

    def _of_year(self, table: Table, field: Field) -> Condition:
        rng, cell = self.rng, self.rng.choice(table.cells(field))
        operator = rng.choices((MORE, LESS, EQUAL), (35, 15, 50))[0] if field.real else EQUAL
        year = str(cell).removesuffix(YEAR)
        said = spoken_text(rng, year + YEAR).removesuffix(YEAR) if rng.random() < SHARES["spoken"] else year
        wordings = PHRASINGS[("year_more", "year_less", "year_equal")[operator]]
        text = fill(self.choose(wordings), {"v": said, "verb": field.years.verb})
        return Condition(
            field, operator, str(cell), LISTS["is"][0] + text + OF if operator == EQUAL else text, (text + OF,)
        )

    def _of_text(self, field: Field, cells: list[str]) -> Condition:
        """That a cell is the first of the cells, said of all of them."""
        column, said = field.column, self.joined(PHRASINGS["names_or"], field, cells)
        if len(cells) == 1 and self.rng.random() < SHARES["unequal"]:
            clause = self.called(field) + fill(self.choose(PHRASINGS["unequal"]), {"v": said})
            return Condition(field, UNEQUAL, cells[0], clause, (fill(self.choose(PHRASINGS["except"]), {"v": said}),))
        text = self.choose(
            PHRASINGS["named_clauses"]
            if not any(column.clauses) or self.rng.random() < SHARES["named"]
            else column.clauses
        )
        everywhere, held_out = column.modifiers
        modifiers = everywhere if self.split == "train" else everywhere[::2] + held_out
        before = tuple(
            modifier.replace("{v}", said) for modifier in modifiers if len(cells) == 1 or modifier.endswith(OF)
        )
        return Condition(field, EQUAL, cells[0], fill(text, {"v": said, "s": self.called(field)}), before)

    def _alike(self, numbers: list[Field]) -> list[Field]:
        """Fields whose numbers can be compared with the same value."""

        def same(one: Field, other: Field) -> bool:
            a, b = one.number, other.number
            near = 0.4 < (a.high + 1) / (b.high + 1) < 2.5 and a.low < b.high and b.low < a.high
            return near and one.unit == other.unit and a.adjectives == b.adjectives

        groups = [[other for other in numbers if same(field, other)] for field in numbers]
        groups = [group for group in groups if len(group) > 1]
        return self.rng.choice(groups) if groups else []

    def _same_value(self, table: Table, fields: list[Field], connection: int) -> Conditions:
        operator = LESS if self._rare(LESS) else MORE
        value = self._threshold(table, self.rng.choice(fields), operator)
        names = [self.called(field) for field in fields]
        if all(field.year for field in fields):  # "18 and 19's sales"
            names = [
                f"{field.year if len(name) % 2 else field.year % 100}{YEAR}"
                for field, name in zip(fields, names, strict=True)
            ]
            names[-1] += self.rng.choice(LISTS["perhaps_of"]) + self.rng.choice(fields[0].column.headers[0])
        text = self.choose(PHRASINGS["same_both" if connection == AND else "same_either"])
        comparison = self._comparison(fields[0], operator, self._said(fields[0], value))
        clause = fill(text, {"a": JOINT.join(names[:-1]), "b": names[-1], "c": comparison})
        return Conditions(tuple(Condition(field, operator, plain(value)) for field in fields), connection, clause)

    def _between(self, table: Table, field: Field) -> Conditions:
        low, high = sorted((self._threshold(table, field, MORE), self._threshold(table, field, LESS)))
        if low == high:
            raise Impossible
        freely = self.rng.random() < SHARES["freely"]
        first, second = (spoken_number(self.rng, value, field.unit, freely) for value in (low, high))
        if plain(low) in first and plain(high) in second and self.rng.random() < 0.6:
            first = plain(low)
        clause = apart(self.called(field), fill(self.choose(PHRASINGS["between"]), {"a": first, "b": second}), IN)
        return Conditions((Condition(field, MORE, plain(low)), Condition(field, LESS, plain(high))), AND, clause)

    def _either(self, table: Table, field: Field) -> Conditions:
        cells = self.some_cells(table, field, 2)
        both = self._of_text(field, cells)
        return Conditions(tuple(replace(both, value=cell) for cell in cells), OR, both.clause)
