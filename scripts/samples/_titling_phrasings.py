"""What a domain of the title generation sample is made of: its stories, and the sentences around them.

{braces} are the bindings of `_titling_world.py`. Those of a story are the same in its telling and its title; every
sentence around it has its own, which must not get into the title. A bar | in a telling stands between two sentences
that another one may part.

A title says as much as the telling does: it is the first of the story's titles that has nothing that was not told. So
the telling decides which one it is. Its other words, {grown} for {risen} and the like, follow from what kind of story
it is.

Phrasings of dev and test only tell the same facts with cue words of the others.
"""

import re
from dataclasses import dataclass

from samples._tables import Pair, of, read_pairs, wrong
from samples._titling_world import CHANGES


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


def read_domains() -> dict[str, tuple[Domain, ...]]:
    """Section of the sample -> its domains."""
    pairs = read_pairs("seq2seq_titling/phrasings.tsv", "section", "domain", "story", "kind")
    sections: dict[str, tuple[Domain, ...]] = {}
    for key in dict.fromkeys((section, domain) for section, domain, _, _ in pairs):
        numbers = dict.fromkeys(story for *names, story, _ in pairs if tuple(names) == key and story != "any")
        stories = tuple(
            Story(of(pairs, *key, number, "title"), of(pairs, *key, number, "telling")) for number in numbers
        )
        for story in stories:
            for telling in story.tellings[0] + story.tellings[1]:
                if not fitting(story.titles[0], telling):
                    raise wrong(telling, "every title of the story says more than this telling does")
        domain = Domain(stories, of(pairs, *key, "any", "opening"), of(pairs, *key, "any", "detail"))
        sections[key[0]] = sections.get(key[0], ()) + (domain,)
    return sections


def facts(phrasing: str) -> set[str]:
    """The bindings that a telling or a title gives, whatever the words for a change."""
    return {"risen" if name in CHANGES else name for name in re.findall(r"{(\w+)}", phrasing)}


def fitting(titles: tuple[str, ...], telling: str) -> list[str]:
    """Those of the titles that say nothing that is not told."""
    return [title for title in titles if facts(title) <= facts(telling)]
