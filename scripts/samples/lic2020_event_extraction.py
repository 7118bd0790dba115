"""The sample of lic2020_event_extraction, in the format of DuEE 1.0: train.json, dev.json, test.json,
event_schema.json.

What a text says is labelled completely, by these rules, which are those of the contest's own data where it has one:

- One event for each thing that happened, with the trigger word that says so; two matches are two events.
- An argument starts where `argument_start_index` says, which need not be the first place with the same words.
- A span may have roles in two events, or hold another argument: somebody who leaves a firm is called the CEO of that firm.
- An alias is another name of the argument in the same text.

Half of the names and values and of the phrasings of dev and test do not occur in train: see UNSEEN.
"""

import hashlib
import random
import re
from dataclasses import dataclass, field

from samples import Sample, json_lines
from samples._event_phrasings import AROUND, SCENES, SCHEMA, Scene
from samples._event_world import LISTS, World
from samples._tables import fill
from samples._templates import FULL_WIDTH

COUNTS = {"train": 400, "dev": 100, "test": 60}
#: In dev and test, the share of phrasings that train does not have. Their names are new; some of their values are not.
UNSEEN = 0.68
SHARES = {"two scenes": 0.05, "lead": 0.2, "tail": 0.3, "headline": 0.16, "full width": 0.03}
STOP = LISTS["stop"][0]
LENGTHS, LONG_LENGTHS = range(10, 121), range(150, 301)


def generate() -> Sample:
    taken: set[str] = set()
    texts: set[str] = set()
    files, phrasings = {}, {}
    seen: World | None = None
    for split, count in COUNTS.items():
        writer = Writer(random.Random(f"event {split}"), taken, seen)
        lines = []
        while len(lines) < count:
            line = writer.write(long=len(lines) % 16 == 9)
            if line["text"] not in texts:
                texts.add(line["text"])
                lines.append(line)
        phrasings[split] = set(writer.uses)
        seen = seen or writer.world
        files[f"{split}.json"] = json_lines(
            {"text": line["text"], "id": line["id"]} if split == "test" else line for line in lines
        )
    files["event_schema.json"] = json_lines(
        {
            "event_type": event_type,
            "role_list": [{"role": role} for role in roles],
            "id": hashlib.md5(event_type.encode()).hexdigest(),
            "class": event_type.partition("-")[0],
        }
        for event_type, roles in SCHEMA.items()
    )
    return Sample(files, phrasings)


@dataclass
class Report:
    """A phrasing filled in: its text, (start, end) of what the braces and brackets labelled, of the triggers, and the
    names mentioned."""

    text: str = ""
    labelled: dict[str, tuple[int, int]] = field(default_factory=dict)
    triggers: list[tuple[int, int]] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)


def report_of(phrasing: str, bindings: dict[str, str]) -> Report:
    report, opened, triggers = Report(), [], {}
    for piece in re.split(r"(\{=?\w+\}|\[\w+:|\]|<[^>]+>)", phrasing):
        start = len(report.text)
        if piece.startswith("{"):
            name = piece.strip("{=}")
            report.text += bindings[name]
            if piece[1] == "=":
                report.mentioned.add(name)
            else:
                report.labelled[name] = (start, len(report.text))
        elif piece.startswith("["):
            opened.append((piece[1:-1], start))
        elif piece == "]":
            name, start = opened.pop()
            report.labelled[name] = (start, len(report.text))
        elif piece.startswith("<"):
            number = 2 if piece[1] == "2" else 1
            report.text += piece.strip("<2>")
            triggers[number] = (start, len(report.text))
        else:
            report.text += piece
    report.triggers = [triggers[number] for number in sorted(triggers)]
    return report


