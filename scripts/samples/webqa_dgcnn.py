"""The sample of webqa_dgcnn, in the format of WebQA.json: train.json, dev.json, test.json.

A question asks for one fact of a topic. Its passages are snippets of pages that a search might have found, by these
rules:

- Some tell the fact, each in one of the spellings of the answer: a passage's `answer` is that spelling, and "" for all other passages.
- Others tell other facts of the topic, or mention the answer without saying what it is; others tell the same fact of another thing.
- Where at least two passages agree, fewer ones may claim something else of the topic; the gold answer is that of the majority.
- A few questions have no passage that tells the fact.
- dev has all accepted spellings in `answers`, the usual one first; train only for some questions; test.json has no answers.

Half of the topics and of the phrasings of dev and test do not occur in train: see UNSEEN_TOPICS and `_choosing.py`.
"""

import json
import random
import re
from collections.abc import Callable, Container
from functools import partial

from samples import Sample
from samples._choosing import Chooser
from samples._names import NAMES, Names
from samples._reading_phrasings import DOMAINS as READING_DOMAINS
from samples._reading_phrasings import QUESTION_WORDS, Domain, begins_with_topic
from samples._reading_world import Record
from samples._tables import fill
from samples._templates import placeholders
from samples._webqa_world import DOMAINS as OWN_DOMAINS
from samples._webqa_world import LISTS, PARTED, WebWorld, altered, spellings

SHARED = ("film", "school", "scenic", "person", "company", "railway")
DOMAINS: dict[str, Domain] = {name: READING_DOMAINS[name] for name in SHARED} | OWN_DOMAINS
FACTS = [fact for domain in DOMAINS.values() for fact in domain.facts.values()]
#: Every phrasing of a question, and of a sentence that answers one.
ASKING = {text for fact in FACTS for text in fact.questions + fact.held_out()}
TELLING = {text for fact in FACTS for text in fact.sentences + fact.held_out_sentences}
COUNTS = {"train": 700, "dev": 100, "test": 60}
#: In dev and test, the share of choices that fall on a topic that train does not have.
UNSEEN_TOPICS = 0.72
#: One question in so many has no passage that tells the fact.
UNANSWERED = 40
LENGTHS, LONGEST_ANSWER = range(20, 151), 12
SHARES = {
    "contested": 0.2, "usual spelling": 0.65, "question and answer": 0.08, "opening": 0.3, "another fact": 0.35, "filler": 0.3,
    "echo": 0.5, "both": 0.08, "side by side": 0.2, "pronoun": 0.25, "left out": 0.4, "hedged": 0.5, "answers in train": 0.5, "blanks": 0.5,
}  # fmt: skip
STOP, COMMA, QUESTION, ANSWER = (LISTS[name][0] for name in ("stop", "comma", "question", "answer"))
TITLE_MARK = NAMES["title_mark"][0]


