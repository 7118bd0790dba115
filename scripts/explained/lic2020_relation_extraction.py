"""Relation extraction: for each triple the logits of the borders of its subject and, given that, of its objects; of
gplinker the scores of its spans and links."""

from collections import Counter
from typing import Any

import numpy as np

from common.keras_compat import tf

from explained._readings import Part, Reading, pieces_of_text, row
from shown.lic2020_relation_extraction import lines


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """An output for each triple that stands in a window of the sentence, subject and objects where they are nearest to
    each other, as in training."""
    features, predictor = opened.module("features"), opened.predictor
    tasks, schema = opened.module("task"), predictor.schema
    windows = predictor.features([example])
    placed: dict[int, list[tuple[str, tuple[int, int], list[tuple[int, int, int]]]]] = {}
    for item in answer["spo_list"]:
        slots = item["object"] if isinstance(item["object"], dict) else {tasks.VALUE: item["object"]}
        triple = tasks.Triple.of(item["subject"], item["predicate"], slots, schema)
        for subject, objects in features.label(example.text, [triple], schema, Counter()).items():
            place = _placed(windows, subject, objects)
            if place:
                number, tokens, tags = place
                [name] = lines(example, {"spo_list": [item]})
                placed.setdefault(number, []).append((name, tokens, tags))
    return [part for number, of_window in placed.items() for part in _of_window(predictor, windows[number], of_window)]


def _placed(windows: list[Any], subject: Any, objects: Any) -> tuple[int, Any, list[Any]] | None:
    """The first window that has subject and objects, with their tokens."""
    for number, window in enumerate(windows):
        tokens = window.encoding.token_span(*subject)
        spans = [(window.encoding.token_span(*span), class_id) for span, class_id in sorted(objects)]
        if tokens and all(span for span, _ in spans):
            return number, tokens, [(*span, class_id) for span, class_id in spans]
    return None


def _of_window(predictor: Any, window: Any, triples: list[Any]) -> list[Part]:
    if not hasattr(predictor.networks, "subjects"):
        reading = Reading(predictor.networks, row(window.arrays), predictor.encoder, pieces_of_text(window.encoding))
        return [Part(name, reading, _scores(tokens, tags)) for name, tokens, tags in triples]
    subjects = np.array([(0, *tokens) for _, tokens, _ in triples], np.int32)
    reading = Reading(
        predictor.networks.training,
        row(window.arrays) | {"subjects": subjects},
        predictor.encoder,
        pieces_of_text(window.encoding),
        numbering_rows=("subjects",),
    )
    return [
        Part(name, reading, _logits(number, len(triples), tokens, tags))
        for number, (name, tokens, tags) in enumerate(triples)
    ]


def _logits(number: int, count: int, subject: Any, tags: list[tuple[int, int, int]]) -> Any:
    def of(outputs):
        edges, objects = outputs["subject_logits"], outputs["object_logits"][number::count]
        found = edges[:, subject[0], 0] + edges[:, subject[1], 1]
        for first, last, class_id in tags:
            found += objects[:, first, class_id, 0] + objects[:, last, class_id, 1]
        return tf.cast(found, tf.float32)

    return of


def _scores(subject: tuple[int, int], tags: list[tuple[int, int, int]]) -> Any:
    def of(outputs):
        found = outputs["entities"][:, 0, subject[0], subject[1]]
        for *span, class_id in tags:
            found += outputs["entities"][:, 1, span[0], span[1]]
            for edge, one, other in zip(("first", "last"), subject, span):
                found += outputs[f"{edge}_pairs"][:, one, other]
                found += outputs[f"{edge}_subject"][:, one, class_id] + outputs[f"{edge}_object"][:, other, class_id]
        return tf.cast(found, tf.float32)

    return of
