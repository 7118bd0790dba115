"""The sample of lic2020_reading_comprehension, in the format of DuReader-robust: train.json, dev.json, test.json.

A paragraph is an opening and facts of one topic, mixed with the same kind of facts about a rival of the same domain and
with sentences that only bring in values of the right types. Its questions ask for facts of the topic, sometimes of the
rival, by these rules, which are those of the contest's own data:

- `answer_start` is known for about half of the questions and -1 for the others, also where the answer occurs several times.
- Where a longer answer is right as well (a rounded number beside the bare number), dev accepts both; train has one of them.
- test.json has no answers.

Half of the topics and of the phrasings of dev and test do not occur in train: see UNSEEN_TOPICS and `_choosing.py`.
"""

import json
import random
import re
from dataclasses import dataclass

from samples import Sample
from samples._choosing import Chooser
from samples._reading_phrasings import DOMAINS, LISTS, Domain, begins_with_topic
from samples._reading_world import Record, World
from samples._tables import unknown_slot
from samples._templates import FULL_WIDTH, placeholders

#: split -> (paragraphs, questions)
COUNTS = {"train": (390, 1200), "dev": (34, 100), "test": (20, 60)}
#: In dev and test, the share of choices that fall on a topic that train does not have.
UNSEEN_TOPICS = 0.72
SHARES = {
    "about the rival": 0.06, "start unknown": 0.5, "longer answer in train": 0.25, "echo": 0.4, "hard to place": 0.7, "full width": 0.06,
    "pronoun": 0.2, "left out": 0.4,
}  # fmt: skip
LENGTHS, LONG_LENGTHS = range(100, 351), range(450, 701)
#: How a sentence ends, what parts its clauses, and which end says by itself that a sentence ends.
STOPS, COMMAS, FULL_STOP = LISTS["stop"], LISTS["comma"], LISTS["stop"][0]


def generate() -> Sample:
    taken: set[str] = set()
    seen, unseen = (
        World(f"reading {name}", taken, scale, list(DOMAINS)) for name, scale in (("seen", 1.0), ("unseen", 0.5))
    )
    used: dict[str, list[Record]] = {domain: [] for domain in DOMAINS}  # the topics of train
    files, phrasings = {}, {}
    for split, (paragraphs, questions) in COUNTS.items():
        writer = Writer(random.Random(f"reading {split}"), split)
        records = []
        for number, count in enumerate(spread(writer.rng, paragraphs, questions)):
            domain = list(DOMAINS)[number % len(DOMAINS)]
            new = split == "train" or writer.rng.random() < UNSEEN_TOPICS
            world = seen if split == "train" or not new else unseen
            topic = writer.topic(world.records[domain] if new else used[domain])
            records.append(writer.write(domain, topic, world, count, long=number % 10 == 7))
            if split == "train":
                used[domain].append(topic)
        writer.rng.shuffle(records)
        phrasings[split] = set(writer.uses) & ASKING | writer.told
        files[f"{split}.json"] = document(records)
    return Sample(files, phrasings)


#: Every phrasing of a question.
ASKING = {
    text for domain in DOMAINS.values() for fact in domain.facts.values() for text in fact.questions + fact.held_out()
}


def document(paragraphs: list[dict]) -> str:
    """One JSON object, with a paragraph in each line."""
    lines = ",\n".join(json.dumps(paragraph, ensure_ascii=False) for paragraph in paragraphs)
    return f'{{"data": [{{"title": "", "paragraphs": [\n{lines}\n]}}]}}\n'


