"""What a domain of the question answering samples is made of: the phrasings of its paragraphs and questions.

{braces} are the bindings that `_reading_world.py` gives a topic; a fact has the name of the binding that answers it.
{it} is the topic, by its name or a pronoun; {name} its name. {other...} are bystanders: values of the types of answers
that answer nothing; fillers say only such things, and echoes mention an answer where nothing tells that it is one.
[Brackets] stand around a longer answer that is right as well.

The phrasings of dev and test only use cue words of the others in other constructions, as paraphrases do; about one
question in ten has other words for what the paragraph says.
"""

import re
from dataclasses import dataclass

from samples._names import NAMES
from samples._tables import Pair, of, read_lists, read_pairs

LISTS = read_lists("lic2020_reading_comprehension/words.tsv", NAMES)
#: A question has one of these; a search query has none.
QUESTION_WORDS = re.compile("|".join(LISTS["question_word"]))


@dataclass(frozen=True)
class Fact:
    """Phrasings of the sentences that tell it, and of the questions that ask for it: of all splits, and of dev and test
    only."""

    sentences: tuple[str, ...]
    held_out_sentences: tuple[str, ...]
    questions: tuple[str, ...]
    held_out_questions: tuple[str, ...]

    def held_out(self) -> tuple[str, ...]:
        """The questions of dev and test only, and other forms of the search queries of train."""
        queries = [
            question.removeprefix("{name}") for question in self.questions if not QUESTION_WORDS.search(question)
        ]
        return self.held_out_questions + tuple(form + query for query in queries for form in LISTS["query_form"])


@dataclass(frozen=True)
class Domain:
    it: tuple[str, ...]
    openings: Pair
    fillers: tuple[str, ...]
    echoes: tuple[str, ...]
    facts: dict[str, Fact]


def read_domains(file: str) -> dict[str, Domain]:
    """The domains of a file: what is not about a fact is about the topic."""
    pairs = read_pairs(file, "domain", "about", "kind")
    domains = {}
    for name in dict.fromkeys(domain for domain, _, _ in pairs):
        facts = dict.fromkeys(about for domain, about, _ in pairs if domain == name and about != "topic")
        domains[name] = Domain(
            of(pairs, name, "topic", "pronoun")[0],
            of(pairs, name, "topic", "opening"),
            of(pairs, name, "topic", "filler")[0],
            of(pairs, name, "topic", "echo")[0],
            {fact: Fact(*of(pairs, name, fact, "sentence"), *of(pairs, name, fact, "question")) for fact in facts},
        )
    return domains


DOMAINS = read_domains("lic2020_reading_comprehension/phrasings.tsv")


def begins_with_topic(phrasing: str) -> bool:
    """Whether the topic is the subject that a phrasing begins with, which can be left out."""
    return phrasing.startswith("{it}") and not phrasing.startswith(LISTS["not_subject"])
