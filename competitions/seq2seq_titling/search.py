"""How titles are searched for: the setting, and its choice on dev."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from common.dev_search import Found, search

from metric import score
from task import Example

#: Length penalties that are tried on dev.
LENGTH_PENALTIES = (0.0, 0.5, 1.0, 1.5)


class Search(NamedTuple):
    """width: hypotheses of the beam; 1 is greedy search. votes: titles that are drawn, with this temperature; then the
    title that is most like all of them and the beam's wins, instead of the most probable one. The others are those of
    common.decoders.Rules."""

    width: int = 1
    length_penalty: float = 1.0
    min_length: int = 1
    no_repeat_ngram: int = 0
    votes: int = 0
    temperature: float = 0.7

    def but(self, **changes: float | None) -> "Search":
        """The same with all changes that are not None."""
        return self._replace(**{name: value for name, value in changes.items() if value is not None})

    def __str__(self) -> str:
        return (
            ", ".join(
                f"{name.replace('_', ' ')} {value:g}"
                for name, value in self._asdict().items()
                if value != Search._field_defaults[name]
            )
            or "greedy"
        )


def choose(
    examples: Sequence[Example], write: Callable[[Search], Sequence[str]], width: int, votes: int, seed: int
) -> tuple[Found, list[Sequence[str]]]:
    """The search with the highest rouge-l on dev: greedy search, a beam with one of LENGTH_PENALTIES, or a vote; and
    the titles that it writes.

    write: titles of all examples by a search. `Found.f1` is the mean rouge-l here.
    """
    settings = [
        Search(),
        *(Search(width, penalty) for penalty in LENGTH_PENALTIES if width > 1),
        *([Search(width, votes=votes)] if votes else []),
    ]
    written = [write(setting) for setting in settings]
    scores = [[score(example.title, title).rouge_l for example, title in zip(examples, titles)] for titles in written]
    found = search(settings, np.array(scores)[..., None], lambda total: float(total[0]) / len(examples), seed)
    return found, written[settings.index(found.setting)]
