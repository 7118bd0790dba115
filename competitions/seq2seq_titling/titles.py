"""From ids back to a title as a reader wants it: with the capitals and blanks of the text that its words come from."""

from collections import defaultdict
from collections.abc import Sequence

from common.tokenizers import WordPieceTokenizer

from features import Article

#: What a title is cut to when the network writes nothing that can be seen, in characters of the text.
_FALLBACK = 24


def title_of(ids: Sequence[int], article: Article, tokenizer: WordPieceTokenizer) -> str:
    """The title that ids (tokens of the vocabulary, or of the text alone) stand for; never blank.

    The longest runs of tokens that stand in the text one after the other are cut from there, so they keep capitals and
    blanks. What is left over is joined as WordPiece says, with a blank only between two words of letters or digits.
    """
    surfaces = {number: surface for surface, number in article.unknown.items()}
    offsets = article.encoding.offsets.tolist()
    title = ""
    for first, count, place in _runs(list(ids), article.arrays["copy_ids"].tolist()):
        token = surfaces.get(ids[first]) or tokenizer.vocabulary[ids[first]]
        start, end = offsets[place] if place is not None else (0, 0)
        piece = article.text[start:end] or token.removeprefix("##")
        title = _joined(title, piece, not token.startswith("##"))
        for index in range(place + 1, place + count) if place is not None else ():
            blank = " " if offsets[index][0] > offsets[index - 1][1] else ""
            # Several tokens may share a character.
            title += blank + article.text[max(offsets[index][0], offsets[index - 1][1]) : offsets[index][1]]
    title = " ".join(title.split())
    begins = " ".join(article.text.split())[:_FALLBACK].strip() if len(article.encoding) > 2 else ""
    return title or begins or "无题"


def _runs(ids: list[int], copy_ids: list[int]) -> list[tuple[int, int, int | None]]:
    """ids cut into (first, count, place in the text): the longest run that the text has from each point on, the first
    such place; None for a token that the text does not have."""
    places = defaultdict(list)
    for place, token in enumerate(copy_ids):
        places[token].append(place)
    runs, first = [], 0
    while first < len(ids):
        best = (1, None)
        for place in places.get(ids[first], ()):
            count = 1
            while (
                first + count < len(ids)
                and place + count < len(copy_ids)
                and copy_ids[place + count] == ids[first + count]
            ):
                count += 1
            if best[1] is None or count > best[0]:
                best = (count, place)
        runs.append((first, *best))
        first += best[0]
    return runs


def _joined(title: str, piece: str, apart: bool) -> str:
    """A blank stands between two words that would otherwise be one."""
    needs_blank = (
        apart and title[-1:].isascii() and title[-1:].isalnum() and piece[:1].isascii() and piece[:1].isalnum()
    )
    return title + " " * needs_blank + piece
