"""What a domain of the reading comprehension sample is made of: the phrasings of its paragraphs and questions.

{braces} are the bindings that `_reading_world.py` gives a topic; a fact has the name of the binding that answers it. {it} is the
topic, by its name or a pronoun; {name} its name. {other...} are bystanders: values of the types of answers that answer nothing;
fillers say only such things, and echoes mention an answer where nothing tells that it is one.
[Brackets] stand around a longer answer that is right as well.

Pairs are (phrasings of all splits, phrasings of dev and test only). The latter use cue words of the former in other constructions, as
paraphrases do; about one question in ten has other words for what the paragraph says.
"""

import re
from dataclasses import dataclass

#: A question has one of these; a search query has none.
QUESTION_WORDS = re.compile("谁|什么|哪|多少|多大|多长|多高|多重|多快|多久|几|何|怎么")


@dataclass(frozen=True)
class Fact:
    """Phrasings of the sentences that tell it, and of the questions that ask for it: of all splits, and of dev and test only."""

    sentences: tuple[str, ...]
    held_out_sentences: tuple[str, ...]
    questions: tuple[str, ...]
    held_out_questions: tuple[str, ...]

    def held_out(self) -> tuple[str, ...]:
        """The questions of dev and test only, and other forms of the search queries of train."""
        queries = [question.removeprefix("{name}") for question in self.questions if not QUESTION_WORDS.search(question)]
        return self.held_out_questions + tuple(form + query for query in queries for form in ("{name} ", "想了解{name}"))


@dataclass(frozen=True)
class Domain:
    it: tuple[str, ...]
    openings: tuple[tuple[str, ...], tuple[str, ...]]
    fillers: tuple[str, ...]
    echoes: tuple[str, ...]
    facts: dict[str, Fact]
