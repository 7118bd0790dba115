"""The sample of ccks2019_entity_linking, in the contest's format: train.json, dev.json, test.json, kb_data.

Texts are titles of pages, headlines and queries. What annotators label, and how, follows these rules, which are the
contest's own or like them:

- A mention is labelled everywhere, without its title marks, and as NIL where the knowledge base does not have the one that is meant, though it may
  have others of the name.
- Common nouns are labelled by habit: always, only as a word of their own, or never. The knowledge base has all of them.
- A name within a longer one is not labelled, but for the town in the title of a programme.

Half of the entities and of the phrasings of dev and test do not occur in train: see UNSEEN.
"""

import random
import re
from collections import Counter

from samples import Sample, json_lines
from samples._linking_phrasings import KINDS, LISTS, NOUNS, PLAIN, ending
from samples._linking_world import FRUITS, WORDS, Entity, World, noun_records
from samples._names import NAMES
from samples._tables import unknown_slot
from samples._templates import FULL_WIDTH, placeholders

COUNTS = {"train": 600, "dev": 120, "test": 60}
WEIGHTS = {name: kind.weight for name, kind in KINDS.items() if kind.weight}
#: In dev and test, the share of choices that fall on a phrasing, and on an entity, that train does not have.
UNSEEN = {"phrasing": 0.68, "entity": 0.78}
SHARES = {
    "lead": 0.1,
    "tail": 0.3,
    "alias": 0.25,
    "no marks": 0.12,
    "other marks": 0.06,
    "full width": 0.1,
    "letter case": 0.75,
}
LENGTHS = range(8, 46)
# Where a noun that is labelled sometimes has to end.
ALONE = rf"(?=$|\s|{'|'.join(map(re.escape, LISTS['mark_after_noun']))})"
OPENING_MARK, TITLE_MARKS = NAMES["title_mark"][0], "".join(NAMES["title_mark"])


def generate() -> Sample:
    taken = {noun for nouns in NOUNS.values() for noun in nouns} | set(FRUITS + WORDS)
    ids: set[str] = set()
    seen = World("seen", taken, ids, LISTS["fruit"], LISTS["word_title"], 1.0)
    unseen = World("unseen", taken, ids, LISTS["kept_fruit"], LISTS["kept_word_title"], 0.7)
    records = noun_records(random.Random("linking nouns"), ids)
    nouns = {record["subject"]: record["subject_id"] for record in records}
    rng = random.Random("linking knowledge base")
    records += [entity.record(rng) for world in (seen, unseen) for entity in world.entities if entity.id != "NIL"]
    records.sort(key=lambda record: int(record["subject_id"]))

    files, phrasings = {"kb_data": json_lines(records)}, {}
    uses: Counter[Entity] = Counter()
    texts: set[str] = set()
    for split, count in COUNTS.items():
        writer = Writer(random.Random(f"linking {split}"), seen, unseen if split != "train" else None, nouns, uses)
        lines = []
        while len(lines) < count:
            text, mentions = writer.write()
            if text not in texts:
                texts.add(text)
                line = {"text_id": str(len(texts)), "text": text}
                lines.append(line if split == "test" else line | {"mention_data": mentions})
        phrasings[split] = set(writer.phrasings)
        files[f"{split}.json"] = json_lines(lines)
    return Sample(files, phrasings)


