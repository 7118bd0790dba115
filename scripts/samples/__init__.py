"""The generators of the bundled samples: one module for each contest, named like its folder in competitions/.

Such a module has `generate() -> Sample` and uses nothing but the standard library and `common`. Everything in it is
invented; its random numbers come from seeds of its own, so that it gives the same bytes every time. Modules that start
with an underscore hold what generators share, or the world that one talks about. Words and phrasings are in data/, see
`_tables.py` for how they are written and `_templates.py` for what fills them. `scripts/make_samples.py` writes the
files.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # for `common`, which reads the data files
    sys.path.append(str(ROOT))


@dataclass(frozen=True)
class Sample:
    """`files`: name in sample/ -> text. `phrasings`: split -> the templates its sentences were made from, which the
    files do not show."""

    files: dict[str, str]
    phrasings: dict[str, set[str]]


def json_lines(records: Iterable[dict]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
