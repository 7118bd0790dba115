"""Reading comprehension: the answer's start and end, among all places of its window."""

from typing import Any

import numpy as np

from common.keras_compat import tf

from explained._readings import Part, Reading, pieces_of_pair, row
from shown._places import places
from shown.lic2020_reading_comprehension import lines


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """One output: where the context has the answer several times, or gold has several, that of the likeliest place."""
    predictor = opened.predictor
    (group,) = predictor.features([example])
    asked = predictor.encoder.tokenizer.tokenize(example.question).take(slice(predictor.lengths.question))
    found = []
    for window in group:
        inputs, inside = row(window.arrays), window.pair.is_context
        spans = spans_of(lines(example, answer), example.context, window.pair.encoding)
        if spans:
            logits = np.asarray(predictor.network(inputs, training=False), np.float64)[0]
            score, first, last, text = max((logits[a, 0] + logits[b, 1], a, b, text) for a, b, text in spans)
            found.append((score, first, last, text, window, inputs, inside))
    if not found:
        return []
    _, first, last, text, window, inputs, inside = max(found, key=lambda one: one[0])
    pieces = pieces_of_pair(window.pair, asked, 0, 1)
    outside = tf.where(tf.constant(inside), 0.0, -1e9)[:, None]

    def of(logits):
        likely = tf.nn.log_softmax(logits + outside, 1)
        return likely[:, first, 0] + likely[:, last, 1]

    return [Part(text, Reading(predictor.network, inputs, predictor.encoder, pieces), of)]


def spans_of(answers: list[str], text: str, encoding: Any) -> list[tuple[int, int, str]]:
    """First and last token, inclusive, of all places of the answers that a window has, with the answer."""
    found = []
    for answer in answers:
        answer = answer.strip()
        for start in places(answer, text):
            tokens = encoding.token_span(start, start + len(answer))
            found += [(*tokens, answer)] if tokens else []
    return found
