"""Title generation: for each token of the title its log-probability, given the text and the tokens before it."""

from typing import Any

import numpy as np

from explained._readings import Part, Reading, pieces_of_text


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """An output for each token of the title and for its end, but for tokens that the network cannot write. What is written
    before a token is given: it is no part of what is explained. Of a bidirectional network the side that writes forwards
    is asked, with the other one as far as it is."""
    features, predictor = opened.module("features"), opened.predictor
    copying = opened.module("copying")
    tokenizer = predictor.encoder.tokenizer
    (article,) = predictor.features([example])
    title = features.title_ids(answer["title"], article, predictor.encoder)[: predictor.max_title_length]
    if not len(title):
        return []
    written = title.tolist()
    partners = [tokenizer.start_id, *written], [tokenizer.start_id, *written[::-1]]
    pair = features.Pair(article, title, len(title) < predictor.max_title_length, title, partners)
    side = "title" if any(one.name == "title_before" for one in predictor.network.training.inputs) else "forward"
    model = _model(predictor.network.training, side)
    batch = features.collate([pair], tokenizer, model)
    targets, copy_ids = batch[f"{side}_targets"], batch["copy_ids"]
    pieces = pieces_of_text(article.encoding)
    more = batch["token_ids"].shape[1] - len(pieces)  # the title, behind the text
    names = {one.name for one in predictor.network.training.inputs}
    reading = Reading(
        predictor.network.training,
        {name: values for name, values in batch.items() if name in names},
        predictor.encoder,
        [*pieces, *[None] * more],
        scaled=np.arange(len(pieces) + more)[None] < len(pieces),
    )

    def of(place: int) -> Any:
        def log_probability(outputs):
            copies = outputs[side]["generated"].shape[0]
            many = np.repeat(targets, copies, 0), np.repeat(copy_ids, copies, 0)
            return copying.log_probabilities(*many, outputs[side])[:, place]

        return log_probability

    copies = "copied" in predictor.network.training.output[side]
    size, found = len(tokenizer), []
    surfaces = {number: surface for surface, number in article.unknown.items()}
    for place, token in enumerate(targets[0].tolist()):
        if token != features.NOTHING and (copies or token < size):
            word = surfaces.get(token) or ("end" if token == tokenizer.end_id else tokenizer.vocabulary[token])
            found.append(Part(f"{place + 1} {word}", reading, of(place)))
    return found


def _model(network: Any, side: str) -> str:
    if side == "forward":
        return "bidirectional"
    return "unilm" if any(one.name == "segment_ids" for one in network.inputs) else "copy_lstm"
