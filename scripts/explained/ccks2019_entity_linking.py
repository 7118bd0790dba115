"""Entity linking: for each mention the logit of being one, and the score of its entity."""

from typing import Any

import numpy as np

from common.keras_compat import tf

from explained._readings import Part, Reading, pieces_of_text, row


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """Two outputs for each mention that is a name of the knowledge base, one for what only the half pointer knows, and
    none for what is not where it says. What the knowledge base knows of a name stands in both baselines."""
    predictor = opened.predictor
    windows, found = predictor.features([example]), []
    readings: dict[int, Reading] = {}
    for item in answer["mention_data"]:
        span = int(item["offset"]), int(item["offset"]) + len(item["mention"])
        place = _placed(windows, span)
        if not item["mention"] or example.text[slice(*span)] != item["mention"] or not place:
            continue
        number, first, last, name = place
        if number not in readings:
            readings[number] = _mentions(opened, windows[number])
        label = f"{item['mention']} | {item['offset']}"
        found.append(Part(f"{label} | mention", readings[number], _mention(first, last, name)))
        if name is not None:
            spot = windows[number].spots[windows[number].places[name][0]]
            if item["kb_id"] in spot.choices:
                found.append(_entity(predictor, spot, item["kb_id"], f"{label} | {item['kb_id']}"))
    return found


def _placed(windows: list[Any], span: tuple[int, int]) -> tuple[int, int, int, int | None] | None:
    """The first window that has the span, its tokens, and its number among the places of spots."""
    for number, window in enumerate(windows):
        if tokens := window.encoding.token_span(*span):
            spots = (name for name, (at, _, _) in enumerate(window.places) if window.spots[at].span == span)
            return number, *tokens, next(spots, None)
    return None


def _mentions(opened: Any, window: Any) -> Reading:
    inputs = opened.module("features").mention_inputs([window])
    predictor = opened.predictor
    return Reading(
        predictor.networks.mentions,
        inputs,
        predictor.read_pair.encoder,
        pieces_of_text(window.encoding),
        numbering_rows=("name_places",),
    )


def _mention(first: int, last: int, name: int | None) -> Any:
    def of(outputs):
        edges, names = outputs
        copies = tf.shape(edges)[0]
        if name is None:
            return edges[:, first, 0] + edges[:, last, 1]
        return tf.reshape(names, [copies, -1])[:, name]

    return of


def _entity(predictor: Any, spot: Any, entity: str, name: str) -> Part:
    read_pair = predictor.read_pair
    log_prior = float(spot.log_priors()[spot.choices.index(entity)])
    inputs = row(read_pair(spot.text, spot.span, entity, log_prior))
    # A long text is read around the mention only, whose first token is known in both.
    tokens = read_pair.encoder.tokenizer.tokenize(spot.text)
    places = np.flatnonzero(inputs["in_text"][0])
    first, _ = tokens.token_span(*spot.span)
    begin = first - (int(np.flatnonzero(inputs["mention"][0])[0]) - int(places[0]))
    pieces: list[Any] = [None] * inputs["token_ids"].shape[1]
    for place, piece in zip(places.tolist(), pieces_of_text(tokens)[begin:]):
        pieces[place] = piece
    return Part(name, Reading(predictor.networks.entities, inputs, read_pair.encoder, pieces), lambda outputs: outputs)