def generate() -> Sample:
    taken: set[str] = set()
    seen, unseen = (WebWorld("webqa seen", taken, 2.0), WebWorld("webqa unseen", taken, 1.0))
    used: dict[str, list[Record]] = {domain: [] for domain in DOMAINS}  # the topics of train
    files, phrasings = {}, {}
    for split, count in COUNTS.items():
        writer = Writer(random.Random(f"webqa {split}"), split)
        records = []
        while len(records) < count:
            name = list(DOMAINS)[len(records) % len(DOMAINS)]
            new = split == "train" or writer.rng.random() < UNSEEN_TOPICS
            world = seen if split == "train" or not new else unseen
            topic = writer.topic(world.records[name] if new else used[name])
            records.append(writer.write(name, topic, world, answered=len(records) % UNANSWERED != UNANSWERED // 2))
            if split == "train":
                used[name].append(topic)
        writer.rng.shuffle(records)
        phrasings[split] = set(writer.uses) & (ASKING | TELLING)
        files[f"{split}.json"] = (
            "[\n" + ",\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n]\n"
        )
    return Sample(files, phrasings)


def askable(topic: Record, key: str) -> bool:
    """Whether the fact holds of the topic, in few words that its name does not give away."""
    return (
        key in topic
        and len(topic[key]) <= LONGEST_ANSWER
        and not any(spelling in topic["name"] for spelling in spellings(key, topic[key]))
    )


def differs(record: Record, topic: Record, key: str) -> bool:
    """Whether the record has another value for the fact, and neither name is part of the other."""
    named = record["name"] in topic["name"] or topic["name"] in record["name"]
    return key in record and not named and not set(spellings(key, record[key])) & set(spellings(key, topic[key]))


class Writer(Chooser):
    """Writes the questions of one split with their passages."""

    def __init__(self, rng: random.Random, split: str):
        super().__init__(rng, split)
        self.names = Names(rng, set())
        self.asked: set[tuple[str, str]] = set()  # (name of the topic, fact)
        self.around: Record = {}  # what else the passages of a question mention

    def write(self, domain_name: str, topic: Record, world: WebWorld, answered: bool) -> dict:
        """A question about the topic that was not asked yet."""
        rng, domain = self.rng, DOMAINS[domain_name]
        keys = [key for key in domain.facts if askable(topic, key) and (topic["name"], key) not in self.asked]
        (key,) = self.keys(domain_name, keys, 1, "asked")
        if key not in PARTED or rng.random() < 0.4:  # few facts are lists, so they are asked more often than others
            self.use(f"asked {domain_name} {key}")
        self.asked.add((topic["name"], key))
        self.around, accepted = world.bystanders(rng), spellings(key, topic[key])
        rivals = [record for record in world.records[domain_name] if differs(record, topic, key)]
        rng.shuffle(rivals)

        right, wrong, others = self._counts() if answered else (0, 0, rng.randint(3, 5))
        passages: dict[str, str] = {}  # text -> answer
        for _ in range(right):
            spelling = accepted[0] if rng.random() < SHARES["usual spelling"] else rng.choice(accepted)
            passages[self._fitting(passages, partial(self._tell, domain, topic, key, spelling, rivals[-1]))] = spelling
        for claim in self._claims(topic, key, rivals, wrong):
            passages[self._fitting(passages, partial(self._claim, domain, topic, key, claim))] = ""
        for number in range(first := rng.choice((0, 1)), first + others):
            draft = (
                partial(self._tell_others, domain, topic, key)
                if number % 2
                else partial(self._tell_of, domain, topic, key, rivals[number])
            )
            passages[self._fitting(passages, draft)] = ""
        if key in PARTED and rng.random() < SHARES["blanks"]:
            accepted = accepted[-1:] + accepted[:-1]
        return self._record(self.question(domain.facts[key], topic), passages, accepted)

    def _counts(self) -> tuple[int, int, int]:
        """How many passages tell the fact, claim something else, and do neither."""
        rng = self.rng
        right, wrong = rng.choices((1, 2, 3), (30, 45, 25))[0], 0
        if rng.random() < SHARES["contested"]:
            wrong = rng.choices((1, 2), (85, 15))[0]
            right = wrong + rng.choice((1, 1, 2))
        return (right, wrong, min(max(3 - right - wrong, rng.choices((1, 2, 3), (45, 40, 15))[0]), 8 - right - wrong))

    def _fitting(self, texts: Container[str], draft: Callable[[], str]) -> str:
        """What a draft gives that is of the right length and not among the texts."""
        while True:
            text = draft()
            text = text if text.startswith(QUESTION) else self.rng.choice(LISTS["lead"]) + text
            text += "" if text[-1] in STOP + COMMA or self.rng.random() < 0.15 else STOP
            if len(text) in LENGTHS and text not in texts:
                return text

    def _record(self, question: str, passages: dict[str, str], accepted: tuple[str, ...]) -> dict:
        rng = self.rng
        listed = [{"passage": text, "answer": answer} for text, answer in passages.items()]
        rng.shuffle(listed)
        record = {"id": f"{rng.getrandbits(128):032x}", "question": question, "passages": listed}
        if self.split == "test":
            record["passages"] = [{"passage": passage["passage"]} for passage in listed]
        elif (
            self.split == "dev"
            or any(passages.values())
            and len(accepted) > 1
            and rng.random() < SHARES["answers in train"]
        ):
            record["answers"] = list(accepted)
        return record

    def _fact(self, domain: Domain, key: str) -> str:
        fact = domain.facts[key]
        return self.phrasing(fact.sentences, fact.held_out_sentences)

    def _other_facts(self, domain: Domain, record: Record, key: str, count: int) -> list[str]:
        others = [other for other in domain.facts if other != key and other in record]
        return [self._fact(domain, other) for other in self.rng.sample(others, min(count, len(others)))]

    def _tell(self, domain: Domain, topic: Record, key: str, spelling: str, rival: Record) -> str:
        """The fact in this spelling, sometimes with the same fact of the rival after it."""
        text = self._snippet(
            domain,
            topic | {key: spelling.join(NAMES["title_mark"]) if topic[key].startswith(TITLE_MARK) else spelling},
            key,
        )
        if not text.startswith(QUESTION) and self.rng.random() < SHARES["both"]:
            text += (
                ("" if text.endswith(STOP) else STOP)
                + LISTS["in_contrast"][0]
                + self._join(domain, rival, [self._fact(domain, key)])
            )
        return text

    def _claim(self, domain: Domain, topic: Record, key: str, claim: str) -> str:
        """Something else than the fact, as somebody says it who is wrong."""
        hedge = self.rng.choice(LISTS["hedge"]) if self.rng.random() < SHARES["hedged"] else ""
        return self._snippet(domain, topic | {key: claim}, key, hedge)

    def _claims(self, topic: Record, key: str, rivals: list[Record], count: int) -> list[str]:
        """Different values that are not right: years that are a few years off, or what holds of others."""
        claims = [altered(self.rng, topic[key])] + [rival[key] for rival in rivals]
        return list(dict.fromkeys(claim for claim in claims if claim != topic[key]))[:count]

    def _tell_of(self, domain: Domain, topic: Record, key: str, rival: Record) -> str:
        """The same fact of another thing, sometimes with the name of the topic beside it."""
        if self.rng.random() < SHARES["side by side"]:
            return fill(self.rng.choice(LISTS["side_by_side"]), topic) + self._join(
                domain, rival, [self._fact(domain, key)]
            )
        return self._snippet(domain, rival, key)

    def _tell_others(self, domain: Domain, topic: Record, key: str) -> str:
        """Other facts of the topic; the value of the fact may stand beside them, without what it is."""
        rng = self.rng
        phrasings = self._other_facts(domain, topic, key, rng.choice((1, 1, 2)))
        echoes = [echo for echo in domain.echoes if key in placeholders(echo)]
        if echoes and rng.random() < SHARES["echo"]:
            phrasings.insert(rng.choice((0, len(phrasings))), rng.choice(echoes))
        elif rng.random() < SHARES["filler"]:
            phrasings.append(rng.choice(domain.fillers))
        if rng.random() < SHARES["opening"]:
            phrasings.insert(0, self.phrasing(*domain.openings))
        return self._join(domain, topic, phrasings)

    def _snippet(self, domain: Domain, bindings: Record, key: str, hedge: str = "") -> str:
        """The fact as an answer to a question, or in a sentence: perhaps after an opening, beside another fact, before
        a filler."""
        rng = self.rng
        if rng.random() < SHARES["question and answer"]:
            question = ""
            while not QUESTION_WORDS.search(question):
                question = self.question(domain.facts[key], bindings)
            full, half = LISTS["question_mark"]
            return (
                QUESTION
                + question.rstrip(full + half)
                + full
                + ANSWER
                + hedge
                + (LISTS["is"][0] if hedge else "")
                + bindings[key]
                + STOP
            )
        phrasings = [hedge + self._fact(domain, key)]
        if rng.random() < SHARES["another fact"]:
            phrasings.insert(rng.choice((0, 1)), *self._other_facts(domain, bindings, key, 1))
        if rng.random() < SHARES["opening"]:
            phrasings.insert(0, self.phrasing(*domain.openings))
        if rng.random() < SHARES["filler"]:
            phrasings.append(rng.choice(domain.fillers))
        return self._join(domain, bindings, phrasings)

    def _join(self, domain: Domain, bindings: Record, phrasings: list[str]) -> str:
        """The phrasings filled in. A thing named just before is left out, or a pronoun stands for it."""
        rng, text, before = self.rng, "", ""
        bindings = self.around | {"other": self.names.person(rng.choice("mf"))} | bindings
        for phrasing in phrasings:
            it, filled = bindings["name"], re.sub(r"[\[\]]", "", phrasing)
            named = re.search(r"\{(it|name)\}", before) is not None
            if named and not text.endswith(STOP) and begins_with_topic(phrasing) and rng.random() < SHARES["left out"]:
                text, filled = text + COMMA, filled.removeprefix("{it}")
            else:
                text += "" if not text or text.endswith(STOP) else STOP
                it = rng.choice(domain.it) if named and rng.random() < SHARES["pronoun"] else it
            text += fill(filled, bindings | {"it": it})
            before = phrasing
        return text
