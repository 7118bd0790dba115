"""The sample of seq2seq_titling, JSON lines of {"title", "content"}: train.json, dev.json, and test.json without
titles.

About half of the texts are short news, the others abstracts of papers. Every text is made of a story with its title and
of sentences around it that are of the same domain but of other people and places, by these rules:

- What the title is about is told at the beginning, in the middle or at the end of the text, often in another order.
- The telling decides which facts belong in the title; all else in the text is about other things.
- Part of a title is in other words than the text's: {dearer} for {risen}, the start of the works for the first pile.

Half of the names and of the phrasings of dev and test do not occur in train: see `_titling_world.py` and
`_choosing.py`.
"""

import random

from samples import Sample, json_lines
from samples._choosing import Chooser
from samples._tables import Pair, fill
from samples._titling_phrasings import Domain, Story, facts, fitting, read_domains
from samples._titling_world import World

SECTIONS = read_domains()
NEWS, PAPERS = SECTIONS["news"], SECTIONS["papers"]
COUNTS = {"train": 600, "dev": 100, "test": 60}
#: In dev and test, the share of titles in a form that train does not have, where there is such a one.
UNSEEN_TITLES = 0.5
#: How many sentences stand around a telling, how many of them before it, and how often another one parts it.
AROUND, BEFORE, PARTED = (2, 2, 3, 3, 4), (0, 0, 0, 1, 2), 0.4
LENGTHS, TITLE_LENGTHS = range(60, 221), range(8, 27)


def generate() -> Sample:
    texts: set[str] = set()
    files, phrasings = {}, {}
    seen: World | None = None
    for split, count in COUNTS.items():
        writer = Writer(random.Random(f"titling {split}"), split, seen)
        examples = []
        while len(examples) < count:
            example = writer.write((NEWS, PAPERS)[len(examples) % 2])
            if example["content"] not in texts:
                texts.add(example["content"])
                examples.append(example)
        writer.rng.shuffle(examples)
        seen, phrasings[split] = seen or writer.world, set(writer.uses)
        files[f"{split}.json"] = json_lines(
            {"content": example["content"]} if split == "test" else example for example in examples
        )
    return Sample(files, phrasings)


class Writer(Chooser):
    """Writes the texts of one split with their titles."""

    def __init__(self, rng: random.Random, split: str, seen: World | None):
        super().__init__(rng, split)
        self.world = World(rng, seen)

    def write(self, domains: tuple[Domain, ...]) -> dict[str, str]:
        while True:
            uses = dict(self.uses)
            example = self._draft(domains)
            if len(example["content"]) in LENGTHS and len(example["title"]) in TITLE_LENGTHS:
                return example
            self.uses = uses

    def _draft(self, domains: tuple[Domain, ...]) -> dict[str, str]:
        rng = self.rng
        domain, story = self._story(domains)
        telling = self.phrasing(*story.tellings)
        title, taken = self._title(story.titles, telling), set[str]()
        bindings = self.world.bindings(telling, taken)
        sentences = fill(telling, bindings).split("|")
        if len(sentences) > 1 and rng.random() < PARTED:
            # In an abstract results come last, so what parts a telling is its background.
            sentences.insert(1, self._around(domain.details if domain in NEWS else domain.openings, taken))
        around, before = rng.choice(AROUND), rng.choice(BEFORE)
        sentences = [self._around(domain.openings, taken) for _ in range(before)] + sentences
        sentences += [self._around(domain.details, taken) for _ in range(around - before)]
        return {"title": fill(title, bindings), "content": "".join(sentences)}

    def _story(self, domains: tuple[Domain, ...]) -> tuple[Domain, Story]:
        """Rather one that was told rarely, with its domain."""
        stories = [(domain, story) for domain in domains for story in domain.stories]
        told = [sum(self.uses.get(telling, 0) for telling in sum(story.tellings, ())) for _, story in stories]
        return self.rng.choices(stories, [(1 + count) ** -3 for count in told])[0]

    def _title(self, titles: Pair, telling: str) -> str:
        """The first one that says no more than the telling; in dev and test often one that says as much and that train
        does not have."""
        first, *_ = fitting(titles[0], telling)
        others = [title for title in fitting(titles[1], telling) if facts(title) >= facts(first)]
        new = self.split != "train" and others and self.rng.random() < UNSEEN_TITLES
        return self.use(others[0] if new else first)

    def _around(self, pair: Pair, taken: set[str]) -> str:
        """A sentence that the text does not have yet, about things that it does not have either."""
        while (phrasing := self.phrasing(*pair)) in taken:
            pass
        taken.add(phrasing)
        return fill(phrasing, self.world.bindings(phrasing, taken))
