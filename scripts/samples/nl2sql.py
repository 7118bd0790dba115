"""The sample of nl2sql, in the format of TableQA: train.json, dev.json, test.json with their .tables.json.

A table shows some of the columns of its kind (_nl2sql_leisure.py, _nl2sql_business.py, _nl2sql_services.py), under headers that differ from
table to table. A question asks for cells, a count or an aggregate of the rows that fulfil one to three conditions; it is composed of phrasings
(_nl2sql_phrasings.py). Half of the phrasings of dev and test, most of their cells and some whole domains do not occur in train. Every query
finds at least one row, and not all.
"""

import random
import re
from collections import Counter

from samples import Sample, json_lines
from samples import _nl2sql_phrasings as phrasings
from samples._nl2sql_conditions import AND, EQUAL, ONE, OR, Condition, Conditions, ConditionWriter, Impossible, apart
from samples._nl2sql_tables import Field, Table, TableWriter

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
                question = self._framed(table, question.replace("的的", "的").replace("是是", "是"))
                if 8 <= len(question) <= 60 and question not in self.asked and conditions.matter(table):
                    kinds.remove(kind)
                    self.asked.add(question)
                    self.operators.update(part.operator for part in conditions.parts)
                    self.aggregations.update(aggregation for _, aggregation in selected)
                    return {"question": question, "table_id": table.id} | ({} if self.split == "test" else {"sql": self._query(selected, conditions)})
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
            question = self.choose(phrasings.ASIDES) + question
        elif chance < SHARES["context"] + SHARES["aside"] + SHARES["opening"] and not re.match("[我帮想把告说给算数推]", question):
            question = self.choose(phrasings.OPENINGS) + question
        if re.search("什么|[哪谁多几啥]", question[-5:]):
            question += self.choose(phrasings.ENDINGS) if rng.random() < SHARES["ending"] else ""
            question += rng.choice("？？?") if rng.random() < SHARES["mark"] else ""
        return question

    def _slots(self, table: Table, conditions: Conditions) -> dict[str, str]:
        """What phrasings say of some things: np, c, n and m, see _nl2sql_phrasings.py."""
        rng, noun, parts = self.rng, table.kind.noun, conditions.parts
        slots = {"c": conditions.clause, "n": noun, "m": table.kind.measure}
        if conditions.connection == OR or not parts[0].clause:
            together = len(parts) == 2 and parts[0].modifiers and parts[0].clause == parts[1].clause and rng.random() < SHARES["in front"]
            return slots | {"np": (rng.choice(parts[0].modifiers) if together else f"{conditions.clause}的") + noun}

        whole, bare, rest = "", "", []
        for part in sorted(parts, key=lambda part: part.field.column.answer != "place"):  # 桂林四星级酒店
            near = [modifier for modifier in part.modifiers if not modifier.endswith("的")]
            further = [modifier for modifier in part.modifiers if modifier not in near]
            if not part.modifiers or rng.random() > SHARES["in front"]:
                rest.append(part.clause)
            elif near and (not further or rng.random() < SHARES["bare"]):
                bare += rng.choice(near)
            else:
                whole += rng.choice(further)
        said = rest[0] if rest else ""
        for clause in rest[1:]:
            said += self.choose(phrasings.AND) + clause
        return slots | {"np": whole + (f"{said}的" if said else "") + bare + noun}

    def _ask(self, field: Field, several: bool = False, subject: bool = True) -> str:
        """What is asked, after its subject or without one; `several`: of several things."""
        rng, column = self.rng, field.column
        each = self.choose(phrasings.EACH) if several and rng.random() < SHARES["each"] else ""
        if subject and column.asks and rng.random() < SHARES["own ask"]:
            ask = self.choose(column.asks)
            year = f"{field.year % 100}年" if field.year else ""
            return year + (each if re.match("[是在有多从属做生用几卖赚值能]", ask) else "") + ask
        answer = column.answer or ("year" if field.years else "number" if field.number else "text")
        tail = self.choose(phrasings.TAILS[answer])
        link = "{s}" if not subject else self.choose(phrasings.LINKS)
        if several:
            each = "" if re.match("到底|大概|具体|达到", tail) else each
        return link.format(s=self.called(field)) + each + tail

    def _target(self, table: Table, without: Field | None = None) -> Field:
        return self.rng.choice([field for field in table.fields if field not in (table.name, without)])

    # Kinds of questions

    def things(self, table: Table, connection: int, count: int) -> Draft:
        conditions = self.conditions(table, connection, count)
        return self.choose(phrasings.LIST).format_map(self._slots(table, conditions)), [(table.name, NONE)], conditions

    def things_and_cell(self, table: Table, connection: int, count: int) -> Draft:
        target = self._target(table)
        question, selected, conditions = self.things(table, connection, count)
        if target in [part.field for part in conditions.parts]:
            raise Impossible
        return question + self.choose(phrasings.THEN) + self._ask(target).removeprefix("的"), [*selected, (target, NONE)], conditions

    def cell_of_things(self, table: Table, connection: int, count: int) -> Draft:
        target = self._target(table)
        conditions = self.conditions(table, connection, count, target)
        return apart(self._slots(table, conditions)["np"], self._ask(target), "的"), [(target, NONE)], conditions

    def count(self, table: Table, connection: int, count: int) -> Draft:
        conditions = self.conditions(table, connection, count)
        return self.choose(phrasings.COUNT).format_map(self._slots(table, conditions)), [(table.name, COUNT)], conditions

    def aggregate(self, table: Table, connection: int, count: int) -> Draft:
        fields = [field for field in table.fields if field.number and not re.search("平均|人均|均价|最|总|起|率|每", field.header)]
        if not fields:
            raise Impossible
        field = self.rng.choice(fields)
        texts = {AVERAGE: phrasings.AVERAGE, HIGHEST: phrasings.HIGHEST, LOWEST: phrasings.LOWEST}
        if field.number.total:
            texts[TOTAL] = phrasings.TOTAL
        aggregation = min(texts, key=lambda each: (self.aggregations[each] + 0.5) / AGGREGATIONS[each])
        conditions = self.conditions(table, connection, count, field)
        high, low = field.number.adjectives.split()
        slots = self._slots(table, conditions) | {"s": field.names[0], "high": high, "low": low}
        return self.choose(texts[aggregation]).format_map(slots), [(field, aggregation)], conditions

    def _one(self, table: Table) -> tuple[str, Condition]:
        """A thing: how it is said, and the condition."""
        cell = self.rng.choice(table.cells(table.name))
        return self.cell(table.name, cell), Condition(table.name, EQUAL, cell)

    def cell_of_one(self, table: Table, connection: int, count: int) -> Draft:
        (said, condition), target = self._one(table), self._target(table)
        question = apart(said, self._ask(target), "的")
        if self.rng.random() < SHARES["inverted"]:
            slots = {"e": said, "n": table.kind.noun, "s": self.called(target), "ask": self._ask(target, subject=False)}
            question = self.choose(phrasings.INVERTED).format_map(slots)
        return question, [(target, NONE)], Conditions((condition,))

    def cells_of_one(self, table: Table, connection: int, count: int) -> Draft:
        (said, condition), first = self._one(table), self._target(table)
        second = self._target(table, first)
        if self.rng.random() < SHARES["together"]:
            text = phrasings.TOGETHER if first.number and second.number else phrasings.TOGETHER_TEXT
            question = self.choose(text).format(e=said, a=self.called(first), b=self.called(second))
        else:
            question = apart(said, self._ask(first), "的") + self.choose(phrasings.THEN) + self._ask(second).removeprefix("的")
        return question, [(first, NONE), (second, NONE)], Conditions((condition,))

    def cell_of_several(self, table: Table, connection: int, count: int) -> Draft:
        cells, target = self.some_cells(table, table.name, count), self._target(table)
        said = self.joined(phrasings.NAMES_AND, table.name, cells)
        conditions = Conditions(tuple(Condition(table.name, EQUAL, cell) for cell in cells), connection)
        return apart(said, self._ask(target, several=True), "的"), [(target, NONE)], conditions

    def cell_of_known(self, table: Table, connection: int, count: int) -> Draft:
        """Of one thing, of which the question tells something more."""
        (said, condition), target = self._one(table), self._target(table)
        other = self.single(table, target)
        said += "的" if said[-1].isdigit() and other.clause[0].isdigit() else ""
        question = self.choose(phrasings.KNOWN).format(e=said, c=other.clause, ask=re.sub("^的?([那这]个)?", "", self._ask(target)))
        return question, [(target, NONE)], Conditions((condition, other), connection)