class Writer:
    """Writes the texts of one split, using each scene and phrasing about as often as its weight asks for."""

    def __init__(self, rng: random.Random, taken: set[str], seen: World | None):
        self.rng, self.held_out = rng, seen is not None
        self.world = World(rng, taken, seen)
        self.uses: dict[str, int] = {}

    def write(self, long: bool) -> dict:
        while True:
            uses = dict(self.uses)
            line = self._draft(long)
            if line is not None and len(line["text"]) in (LONG_LENGTHS if long else LENGTHS):
                return line
            self.uses = uses

    def _draft(self, long: bool) -> dict | None:
        rng = self.rng
        scenes = [self._scene() for _ in range(2 if long or rng.random() < SHARES["two scenes"] else 1)]
        if len(scenes) == 2 and not long and rng.random() < 0.6:
            scenes[1] = scenes[0]  # two of the same kind
        around = self.world.bystanders()
        headline = not long and len(scenes) == 1 and rng.random() < SHARES["headline"]
        text = fill(rng.choice(AROUND["lead"]), around) if not headline and rng.random() < SHARES["lead"] else ""
        backgrounds = rng.sample(AROUND["background"], len(AROUND["background"]))
        events: list[dict] = []
        for number, name in enumerate(scenes):
            text += rng.choice(LISTS["between_scenes"]) if number else ""
            if long and rng.random() < 0.6:
                text += fill(backgrounds.pop(), self.world.bystanders()) + STOP
            phrasing = self._choose(SCENES[name])
            bindings = self.world.bindings(phrasing)
            report = report_of(phrasing, bindings)
            events += label(SCENES[name], report, bindings, len(text))
            text += report.text
        if long:
            for _ in range(rng.randint(1, 3)):
                text += STOP + fill(backgrounds.pop(), self.world.bystanders())
        elif not headline and rng.random() < SHARES["tail"]:
            text += rng.choice(LISTS["before_tail"]) + fill(rng.choice(AROUND["tail"]), around)
        if not headline and text[-1] not in LISTS["ended"]:
            text += rng.choice(LISTS["ending"])
        if rng.random() < SHARES["full width"]:
            text = text.translate(FULL_WIDTH)
            for event in events:
                event["trigger"] = event["trigger"].translate(FULL_WIDTH)
                for argument in event["arguments"]:
                    argument["argument"] = argument["argument"].translate(FULL_WIDTH)
                    argument["alias"] = [alias.translate(FULL_WIDTH) for alias in argument["alias"]]
        return {"text": text, "id": f"{rng.getrandbits(128):032x}", "event_list": events}

    def _scene(self) -> str:
        """A scene, rather one that was used rarely for its weight."""
        done = {
            name: sum(self.uses.get(phrasing, 0) for phrasing in scene.phrasings + scene.held_out)
            for name, scene in SCENES.items()
        }
        return self.rng.choices(
            list(SCENES), [(scene.weight / (1 + done[name])) ** 3 for name, scene in SCENES.items()]
        )[0]

    def _choose(self, scene: Scene) -> str:
        """A phrasing, rather a rarely used one; dev and test repeat only every second of those of all splits."""
        phrasings = scene.phrasings
        if self.held_out:
            phrasings = scene.held_out if self.rng.random() < UNSEEN else phrasings[::2]
        phrasing = self.rng.choices(phrasings, [(1 + self.uses.get(phrasing, 0)) ** -2 for phrasing in phrasings])[0]
        self.uses[phrasing] = self.uses.get(phrasing, 0) + 1
        return phrasing


def label(scene: Scene, report: Report, bindings: dict[str, str], offset: int) -> list[dict]:
    """The events of a scene, as in train.json, for a report that starts at `offset` of the text."""
    events = []
    for (event_type, roles), (first, last) in zip(scene.events, report.triggers, strict=True):
        arguments = []
        for name, role in roles.items():
            if name in report.labelled:
                start, end = report.labelled[name]
                alias = f"{name}_short"
                arguments.append({
                    "argument_start_index": offset + start,
                    "role": role,
                    "argument": report.text[start:end],
                    "alias": [bindings[alias]] if alias in report.mentioned and bindings[alias] != bindings[name] else [],
                })  # fmt: skip
        events.append({
            "event_type": event_type,
            "trigger": report.text[first:last],
            "trigger_start_index": offset + first,
            "arguments": sorted(arguments, key=lambda argument: argument["argument_start_index"]),
            "class": event_type.partition("-")[0],
        })  # fmt: skip
    return events
