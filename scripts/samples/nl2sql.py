"""The sample of nl2sql, in the format of TableQA: train.json, dev.json, test.json with their .tables.json.

A table shows some of the columns of its kind (data/nl2sql), under headers that differ from table to table. A question
asks for cells, a count or an aggregate of the rows that fulfil one to three conditions; it is composed of phrasings
(phrasings.tsv). Half of the phrasings of dev and test, most of their cells and some whole domains do not occur in
train. Every query finds at least one row, and not all.
"""

import random
from collections import Counter

from samples import Sample, json_lines
from samples._nl2sql_cells import YEAR
from samples._nl2sql_conditions import (
    AND,
    EQUAL,
    OF,
    ONE,
    OR,
    Condition,
    Conditions,
    ConditionWriter,
    Impossible,
    apart,
)
from samples._nl2sql_tables import Field, Table, TableWriter
from samples._nl2sql_world import LISTS, PHRASINGS
from samples._tables import fill

COUNTS = {"train": 400, "dev": 100, "test": 60}
TABLES = {"train": 60, "dev": 20, "test": 12}
NONE, AVERAGE, HIGHEST, LOWEST, COUNT, TOTAL = range(6)
#: Of a hundred questions: (method of QuestionWriter, connection, number of conditions) -> how many are made so.
PLAN = {
    ("cell_of_one", ONE, 1): 12, ("cells_of_one", ONE, 1): 7, ("cell_of_known", AND, 2): 6,
    ("cell_of_several", OR, 2): 7, ("cell_of_several", OR, 3): 1,
    ("things", ONE, 1): 7, ("things", AND, 2): 12, ("things", AND, 3): 2, ("things", OR, 2): 5, ("things", OR, 3): 1,
    ("things_and_cell", ONE, 1): 3, ("things_and_cell", AND, 2): 3, ("things_and_cell", OR, 2): 2,
    ("cell_of_things", ONE, 1): 2, ("cell_of_things", AND, 2): 5, ("cell_of_things", OR, 2): 1,
    ("count", ONE, 1): 3, ("count", AND, 2): 5, ("count", OR, 2): 2,
    ("aggregate", ONE, 1): 4, ("aggregate", AND, 2): 7, ("aggregate", AND, 3): 1, ("aggregate", OR, 2): 2,
}  # fmt: skip
#: How often the numbers of a column are aggregated in these ways, compared with each other.
AGGREGATIONS = {AVERAGE: 5, HIGHEST: 4, LOWEST: 2, TOTAL: 4}
SHARES = {
    "own ask": 0.45, "each": 0.6, "together": 0.5, "inverted": 0.45, "in front": 0.75, "bare": 0.75,
    "opening": 0.4, "context": 0.08, "aside": 0.05, "ending": 0.3, "mark": 0.3,
}  # fmt: skip
#: How often a kind of question is tried on a table before another kind is.
TRIALS = 30

#: A question, the selected columns with their aggregations, and the conditions.
Draft = tuple[str, list[tuple[Field, int]], Conditions]


def generate() -> Sample:
    files, used, asked = {}, {}, set()
    for split, count in COUNTS.items():
        rng = random.Random(f"nl2sql {split}")
        tables = TableWriter(rng, split).write(TABLES[split])
        writer = QuestionWriter(rng, split, asked)
        records = writer.write(tables, count)
        used[split] = set(writer.uses)
        files[f"{split}.json"] = json_lines(records)
        files[f"{split}.tables.json"] = json_lines(table.record() for table in tables)
    return Sample(files, used)


def undoubled(question: str) -> str:
    """Without the particles that a phrasing and what fills it both have."""
    for doubled in LISTS["doubled"]:
        question = question.replace(doubled, doubled[0])
    return question


