"""The generators of the bundled samples: one module for each contest, named like its folder in competitions/.

Such a module has `generate() -> Sample` and uses nothing but the standard library. Everything in it is invented; its random
numbers come from seeds of its own, so that it gives the same bytes every time. Modules that start with an underscore
hold what generators share, or the tables of one that would be too long. `scripts/make_samples.py` writes the files.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """`files`: name in sample/ -> text. `phrasings`: split -> the templates its sentences were made from, which the files do not show."""

    files: dict[str, str]
    phrasings: dict[str, set[str]]


def json_lines(records: Iterable[dict]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
