"""What counting alone reaches, without any network: the line to beat."""

from collections import Counter
from collections.abc import Sequence

from common.tokenizers import longest_matches

from habits import Habits
from knowledge_base import KnowledgeBase, NameMatch
from task import Mention


def link_by_counting(
    texts: Sequence[str], matches: Sequence[Sequence[NameMatch]], knowledge_base: KnowledgeBase, habits: Habits
) -> list[list[Mention]]:
    """The longest names of each text, save those that training labels too seldom (`Habits.labels_most`), each as its
    commonest entity there, or as the first of the knowledge base where training never labelled it."""
    found = []
    for text, of_text in zip(texts, matches):
        kept = [match for match in of_text if habits.labels_most(match.name)]
        mentions = []
        for start, end, name in longest_matches(kept, len(text)):
            commonest = habits.entities.get(name, Counter()).most_common(1)
            entity = commonest[0][0] if commonest else knowledge_base.candidates(name)[0]
            mentions.append(Mention(text[start:end], start, entity))
        found.append(mentions)
    return found
