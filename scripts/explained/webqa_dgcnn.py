"""WebQA: the answer's start and end in the passage that most probably has it, with the gate of that passage."""

from typing import Any

import numpy as np

from explained._readings import Part, Reading, pieces_of_pair, row
from explained.lic2020_reading_comprehension import spans_of
from shown.webqa_dgcnn import lines


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """One output: that of the likeliest place of all passages."""
    predictor = opened.predictor
    (group,) = predictor.features([example])
    asked = predictor.encoder.tokenizer.tokenize(example.question).take(slice(predictor.lengths.question))
    found = []
    for window in group:
        inputs = row(window.arrays)
        if spans := spans_of(lines(example, answer), window.text, window.pair.encoding):
            likely = np.asarray(predictor.network(inputs, training=False)["log_probabilities"], np.float64)[0]
            score, first, last, text = max((likely[a, 0] + likely[b, 1], a, b, text) for a, b, text in spans)
            found.append((score, first, last, text, window, inputs))
    if not found:
        return []
    _, first, last, text, window, inputs = max(found, key=lambda one: one[0])
    pieces = pieces_of_pair(window.pair, asked, 0, window.passage + 1)

    def of(outputs):
        likely = outputs["log_probabilities"]
        return likely[:, first, 0] + likely[:, last, 1]

    return [Part(text, Reading(predictor.network, inputs, predictor.encoder, pieces), of)]
