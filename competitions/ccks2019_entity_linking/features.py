"""From examples to arrays: windows with their spots, labels and queries, pairs of a candidate and its text, and batches.
No TensorFlow.

Spans of characters are half-open; spans of tokens have a first and a last one.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np

from common.batch_parts import split_groups, split_with_lists
from common.command_line import UserError
from common.encoders import Encoder
from common.generators import Arrays, pad, pad_features
from common.tokenizers import Encoding, pair_windows, windows
from common.tokenizers.dictionary import LONGEST_NAME

from candidates import SPOT_FEATURES, Span, Spot, spot_features, token_features
from knowledge_base import KnowledgeBase
from priors import CONTEXTS, LONGEST, count_features, log_priors, thinned
from task import NIL, Example

#: Prefix of the inputs of the entity network, in the network that trains both.
PAIR = "pair_"


# Windows


class Query(NamedTuple):
    """A gold mention whose entity is asked for. right: index of that entity in `spot.choices`."""

    spot: Spot
    right: int


@dataclass(slots=True)
class Window:
    """A piece of a text that the encoder reads at once: nearly always the whole of it.

    example: index of its text. arrays: inputs of the encoder. spots: those of the text, or of a long one all that begin
    in the window or reach into it. places: (index, first, last token) of the spots that lie in it, both tokens
    inclusive. labels: spans of tokens of the gold mentions in it. queries: the gold mentions of the text, in any of its
    windows, whose entity can be chosen.
    """

    example: int
    encoding: Encoding
    arrays: Arrays
    spots: Sequence[Spot]
    places: list[tuple[int, int, int]]
    labels: set[Span] = field(default_factory=set)
    queries: list[Query] = field(default_factory=list)


def text_windows(
    texts: Sequence[str], spots: Sequence[Sequence[Spot]], encoder: Encoder, first: int = 0
) -> list[Window]:
    """Every text as one window, or as several where it is longer than the encoder reads; unlabelled. first: index of the
    first text."""
    found = []
    for index, (text, of_text) in enumerate(zip(texts, spots), first):
        parts = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        starts = [spot.span[0] for spot in of_text]
        for part in parts:
            piece, tokens, near = text, part, of_text
            if len(parts) > 1:
                piece, tokens = cut_out(text, part)
                begin, end = part.offsets[0, 0] - LONGEST_NAME, part.offsets[-1, 1]
                near = of_text[bisect_left(starts, begin) : bisect_left(starts, end)]
            (arrays,) = encoder.features(piece, [tokens])
            places = [(at, *span) for at, spot in enumerate(near) if (span := part.token_span(*spot.span))]
            found.append(Window(index, part, arrays, near, places))
    return found


def cut_out(text: str, tokens: Encoding) -> tuple[str, Encoding]:
    """The piece of a text that these tokens cover, and the tokens in it. A long text is read piece by piece: read
    whole for every window and every candidate, it would cost the square of its length."""
    start, end = tokens.offsets[0, 0], tokens.offsets[-1, 1]
    return text[start:end], Encoding(tokens.ids, tokens.offsets - start)


def labelled_windows(
    examples: Sequence[Example],
    spots: Sequence[Sequence[Spot]],
    encoder: Encoder,
    lost: Counter[str],
    part: slice = slice(None),
) -> Iterator[Window]:
    """The windows of the examples of this part, labelled: see `label_windows`."""
    for index in range(len(examples))[part]:
        found = text_windows([examples[index].text], [spots[index]], encoder, index)
        label_windows(found, examples, lost)
        yield from found


def label_windows(of_examples: Sequence[Window], examples: Sequence[Example], lost: Counter[str]) -> None:
    """Give windows their labels and queries. lost: counts the gold mentions that cannot be labelled or asked for, by
    reason."""
    for index, of_text in groupby(of_examples, lambda window: window.example):
        of_text = list(of_text)
        by_span = {window.spots[at].span: window.spots[at] for window in of_text for at, _, _ in window.places}
        queries = []
        for mention in examples[index].mentions:
            span = mention.offset, mention.end
            spans = [(window, tokens) for window in of_text if (tokens := window.encoding.token_span(*span))]
            for window, tokens in spans:
                window.labels.add(tokens)
            if not spans:
                lost["mention across windows or inside a token"] += 1
            spot = by_span.get(span)
            if spot and mention.entity in spot.choices:
                queries.append(Query(spot, spot.choices.index(mention.entity)))
            elif mention.entity != NIL:
                lost["entity not among the candidates of its name"] += 1
        for window in of_text:
            window.queries = queries


# Pairs


class PairReader:
    """Inputs of the entity network: what a candidate is, before the text around a mention.

    description_length: tokens of a description that are read, at most half of a window. remembered: pairs that are
    kept, of about 3 KB each, since the same ones come again in every epoch. Raises UserError for an encoder whose
    windows have no room for a pair.
    """

    def __init__(
        self, encoder: Encoder, knowledge_base: KnowledgeBase, description_length: int, remembered: int = 2**16
    ):
        if encoder.max_length < 4:
            raise UserError(
                f"windows of {encoder.max_length} tokens: must be 4 at least, for [CLS], two [SEP] and one of the text"
            )
        self.encoder, self.knowledge_base, self.description_length = encoder, knowledge_base, description_length
        self._read = lru_cache(remembered)(self._read)
        self._tokenize = lru_cache(64)(encoder.tokenizer.tokenize)  # each candidate asks for the same text

    def __call__(self, text: str, span: Span, entity: str, log_prior: float) -> Arrays:
        """Inputs of the encoder and `in_text` int8, each (length, ...), `mention` float32 (length,), 1 at the tokens of
        the span, and `log_prior` float32 (1,)."""
        return self._read(text, span, entity) | {"log_prior": np.array([log_prior], np.float32)}

    def _read(self, text: str, span: Span, entity: str) -> Arrays:
        tokenizer, longest = self.encoder.tokenizer, self.encoder.max_length
        description = described(self.knowledge_base, entity, self.description_length)
        tokens_of_it = tokenizer.tokenize(description).take(slice(self.description_length))
        whole = self._tokenize(text)
        first, last = whole.token_span(*span)
        room = longest - min(len(tokens_of_it), (longest - 3) // 2) - 3
        begin = max(0, min((first + last) // 2 - room // 2, len(whole) - room))
        tokens = whole.take(slice(begin, begin + room))
        if len(whole) > longest - 2:  # a text of several windows
            text, tokens = cut_out(text, tokens)
        (pair,) = pair_windows(tokenizer, tokens_of_it, tokens, longest, room)
        (arrays,) = self.encoder.pair_features(description, tokens_of_it, text, tokens, [pair])
        inside = np.zeros(len(tokens), np.float32)
        inside[first - begin : last - begin + 1] = 1
        return arrays | {
            "mention": pair.lay_out(np.zeros(pair.asked, np.float32), inside),
            "in_text": pair.is_context.astype(np.int8),
        }


def described(knowledge_base: KnowledgeBase, entity: str, max_length: int) -> str:
    """An entity in words: its names, its types and the beginning of its description; not empty for NIL either."""
    if entity == NIL:
        return NIL
    found = knowledge_base.entity(entity, max_length)
    return f"{'、'.join(dict.fromkeys([found.subject, *found.names]))}（{'、'.join(found.types)}）{found.description}"


def texts_to_read(
    examples: Sequence[Example], spots: Sequence[Sequence[Spot]], knowledge_base: KnowledgeBase, max_length: int
) -> list[str]:
    """What an encoder from nothing takes its vocabulary from: the texts, and their candidates, as they are
    `described`."""
    entities = dict.fromkeys(entity for of_text in spots for spot in of_text for entity in spot.candidates)
    return [example.text for example in examples] + [described(knowledge_base, one, max_length) for one in entities]


# Batches


def collate(
    batch: Sequence[Window],
    generator: np.random.Generator,
    read_pair: PairReader,
    most_queries: int,
    most_candidates: int,
) -> Arrays:
    """Labelled windows, with a random choice of the queries of each, as a batch for training.

    Inputs of the mention network, and of the entity network with PAIR before their names; `edge_labels` int8 (batch,
    length, 2), `name_labels` int8 (spots,); `choices` int32 (queries, most candidates), the rows of each query's
    candidates, -1 for none, and `right` int8 of the same shape. Of more than `most_candidates` the right one and a
    random choice of others take part.
    """
    queries = [
        window.queries[at] for window in batch for at in generator.permutation(len(window.queries))[:most_queries]
    ]
    inputs = mention_inputs(batch, generator)
    inputs["edge_labels"] = np.zeros((*inputs["token_ids"].shape, 2), np.int8)
    for labels, window in zip(inputs["edge_labels"], batch):
        for first, last in window.labels:
            labels[first, 0] = labels[last, 1] = 1
    inputs["name_labels"] = np.array(
        [(first, last) in window.labels for window in batch for _, first, last in window.places], np.int8
    )

    rows, choices, right = [], [], []
    for spot, answer in queries:
        others = np.delete(np.arange(len(spot.choices)), answer)
        drawn = [answer, *generator.permutation(others)[: most_candidates - 1].tolist()]
        choices.append(np.arange(len(rows), len(rows) + len(drawn), dtype=np.int32))
        right.append(np.array([at == answer for at in drawn], np.int8))
        (counts,) = thinned(spot.entity_counts[None], generator)
        priors = log_priors(counts, spot.nil_share)
        rows += [read_pair(spot.text, spot.span, spot.choices[at], priors[at]) for at in drawn]
    if not queries:  # the entity network has to read something; -1 says that it does not count
        rows, choices, right = [read_pair("。", (0, 1), NIL, 0.0)], [np.array([-1], np.int32)], [np.zeros(1, np.int8)]
    pairs = {PAIR + name: values for name, values in pad_features(rows).items()}
    return inputs | pairs | {"choices": pad(choices, -1), "right": pad(right)}


def split(batch: Arrays, parts: int) -> list[Arrays]:
    """A batch of `collate` in so many parts. Windows, with their spots, and queries, with their candidates, are split
    each by themselves: their networks have nothing to do with each other."""
    is_of_queries = {name: name.startswith(PAIR) or name in ("choices", "right") for name in batch}
    queries, windows = ({name: batch[name] for name in batch if is_of_queries[name] is of} for of in (True, False))
    of_windows = split_with_lists(windows, parts, {"name_places": ("name_features", "name_labels")})
    return [one | other for one, other in zip(of_windows, split_groups(queries, parts, "choices", ["right"]))]


def mention_inputs(batch: Sequence[Window], generator: np.random.Generator | None = None) -> Arrays:
    """Inputs of the mention network: those of the encoder, `dictionary` float32 (batch, length, TOKEN_FEATURES), and of
    the spots in all windows `name_places` int32 (spots, 3), row of the batch, first and last token, and `name_features`
    float32 (spots, SPOT_FEATURES).

    generator: thins the priors, in training.
    """
    places, features, dictionary = [], [np.zeros((0, SPOT_FEATURES), np.float32)], []
    for row, window in enumerate(batch):
        counts = np.array([spot.counts for spot in window.spots], np.int64).reshape(-1, CONTEXTS, 2)
        of_counts = count_features(thinned(counts, generator))
        features.append(spot_features(window.spots, of_counts, [at for at, _, _ in window.places]))
        places += [(row, first, last) for _, first, last in window.places]
        dictionary.append(token_features(len(window.encoding), window.places, of_counts[:, LONGEST], window.spots))
    return pad_features([window.arrays for window in batch]) | {
        "dictionary": pad(dictionary),
        "name_places": np.array(places, np.int32).reshape(-1, 3),
        "name_features": np.concatenate(features),
    }