class Writer:
    """Writes the texts of one split; `uses` counts how often texts of any split were about an entity."""

    def __init__(
        self, rng: random.Random, seen: World, unseen: World | None, nouns: dict[str, str], uses: Counter[Entity]
    ):
        self.rng, self.seen, self.unseen, self.uses = rng, seen, unseen, uses
        self.nouns = nouns  # noun -> id
        self.noun = re.compile("|".join(
            re.escape(noun) + (ALONE if noun in NOUNS["sometimes"] else "") for noun in sorted(nouns, key=len, reverse=True)
        ))  # fmt: skip
        self.kinds: Counter[str] = Counter()
        self.phrasings: Counter[str] = Counter()

    def write(self) -> tuple[str, list[dict]]:
        """A text and its mention_data."""
        while True:
            topic = self._topic()
            phrasing = self._phrasing(topic)
            if phrasing is None:
                continue
            text, mentions = self._fill(self._surround(phrasing, topic), topic)
            if len(text) in LENGTHS:
                self.kinds[topic.kind] += 1
                self.uses[topic] += 1
                self.phrasings[phrasing] += 1
                text = self._restyle(text)
                return text, [
                    {"kb_id": name, "mention": text[start:end], "offset": str(start)} for start, end, name in mentions
                ]

    def _topic(self) -> Entity:
        """Rather a popular entity; in dev and test rather one that no text was about, so that the commonest of a name
        is often wrong."""
        kind = self.rng.choices(
            list(WEIGHTS), [(weight / (1 + self.kinds[kind])) ** 3 for kind, weight in WEIGHTS.items()]
        )[0]
        is_new = self.rng.random() < UNSEEN["entity"]
        entities = (self.unseen if self.unseen is not None and is_new else self.seen).kinds[kind]
        rarity = -1 if self.unseen is None else -2
        return self.rng.choices(
            entities, [entity.popularity * (1 + self.uses[entity]) ** rarity for entity in entities]
        )[0]

    def _phrasing(self, topic: Entity) -> str | None:
        """One that the topic has all facts for, rather a rarely used one; dev and test repeat only every second of
        those of all splits."""
        phrasings, held_out = KINDS[topic.kind].phrasings
        if self.unseen is not None:
            phrasings = held_out if self.rng.random() < UNSEEN["phrasing"] else phrasings[::2]
        fitting = []
        for phrasing in phrasings:
            facts = placeholders(phrasing) - PLAIN - {topic.kind}
            if (
                facts <= set(topic.facts)
                and (facts or not topic.twin)
                and (OPENING_MARK in phrasing or topic.name not in WORDS)
            ):
                fitting.append(phrasing)
        if not fitting:
            return None
        return self.rng.choices(fitting, [(1 + self.phrasings[phrasing]) ** -2 for phrasing in fitting])[0]

    def _surround(self, phrasing: str, topic: Entity) -> str:
        rng = self.rng
        if topic.name not in WORDS and rng.random() < SHARES["no marks"]:
            phrasing = re.sub(f"[{TITLE_MARKS}]", "", phrasing)
        elif rng.random() < SHARES["other marks"]:
            phrasing = phrasing.translate(dict(zip(map(ord, TITLE_MARKS), rng.choice(NAMES["other_marks"]))))
        if rng.random() < SHARES["lead"]:
            phrasing = rng.choice(LISTS["lead"]) + phrasing
        if rng.random() < SHARES["tail"]:
            phrasing += rng.choice(ending(topic.kind).tails)
        return phrasing

    def _fill(self, phrasing: str, topic: Entity) -> tuple[str, list[tuple[int, int, str]]]:
        """The text, and (start, end, id) of what is labelled in it."""
        rng, world = self.rng, self.seen if topic in self.seen.entities else self.unseen
        sites = [site for site in world.kinds["site"] if site.name.endswith(ending(topic.kind).site_types)]
        bindings: dict[str, Entity | str] = topic.facts | {
            topic.kind: topic, "site": rng.choice(sites), "n": str(rng.randint(5, 48)), "m": str(rng.randint(2, 9)),
            "month": str(rng.randint(1, 12)), "scene": rng.choice(LISTS["scene"]), "praise": rng.choice(LISTS["praise"]),
        }  # fmt: skip
        spellings = {  # a text that repeats a mention spells it the same
            slot: rng.choice(value.aliases) if value.aliases and rng.random() < SHARES["alias"] else value.name
            for slot, value in bindings.items()
            if isinstance(value, Entity)
        }
        text, words, mentions = "", "", []  # words: the text without the names
        for piece in re.split(r"({\w+})", phrasing):
            slot, start = piece.strip("{}"), len(text)
            if piece.startswith("{") and slot in spellings:
                entity = bindings[slot]
                text += spellings[slot]
                words += "\0" * len(spellings[slot])
                mentions.append((start, len(text), entity.id))
                if entity.kind == "programme":
                    town = entity.facts["town"]
                    within = text.index(town.name, start)
                    mentions.append((within, within + len(town.name), town.id))
            else:
                if piece.startswith("{") and slot not in bindings:
                    raise unknown_slot(phrasing, slot)
                text += bindings[slot] if piece.startswith("{") else piece
                words += "\0" * (len(text) - start) if piece.startswith("{") else piece
        for match in self.noun.finditer(words):
            if match[0] not in NOUNS["never"]:
                mentions.append((match.start(), match.end(), self.nouns[match[0]]))
        return text, sorted(mentions, key=lambda mention: (mention[0], -mention[1]))

    def _restyle(self, text: str) -> str:
        """Rarely letters and digits in full width, often letters in another case; offsets stay."""
        if re.search("[A-Za-z0-9]", text) is None:
            return text
        if self.rng.random() < SHARES["full width"]:
            return text.translate(FULL_WIDTH)
        if self.rng.random() < SHARES["letter case"]:
            return self.rng.choice((text.lower(), text.upper()))
        return text
