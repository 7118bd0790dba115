"""What the WebQA sample talks about besides the topics of the reading comprehension sample, and how else an answer may
be written."""

import random
import re

from samples import _reading_world
from samples._names import JOINT, NAMES, chinese_number
from samples._reading_phrasings import DOMAINS as READING_DOMAINS
from samples._reading_phrasings import LISTS as READING_LISTS
from samples._reading_phrasings import read_domains
from samples._tables import read_lists
from samples._templates import read_recipes

LISTS = READING_LISTS | read_lists("webqa_dgcnn/words.tsv", NAMES)
RECIPES = read_recipes("webqa_dgcnn/recipes.tsv", NAMES | LISTS)
DOMAINS = read_domains("webqa_dgcnn/phrasings.tsv")

#: The facts whose answer has several parts.
PARTED = {"singers", "settings", "towns", "food", "kit"}
_DAY = re.compile(LISTS["day_pattern"][0])
_COUNTED = re.compile(f"(\\D+)([{''.join(LISTS['counted'])}])")
_CHINESE_NUMBERS = {chinese_number(number): str(number) for number in range(1, 100)}


class WebWorld(_reading_world.World):
    """Records by domain, of the reading comprehension sample and of this one; `scale` 1 gives each domain 14."""

    def __init__(self, seed: str, taken: set[str], scale: float):
        super().__init__(seed, taken, scale, [*READING_DOMAINS, *DOMAINS], LISTS, _reading_world.RECIPES | RECIPES)


def spellings(key: str, value: str) -> tuple[str, ...]:
    """All that is right in place of the value of a fact: its usual spelling first, each once."""
    if key == "motto":
        halves = re.split(LISTS["motto_break"][0], value)
        return tuple(dict.fromkeys((value, *(separator.join(halves) for separator in LISTS["motto_joint"]))))
    if key in PARTED:
        first, *rest = value.split(JOINT)
        if not rest:
            return (value,)
        joined = JOINT.join((first, *rest[:-1])) + LISTS["and"][0] + rest[-1]
        return (value, joined, JOINT.join((rest[0], first, *rest[1:])), " ".join((first, *rest)))
    value = value.strip("".join(NAMES["title_mark"]))
    others: list[str] = []
    if "·" in value:
        others.append(value.partition("·")[2])
    if (counted := _COUNTED.fullmatch(value)) and counted[1] in _CHINESE_NUMBERS:
        others.append(_CHINESE_NUMBERS[counted[1]] + counted[2])
    if day := _DAY.fullmatch(value):
        year, month, number = day.groups()
        others += [style.format(year=year, month=month, day=number) for style in LISTS["day_style"]]
    if measured := re.fullmatch(r"([\d.]+)(\D+)", value):
        others += [measured[1] + unit for unit in LISTS.get(f"same_unit.{measured[2]}", ())]
    if re.fullmatch(LISTS["town_pattern"][0], value):
        others.append(value[:2])
    return tuple(dict.fromkeys((value, *others)))


def altered(rng: random.Random, value: str) -> str:
    """A year a few years off in place of the value's; the value itself if it begins with none."""
    year = re.match(LISTS["year_pattern"][0], value)
    if not year:
        return value
    return str(int(year[0]) + rng.choice((-5, -4, -3, -2, -1, 1, 2, 3))) + value[4:]