class QuestionWriter(ConditionWriter):
    """Writes the questions of one split that were not `asked`."""

    def __init__(self, rng: random.Random, split: str, asked: set[str]):
        super().__init__(rng, split)
        self.asked = asked
        self.aggregations: Counter[int] = Counter()

    def write(self, tables: list[Table], count: int) -> list[dict]:
        """So many questions of the kinds of the plan, about each of the tables equally often."""
        hundred, kinds = [kind for kind, times in PLAN.items() for _ in range(times)], []
        for _ in range(count // 100 + 1):
            kinds += self.rng.sample(hundred, len(hundred))
        records: list[dict] = []
        while len(records) < count:
            records.append(self._record(tables[len(records) % len(tables)], kinds))
        self.rng.shuffle(records)
        return records

    def _record(self, table: Table, kinds: list[tuple[str, int, int]]) -> dict:
        """A question of the first kind that the table has, which is taken from the list."""
        for kind in dict.fromkeys(kinds):
            for _ in range(TRIALS):
                try:
                    question, selected, conditions = getattr(self, kind[0])(table, *kind[1:])
                except Impossible:
                    continue
                question = self._framed(table, undoubled(question))
                if 8 <= len(question) <= 60 and question not in self.asked and conditions.matter(table):
                    kinds.remove(kind)
                    self.asked.add(question)
                    self.operators.update(part.operator for part in conditions.parts)
                    self.aggregations.update(aggregation for _, aggregation in selected)
                    return {"question": question, "table_id": table.id} | (
                        {} if self.split == "test" else {"sql": self._query(selected, conditions)}
                    )
        raise RuntimeError(f"no kind of question is possible for {[field.header for field in table.fields]}")

    def _query(self, selected: list[tuple[Field, int]], conditions: Conditions) -> dict:
        return {
            "sel": [field.index for field, _ in selected], "agg": [aggregation for _, aggregation in selected], "cond_conn_op": conditions.connection,
            "conds": [[part.field.index, part.operator, part.value] for part in conditions.parts],
        }  # fmt: skip

    def _framed(self, table: Table, question: str) -> str:
        """With what somebody says before, a number that is no value, an ending or a mark, or none of them."""
        rng, chance = self.rng, self.rng.random()
        if chance < SHARES["context"]:
            question = self.choose(table.kind.contexts) + question
        elif chance < SHARES["context"] + SHARES["aside"]:
            question = self.choose(PHRASINGS["asides"]) + question
        elif chance < SHARES["context"] + SHARES["aside"] + SHARES["opening"] and not question.startswith(
            LISTS["please_not_before"]
        ):
            question = self.choose(PHRASINGS["openings"]) + question
        if any(word in question[-5:] for word in LISTS["asking"]):
            question += self.choose(PHRASINGS["endings"]) if rng.random() < SHARES["ending"] else ""
            question += rng.choice(LISTS["mark"]) if rng.random() < SHARES["mark"] else ""
        return question

    def _slots(self, table: Table, conditions: Conditions) -> dict[str, str]:
        """What phrasings say of some things: np, c, n and m, see PHRASINGS of _nl2sql_world.py."""
        rng, noun, parts = self.rng, table.kind.noun, conditions.parts
        slots = {"c": conditions.clause, "n": noun, "m": table.kind.measure}
        if conditions.connection == OR or not parts[0].clause:
            together = (
                len(parts) == 2
                and parts[0].modifiers
                and parts[0].clause == parts[1].clause
                and rng.random() < SHARES["in front"]
            )
            return slots | {"np": (rng.choice(parts[0].modifiers) if together else conditions.clause + OF) + noun}

        whole, bare, rest = "", "", []
        for part in sorted(parts, key=lambda part: part.field.column.answer != "place"):  # the place stands first
            near = [modifier for modifier in part.modifiers if not modifier.endswith(OF)]
            further = [modifier for modifier in part.modifiers if modifier not in near]
            if not part.modifiers or rng.random() > SHARES["in front"]:
                rest.append(part.clause)
            elif near and (not further or rng.random() < SHARES["bare"]):
                bare += rng.choice(near)
            else:
                whole += rng.choice(further)
        said = rest[0] if rest else ""
        for clause in rest[1:]:
            said += self.choose(PHRASINGS["and"]) + clause
        return slots | {"np": whole + (said + OF if said else "") + bare + noun}

    def _ask(self, field: Field, several: bool = False, subject: bool = True) -> str:
        """What is asked, after its subject or without one; `several`: of several things."""
        rng, column = self.rng, field.column
        each = self.choose(PHRASINGS["each"]) if several and rng.random() < SHARES["each"] else ""
        if subject and any(column.asks) and rng.random() < SHARES["own ask"]:
            ask = self.choose(column.asks)
            year = f"{field.year % 100}{YEAR}" if field.year else ""
            return year + (each if ask.startswith(LISTS["takes_each"]) else "") + ask
        answer = column.answer or ("year" if field.years else "number" if field.number else "text")
        tail = self.choose(PHRASINGS[f"tail_{answer}"])
        link = "{s}" if not subject else self.choose(PHRASINGS["links"])
        if several:
            each = "" if tail.startswith(LISTS["no_each_before"]) else each
        return fill(link, {"s": self.called(field)}) + each + tail

    def _bare(self, ask: str) -> str:
        """What is asked without the particle and the pronoun that it begins with."""
        for word in LISTS["that"]:
            ask = ask.removeprefix(word)
        return ask

    def _target(self, table: Table, without: Field | None = None) -> Field:
        return self.rng.choice([field for field in table.fields if field not in (table.name, without)])

    # Kinds of questions

    def things(self, table: Table, connection: int, count: int) -> Draft:
        conditions = self.conditions(table, connection, count)
        return fill(self.choose(PHRASINGS["list"]), self._slots(table, conditions)), [(table.name, NONE)], conditions

    def things_and_cell(self, table: Table, connection: int, count: int) -> Draft:
        target = self._target(table)
        question, selected, conditions = self.things(table, connection, count)
        if target in [part.field for part in conditions.parts]:
            raise Impossible
        return (
            question + self.choose(PHRASINGS["then"]) + self._ask(target).removeprefix(OF),
            [*selected, (target, NONE)],
            conditions,
        )

    def cell_of_things(self, table: Table, connection: int, count: int) -> Draft:
        target = self._target(table)
        conditions = self.conditions(table, connection, count, target)
        return apart(self._slots(table, conditions)["np"], self._ask(target), OF), [(target, NONE)], conditions

    def count(self, table: Table, connection: int, count: int) -> Draft:
        conditions = self.conditions(table, connection, count)
        return fill(self.choose(PHRASINGS["count"]), self._slots(table, conditions)), [(table.name, COUNT)], conditions

    def aggregate(self, table: Table, connection: int, count: int) -> Draft:
        fields = [
            field
            for field in table.fields
            if field.number and not any(word in field.header for word in LISTS["no_aggregate"])
        ]
        if not fields:
            raise Impossible
        field = self.rng.choice(fields)
        texts = {AVERAGE: PHRASINGS["average"], HIGHEST: PHRASINGS["highest"], LOWEST: PHRASINGS["lowest"]}
        if field.number.total:
            texts[TOTAL] = PHRASINGS["total"]
        aggregation = min(texts, key=lambda each: (self.aggregations[each] + 0.5) / AGGREGATIONS[each])
        conditions = self.conditions(table, connection, count, field)
        high, low = field.number.adjectives
        slots = self._slots(table, conditions) | {"s": field.names[0], "high": high, "low": low}
        return fill(self.choose(texts[aggregation]), slots), [(field, aggregation)], conditions

    def _one(self, table: Table) -> tuple[str, Condition]:
        """A thing: how it is said, and the condition."""
        cell = self.rng.choice(table.cells(table.name))
        return self.cell(table.name, cell), Condition(table.name, EQUAL, cell)

    def cell_of_one(self, table: Table, connection: int, count: int) -> Draft:
        (said, condition), target = self._one(table), self._target(table)
        question = apart(said, self._ask(target), OF)
        if self.rng.random() < SHARES["inverted"]:
            slots = {"e": said, "n": table.kind.noun, "s": self.called(target), "ask": self._ask(target, subject=False)}
            question = fill(self.choose(PHRASINGS["inverted"]), slots)
        return question, [(target, NONE)], Conditions((condition,))

    def cells_of_one(self, table: Table, connection: int, count: int) -> Draft:
        (said, condition), first = self._one(table), self._target(table)
        second = self._target(table, first)
        if self.rng.random() < SHARES["together"]:
            text = PHRASINGS["together"] if first.number and second.number else PHRASINGS["together_text"]
            question = fill(self.choose(text), {"e": said, "a": self.called(first), "b": self.called(second)})
        else:
            question = (
                apart(said, self._ask(first), OF) + self.choose(PHRASINGS["then"]) + self._ask(second).removeprefix(OF)
            )
        return question, [(first, NONE), (second, NONE)], Conditions((condition,))

    def cell_of_several(self, table: Table, connection: int, count: int) -> Draft:
        cells, target = self.some_cells(table, table.name, count), self._target(table)
        said = self.joined(PHRASINGS["names_and"], table.name, cells)
        conditions = Conditions(tuple(Condition(table.name, EQUAL, cell) for cell in cells), connection)
        return apart(said, self._ask(target, several=True), OF), [(target, NONE)], conditions

    def cell_of_known(self, table: Table, connection: int, count: int) -> Draft:
        """Of one thing, of which the question tells something more."""
        (said, condition), target = self._one(table), self._target(table)
        other = self.single(table, target)
        said += OF if said[-1].isdigit() and other.clause[0].isdigit() else ""
        question = fill(
            self.choose(PHRASINGS["known"]), {"e": said, "c": other.clause, "ask": self._bare(self._ask(target))}
        )
        return question, [(target, NONE)], Conditions((condition, other), connection)
