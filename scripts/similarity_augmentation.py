"""`similar_questions.py augment`: write the training file of a contest once more, with other questions.

python scripts/similar_questions.py augment --input train.json --field question --output more.json
python competitions/nl2sql/train.py --data-dir TABLEQA --extra more.json
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_given, parse_flags, print_counts, run
from common.json_document import read_json_records
from common.new_folder import check_new
from common.process import start_tensorflow
from common.similarity.augmentation import augmented, questions_of
from common.similarity.drawing import Drawing
from common.submission import atomic_write, json_bytes, read_bytes, write_lines

from similarity_networks import NetworkOptions
from similarity_writing import writings


@dataclass
class Config:
    """Write the training file of a contest once more, with other questions and the same labels."""

    input: Path | None = None
    """Training file of a contest: one JSON value, or an object on each line."""
    output: Path | None = None
    """File to be made, in the same format: train.py takes it by --extra."""
    field: str = "question"
    """Key of the questions, wherever it stands."""
    drawing: Drawing = dataclasses.field(default_factory=lambda: Drawing(kept=1))
    network: NetworkOptions = dataclasses.field(default_factory=NetworkOptions)

    def __post_init__(self):
        check_given(self, "input", "output")


def main(argv: Sequence[str] | None = None) -> dict[str, int]:
    """Writes the file; returns how many `questions` there were and how many stand in the new file, `written`."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    values = read(config.input, config.field)
    questions = [text for value in values for text in questions_of(value, config.field)]
    if not questions:
        raise UserError(
            f"{config.input}: has no string under {config.field!r} - name the key of the questions by --field"
        )
    config.network.check(writes=True)

    start_tensorflow()  # now that flags and files have been looked at
    network = config.network.open(writes=True)
    written = {
        text: [one.text for one in candidates]
        for text, candidates in writings(network, dict.fromkeys(questions), config.drawing)
    }
    counts: Counter[str] = Counter()
    found = [copy for value in values for copy in augmented(value, config.field, written, counts)]
    if not found:
        raise UserError(
            f"{config.input}: nothing was written that fits - lower --least-cosine, or draw more by --count"
        )
    is_document = config.field not in found[0]
    if is_document:
        atomic_write(config.output, json_bytes(found[0]) + b"\n")
    else:
        write_lines(config.output, map(json_bytes, found), ".json")
    figures = {
        "questions": len(questions),
        "written": sum(1 for value in found for _ in questions_of(value, config.field)),
    }
    print(f"{figures['written']:,} questions in place of {figures['questions']:,}, written to {config.output}")
    print_counts(counts)
    return figures


def read(path: Path, key: str) -> list[Any]:
    """The records of a file that has a list of them or one on each line; of any other JSON its one value."""
    try:
        root = json.loads(read_bytes(path))
    except ValueError:
        root = None
    if isinstance(root, dict) and key not in root:
        return [root]
    return [record.value for record in read_json_records(path)]


if __name__ == "__main__":
    run(main)
