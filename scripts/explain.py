"""Why a run says what it says: which characters speak for it and which against it, by integrated gradients
(kexue.fm/archives/7533).

python scripts/explain.py runs/nl2sql/NAME --input dev.json
python scripts/explain.py runs/nl2sql/NAME --input dev.json --examples 100 --output why.jsonl

Below each text + stands under what speaks for the answer and - under what speaks against it, and then the pieces that
weigh most. Figures are in units of the output: of logits or logarithms of probabilities.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from common.command_line import UserError, check_at_least, display_width, parse_flags, printable, run
from common.process import start_tensorflow
from common.submission import check_output, json_bytes, write_lines

from contest_folders import inside, load
from live_runs import contest_run
from shown import gold, shown

# A character is marked, and belongs to a piece, from this share of the largest attribution of the example on.
_MARKED = 0.15
_PIECES = 8  # that are told of an example
_COLUMNS = 96


@dataclass
class Config:
    """Show which characters of its texts speak for the answer of a run and which against it."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run directory of any contest."""
    input: Path
    """Examples in the official format."""
    tables: Path | None = None
    """NL2SQL: the tables of the questions. Default: the file beside them, as for predict.py."""
    examples: int = 5
    """So many of them, the first ones."""
    gold: bool = False
    """Explain what is labelled, and not what the run answers."""
    output_number: int | None = None
    """Explain one part of the answer alone, from 1: a triple, an argument, a mention or its entity, a column or
    condition, a token of a title. Default: all of them together."""
    steps: int = 64
    """Gradients between the baseline and the example: the more, the more exact."""
    rule: Literal["gauss_legendre", "trapezoid"] = "gauss_legendre"
    """How gradients are added up: gauss_legendre is more exact by far."""
    baseline: Literal["zero", "mask"] = "zero"
    """What says nothing: zeros in place of all embeddings, or [MASK], of a light encoder the unknown token, in place of
    each token."""
    output: Path | None = None
    """Also write everything to this file, a JSON object for each example on a line."""

    def __post_init__(self):
        check_at_least(self, examples=1, steps=2, output_number=1)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints the explanations; returns the number of `examples` that had one, and the largest `error`."""
    config = parse_flags(Config, argv)
    trained = contest_run(config.run)
    task = trained.config["task"]
    if config.output:
        check_output(config.output)
    if config.tables and task != "nl2sql":
        raise UserError(f"--tables {config.tables}: is for NL2SQL, and the run is one of {task} - leave it out")
    examples = read_examples(trained, config)[: config.examples]

    start_tensorflow()  # now that flags and files have been looked at
    from explained import open_explained

    opened, errors = open_explained(config.run), []
    lines = explanations(opened, examples, config, errors)
    if config.output:
        write_lines(config.output, lines, ".jsonl")
        print(f"written to {config.output}")
    else:
        for _ in lines:
            pass
    print(
        f"{len(errors)} of {len(examples)} examples explained, largest error of completeness {max(errors, default=0):.2%}"
    )
    return {"examples": len(errors), "error": max(errors, default=0.0)}


def read_examples(trained: Any, config: Config) -> list[Any]:
    """Those of the input, labelled if they are to be explained as they are labelled."""
    name = trained.config["task"]
    with inside(name):
        task, labelled = load(name, "task"), True if config.gold else False
        if name == "nl2sql":
            return task.read(config.input, config.tables or task.tables_of(config.input), labelled=labelled)
        schemas = {"lic2020_relation_extraction": "schema.json", "lic2020_event_extraction": "event_schema.json"}
        schema = [task.Schema.read(trained.file(schemas[name]))] if name in schemas else []
        return task.read(config.input, *schema, labelled=labelled)


def explanations(opened: Any, examples: Sequence[Any], config: Config, errors: list[float]) -> Iterator[bytes]:
    """Prints the explanation of each example, and yields its line of JSON. errors: gets one for each that has any."""
    from explained import explain, outputs

    for number, example in enumerate(examples, start=1):
        about = shown(opened.task, example)
        answer = gold(opened.task, example) if config.gold else opened.answers([example])[0].record
        names = outputs(opened, example, answer)
        which = None if config.output_number is None else config.output_number - 1
        print()
        print(printable(f"{number}  {about.name}".rstrip()))
        for at, name in enumerate(names):
            print(printable(f"   {'>' if which in (None, at) else ' '} {at + 1}  {name}"))
        if not names or (which or 0) >= len(names):
            print(f"   nothing to explain: the answer has {len(names)} outputs")
            continue
        found = explain(opened, example, answer, which, config.steps, config.rule, config.baseline)
        errors.append(found.error)
        print(f"   f {found.value:.3f}, of the baseline {found.baseline:.3f}, error of completeness {found.error:.2%}")
        texts = [(name, text, values) for (name, text), values in zip(about.texts, found.texts)]
        for line in told(texts):
            print(f"   {line}")
        yield json_bytes(
            {
                "name": about.name,
                "output": found.output,
                "value": found.value,
                "baseline": found.baseline,
                "error": found.error,
                "elsewhere": found.elsewhere,
                "texts": [
                    {"name": name, "text": text, "attributions": [round(value, 6) for value in values.tolist()]}
                    for name, text, values in texts
                ],
            }
        )


def told(texts: Sequence[tuple[str, str, np.ndarray]]) -> list[str]:
    """Lines of (name, text, attributions) for a terminal: texts with marks below, and the pieces that weigh most."""
    least = _MARKED * max((float(np.abs(values).max(initial=0)) for *_, values in texts), default=0.0)
    lines, pieces = [], []
    for name, text, values in texts:
        signs = [0 if abs(value) < least or not value else (1 if value > 0 else -1) for value in values.tolist()]
        lines += [f"{name}:", *_marked(text, signs)]
        pieces += _pieces(text, values, signs)
    heaviest = sorted(pieces, key=lambda piece: -abs(piece[0]))[:_PIECES]
    return [*lines, "  ".join(f"{value:+.2f} {piece}" for value, piece in heaviest)]


def _marked(text: str, signs: Sequence[int]) -> Iterator[str]:
    """Lines of at most _COLUMNS, each with its marks below where it has any."""
    line, marks = "", ""
    for character, sign in zip(text, signs):
        shown_as = printable(character)
        width = display_width(shown_as)
        if display_width(line) + width > _COLUMNS:
            yield from _both(line, marks)
            line, marks = "", ""
        line += shown_as
        marks += " -+"[sign and (2 if sign > 0 else 1)] * width
    yield from _both(line, marks)


def _both(line: str, marks: str) -> list[str]:
    return [f"  {one.rstrip()}" for one in (line, marks) if one.strip()]


def _pieces(text: str, values: np.ndarray, signs: Sequence[int]) -> list[tuple[float, str]]:
    """Marked characters side by side of one sign, with the sum of their attributions."""
    found = []
    for sign, group in groupby(range(len(text)), key=lambda at: signs[at]):
        places = list(group)
        if sign:
            first, last = places[0], places[-1] + 1
            found.append((float(values[first:last].sum()), printable(text[first:last])))
    return found


if __name__ == "__main__":
    run(main)
