"""What stands in the cells of the nl2sql sample, and how people say it."""

import random
import re

from samples._names import DIGITS, NAMES, Names
from samples._nl2sql_world import LISTS
from samples._tables import fill, rows
from samples._templates import read_recipes

RECIPES = read_recipes("nl2sql/recipes.tsv", NAMES | LISTS)
#: Kind of names -> their first and last parts.
PARTS = {
    row["name"]: (row.words("first"), row.words("last")) for row in rows("nl2sql/names.tsv", "name", "first", "last")
}
#: What is left out in speech, one after the other: (pattern, replacement).
SHORTER = [
    (row.pattern("pattern"), row["replacement"]) for row in rows("nl2sql/shorter.tsv", "pattern", "replacement?")
]
#: Characters that are mistaken for others.
SLIPS = dict(LISTS["slip"])
(YEAR,), (HOUR,), (MINUTE,), (HALF,) = (LISTS[name] for name in ("year", "hour", "minute", "half"))
#: The largest scale first, 10^8 and 10^4.
SCALES = dict(zip(LISTS["scale"], (10**8, 10**4), strict=True))
LARGEST, LARGE = LISTS["scale"]
ZERO, TWO, POINT, MINUS, PER_CENT = LISTS["number_word"]
YUAN, PIECE, PIECES = LISTS["money"]


class Cells:
    """Makes the cells of one split; names are new in every table but not in the world."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.templates = Names(rng, set(), LISTS, RECIPES).templates
        self.templates.makers |= {"with_commas": lambda number: f"{int(number):,}"}

    def make(self, kind: str) -> str:
        rng = self.rng
        if kind in RECIPES:
            return self.templates.text(kind)
        first, last = PARTS[kind]
        joint = " " if kind in ("phone", "car") and rng.random() < 0.4 else ""
        place = self.templates.record("surroundings")
        return fill(rng.choice(first) + joint + rng.choice(last), place)


def spoken_text(rng: random.Random, cell: str) -> str:
    """How somebody may put the text of a cell without keeping to it."""
    years = re.fullmatch(rf"(19[5-9]|20[01])(\d)({YEAR}.*|)", cell)
    if years:
        short, rest = years[1][2] + years[2], years[3] or YEAR
        return rng.choice((short, "".join(DIGITS[int(digit)] for digit in short))) + rest
    shorter = cell
    for pattern, replacement in SHORTER:
        shorter = pattern.sub(replacement, shorter)
    if cell.replace(",", "").replace(".", "").isdigit() and "," in cell:
        return cell.replace(",", "")
    clock = re.fullmatch(r"(\d+):(\d\d)", cell)
    if clock:
        return clock[1] + HOUR + {"00": "", "30": HALF}.get(clock[2], clock[2] + MINUTE)
    if shorter != cell and len(shorter) > 1:
        return shorter
    if " " in cell:
        return cell.replace(" ", "").lower() if rng.random() < 0.5 else cell.replace(" ", "")
    if re.search("[A-Z]", cell):
        return cell.lower()
    slips = [place for place, character in enumerate(cell) if character in SLIPS]
    if slips and len(cell) >= 4:
        place = rng.choice(slips)
        return cell[:place] + SLIPS[cell[place]] + cell[place + 1 :]
    return cell[:-2] + cell[-1] if len(cell) >= 5 and not re.search("[0-9]", cell) else cell


def spoken_integer(number: int) -> str:
    """0 to 99,999,999 in Chinese numerals, as people say it: with the word for a pair before hundreds and more."""
    if number >= 10000:
        high, low = divmod(number, 10000)
        rest = (ZERO if low < 1000 else "") + spoken_integer(low) if low else ""
        return (TWO if high == 2 else spoken_integer(high)) + LARGE + rest
    text, zero = "", False
    for power, name in zip((1000, 100, 10, 1), LISTS["small_power"], strict=True):
        digit = number // power % 10
        if digit:
            word = TWO if digit == 2 and power >= 100 else DIGITS[digit]
            text += (ZERO if zero and text else "") + word + name
            zero = False
        else:
            zero = True
    return text.removeprefix(DIGITS[1]) if 10 <= number < 20 else text or ZERO


def numeral(value: str) -> str:
    whole, _, fraction = value.lstrip("-").partition(".")
    text = spoken_integer(int(whole)) + (POINT + "".join(DIGITS[int(digit)] for digit in fraction) if fraction else "")
    return (MINUS if value.startswith("-") else "") + text


def spoken_number(rng: random.Random, value: float, unit: str, freely: bool) -> str:
    """A number with its unit; `freely`: in Chinese numerals or in another unit."""
    text, scale = f"{value:.10g}", unit[:1] if unit[:1] in SCALES else ""
    noun = unit.removeprefix(scale).partition("/")[0]
    if noun == "%":
        if freely and value > 0:
            return PER_CENT + numeral(text)
        return text + ("%" if rng.random() < 0.75 else "")
    total = value * SCALES.get(scale, 1)
    larger = [(f"{total / size:.10g}", name) for name, size in SCALES.items() if total >= size and name != scale]
    larger = [(number, name) for number, name in larger if len(number.replace(".", "")) <= 4 and float(number) < 10000]
    if larger and rng.random() < (0.8 if freely else 0.25):
        number, name = larger[0]
        return (
            number + name + rng.choice((noun, ""))
            if rng.random() < 0.7
            else (numeral(number) if number != "2" else TWO) + name + noun
        )
    if freely and value > 0:
        if noun == YUAN and not scale and re.fullmatch(r"\d+\.[1-9]", text):
            return f"{numeral(text.split('.')[0])}{PIECE}{DIGITS[int(text[-1])]}".replace(*LISTS["two_pieces"])
        if len(text.replace(".", "").rstrip("0")) <= 3 and not (scale and value >= 10000) and (unit or value >= 10):
            number = TWO if text == "2" else numeral(text)
            return (
                number
                + scale
                + (noun.replace(YUAN, PIECE) if noun == YUAN and not scale and rng.random() < 0.5 else noun)
            )
    if noun == YUAN and not scale and rng.random() < 0.3:
        noun = rng.choice((PIECE, PIECES))
    return text + rng.choices((scale + noun, scale, ""), (60, 20 if scale else 0, 6 if scale else 25))[0]