def spread(rng: random.Random, parts: int, total: int) -> list[int]:
    """How many of the total each part gets: uneven, 1 to 5."""
    sizes = [total * (number + 1) // parts - total * number // parts for number in range(parts)]
    for _ in range(parts):
        giver, taker = rng.sample(range(parts), 2)
        if sizes[giver] > 1 and sizes[taker] < 5:
            sizes[giver] -= 1
            sizes[taker] += 1
    return sizes


@dataclass(frozen=True)
class Clause:
    """A phrasing with what fills it: of a fact (of the topic or of its rival), an opening, or a filler (`key` is then
    empty)."""

    key: str
    phrasing: str
    bindings: Record
    about_rival: bool = False


@dataclass(frozen=True)
class Telling:
    """Where a paragraph tells a fact: (start, end) of the answer and of the longer answer, which may be the same."""

    clause: Clause
    answer: tuple[int, int]
    longer: tuple[int, int]


def value(telling: Telling) -> str:
    return telling.clause.bindings[telling.clause.key]


def locate(phrasing: str, bindings: Record, key: str) -> tuple[str, tuple[int, int], tuple[int, int]]:
    """The phrasing filled in, where the binding `key` stands in it, and where the brackets around that stood."""
    text, answer, longer, opened = "", (0, 0), (0, 0), -1
    for piece in re.split(r"(\{\w+\}|\[|\])", phrasing):
        if piece == "[":
            opened = len(text)
        elif piece == "]":
            longer, opened = (opened, len(text)), -1
        elif piece.startswith("{"):
            if piece[1:-1] not in bindings:
                raise unknown_slot(phrasing, piece)
            value = bindings[piece[1:-1]]
            if piece[1:-1] == key:
                answer = (len(text), len(text) + len(value))
            text += value
        else:
            text += piece
    return text, answer, longer if longer != (0, 0) else answer


def unlike(record: Record, topic: Record) -> bool:
    """Whether neither name is part of the other."""
    return record["name"] not in topic["name"] and topic["name"] not in record["name"]


def told(domain: Domain, topic: Record) -> list[str]:
    """The facts that hold of the topic: a town has no cable car."""
    return [key for key in domain.facts if key in topic]


class Writer(Chooser):
    """Writes the paragraphs of one split."""

    def __init__(self, rng: random.Random, split: str):
        super().__init__(rng, split)
        self.told: set[str] = set()  # the phrasings that tell what is asked

    def write(self, domain_name: str, topic: Record, world: World, questions: int, long: bool) -> dict:
        """A paragraph about the topic with so many questions."""
        while True:
            uses = dict(self.uses)
            clauses = (
                self._long(domain_name, topic, world, questions)
                if long
                else self._short(domain_name, topic, world, questions)
            )
            context, tellings = self._join(DOMAINS[domain_name], clauses)
            if len(context) in (LONG_LENGTHS if long else LENGTHS):
                return self._restyle(context, self._ask(domain_name, context, tellings, questions, late=long))
            self.uses = uses

    def _fact(self, domain: Domain, key: str, bindings: Record, about_rival: bool = False) -> Clause:
        fact = domain.facts[key]
        return Clause(key, self.phrasing(fact.sentences, fact.held_out_sentences), bindings, about_rival)

    def _rival_facts(self, domain: Domain, rival: Record, topic: Record, keys: list[str]) -> list[Clause]:
        return [
            self._fact(domain, key, rival, about_rival=True)
            for key in keys
            if key in rival and rival[key] != topic.get(key)
        ]

    def _opening(self, domain: Domain, bindings: Record) -> Clause:
        return Clause("", self.phrasing(*domain.openings), bindings)

    def _short(self, domain_name: str, topic: Record, world: World, questions: int) -> list[Clause]:
        rng, domain = self.rng, DOMAINS[domain_name]
        bindings = world.bystanders(rng) | topic
        keys = self.keys(domain_name, told(domain, topic), max(questions + 1, rng.randint(5, 8)), "told")
        clauses = [self._fact(domain, key, bindings) for key in keys]
        rival = rng.choice([record for record in world.records[domain_name] if unlike(record, topic)])
        extra = self._rival_facts(domain, rival, topic, rng.sample(list(domain.facts), rng.choice((0, 0, 1, 2))))
        extra += [Clause("", filler, bindings) for filler in rng.sample(domain.fillers, rng.choice((0, 1, 1, 2)))]
        for clause in extra:
            clauses.insert(rng.randint(0, len(clauses)), clause)
        return [self._opening(domain, bindings), *self._echo(domain, bindings, keys), *clauses]

    def _echo(self, domain: Domain, bindings: Record, keys: list[str]) -> list[Clause]:
        """Perhaps a sentence with the value of one of the facts, to stand before the one that tells it."""
        fitting = [echo for echo in domain.echoes if placeholders(echo) <= set(keys)]
        if not fitting or self.rng.random() >= SHARES["echo"]:
            return []
        return [Clause("", self.rng.choice(fitting), bindings)]

    def _long(self, domain_name: str, topic: Record, world: World, questions: int) -> list[Clause]:
        """Rivals and fillers first: the facts of the topic that are asked for stand in the last third."""
        rng, domain = self.rng, DOMAINS[domain_name]
        bindings = world.bystanders(rng) | topic
        keys = self.keys(domain_name, told(domain, topic), questions + 3, "told")
        clauses = [self._opening(domain, bindings)] + [
            self._fact(domain, key, bindings) for key in keys[questions + 1 :]
        ]
        rivals = [record for record in world.records[domain_name] if unlike(record, topic)]
        for rival in rng.sample(rivals, min(len(rivals), rng.randint(4, 6))):
            clauses += self._rival_facts(domain, rival, topic, rng.sample(list(domain.facts), rng.randint(5, 8)))
        for filler in rng.sample(domain.fillers, rng.randint(3, 5)):
            clauses.insert(rng.randint(1, len(clauses)), Clause("", filler, bindings))
        return clauses + [self._fact(domain, key, bindings) for key in keys[: questions + 1]]

    def _join(self, domain: Domain, clauses: list[Clause]) -> tuple[str, list[Telling]]:
        """The paragraph. A topic named just before is left out, or a pronoun stands for it; after other people and
        things it is named again."""
        rng = self.rng
        comma = rng.choices(COMMAS, (88, 12))[0]
        stop = rng.choices(STOPS, (82, 7, 5, 6))[0]
        text, tellings = "", []
        before: Clause | None = None
        run = 0  # clauses since the last full stop
        for clause in clauses:
            phrasing, head = clause.phrasing, ""
            same = (
                before is not None
                and before.bindings is clause.bindings
                and clause.key
                and before.phrasing not in domain.echoes
            )
            same = same and (before.key or "{other}" not in before.phrasing)
            together = same and before.phrasing.startswith("{it}") and run < 3 and begins_with_topic(phrasing)
            continues = together and rng.random() < SHARES["left out"]
            if continues:
                phrasing, head = phrasing.removeprefix("{it}"), comma
            elif before is not None:
                if not text.endswith(FULL_STOP):
                    head = stop
                if clause.about_rival and not same:
                    head += (
                        LISTS["in_contrast"][0]
                        if (before.key, before.about_rival) == (clause.key, False)
                        else rng.choice(LISTS["aside"])
                    )
            run = run + 1 if continues else 1
            pronoun = same and not clause.about_rival and rng.random() < SHARES["pronoun"]
            it = rng.choice(domain.it) if pronoun else clause.bindings["name"]
            filled, answer, longer = locate(phrasing, clause.bindings | {"it": it}, clause.key)
            start = len(text) + len(head)
            text += head + filled
            if clause.key:
                tellings.append(Telling(clause, *((start + first, start + last) for first, last in (answer, longer))))
            before = clause
        return text + ("" if text.endswith(FULL_STOP) or rng.random() < 0.1 else FULL_STOP), tellings

    def _ask(self, domain_name: str, context: str, tellings: list[Telling], questions: int, late: bool) -> dict:
        rng, domain = self.rng, DOMAINS[domain_name]
        own = {telling.clause.key: telling for telling in tellings if not telling.clause.about_rival}
        rivals = [telling for telling in tellings if telling.clause.about_rival]
        if late:
            own = dict(list(own.items())[-questions - 1 :])
        keys = self.keys(domain_name, list(own), questions, "asked")
        hard = [
            key
            for key in own
            if context.index(value(own[key])) < own[key].answer[0]
            or value(own[key]) in own[key].clause.bindings["name"]
        ]
        if hard and not set(hard) & set(keys) and rng.random() < SHARES["hard to place"]:
            keys[0] = rng.choice(hard)
        asked = [own[key] for key in keys]
        for number in range(len(asked)):
            if rivals and not late and rng.random() < SHARES["about the rival"]:
                asked[number] = rivals.pop(rng.randrange(len(rivals)))
        items = []
        for telling in asked:
            clause = telling.clause
            self.use(f"asked {domain_name} {clause.key}")
            self.told.add(clause.phrasing)
            fact = domain.facts[clause.key]
            item = {"question": self.question(fact, clause.bindings), "id": f"{rng.getrandbits(128):032x}"}
            spans = list(dict.fromkeys([telling.answer, telling.longer]))
            if self.split == "train":
                spans = spans[-1:] if rng.random() < SHARES["longer answer in train"] else spans[:1]
            known = rng.random() >= SHARES["start unknown"]
            if self.split != "test":
                item["answers"] = [
                    {"text": context[first:last], "answer_start": first if known else -1} for first, last in spans
                ]
            items.append(item)
        for clause in {id(telling.clause): telling.clause for telling in tellings}.values():
            self.use(f"told {domain_name} {clause.key}")
        return {"context": context, "qas": items}

    def _restyle(self, context: str, paragraph: dict) -> dict:
        """Rarely with full-width letters and digits, in the paragraph, its questions and answers alike."""
        if self.rng.random() >= SHARES["full width"]:
            return paragraph
        paragraph["context"] = context.translate(FULL_WIDTH)
        for item in paragraph["qas"]:
            item["question"] = item["question"].translate(FULL_WIDTH)
            for answer in item.get("answers", ()):
                answer["text"] = answer["text"].translate(FULL_WIDTH)
        return paragraph
