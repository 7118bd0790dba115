"""What a domain of the title generation sample is made of: its stories, and the sentences around them.

{braces} are the bindings of `_titling_world.py`. Those of a story are the same in its telling and its title; every sentence around it has
its own, which must not get into the title. A bar | in a telling stands between two sentences that another one may part.

A title says as much as the telling does: it is the first of the story's titles that has nothing that was not told. So the telling
decides which one it is. Its other words ({grown} for {risen}, 开工, 研究进展, ...) follow from what kind of story it is.

Pairs are (phrasings of all splits, phrasings of dev and test only). The latter tell the same facts with cue words of the former.
"""

import re
from dataclasses import dataclass

from samples._titling_world import WORDINGS

Pair = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Story:
    titles: Pair
    tellings: Pair


@dataclass(frozen=True)
class Domain:
    """`openings` stand before a telling, `details` after it or between its sentences."""

    stories: tuple[Story, ...]
    openings: Pair
    details: Pair


def facts(phrasing: str) -> set[str]:
    """The bindings that a telling or a title gives, whatever the words for a change."""
    return {"risen" if name in WORDINGS else name for name in re.findall(r"{(\w+)}", phrasing)}


def fitting(titles: tuple[str, ...], telling: str) -> list[str]:
    """Those of the titles that say nothing that is not told."""
    return [title for title in titles if facts(title) <= facts(telling)]
