"""Event extraction: for each argument the score of its span: that of the global pointer, or by how much the emissions of
the CRF prefer its labels to none."""

from typing import Any

from explained._readings import Part, Reading, pieces_of_text, row


def parts(opened: Any, example: Any, answer: dict[str, Any]) -> list[Part]:
    """An output for each argument that stands in a window of the text: where the answer says, or else nearest to the
    trigger."""
    features, predictor = opened.module("features"), opened.predictor
    classes, readings, found = predictor.classes, {}, []
    windows = predictor.features([example])
    for event in answer["event_list"]:
        trigger = event.get("trigger") or ""
        near = features.locate(example.text, trigger, _start(event, "trigger"), 0) or (0, 0)
        for item in event["arguments"]:
            class_id = classes.ids.get((event["event_type"], item["role"]))
            span = features.locate(example.text, item["argument"], _start(item, "argument"), near[0])
            place = _placed(windows, span) if span and class_id is not None else None
            if place:
                number, first, last = place
                if number not in readings:
                    window = windows[number]
                    pieces = pieces_of_text(window.encoding)
                    readings[number] = Reading(predictor.network, row(window.arrays), predictor.encoder, pieces)
                name = f"{event['event_type']} | {item['role']}: {item['argument']}"
                found.append(Part(name, readings[number], _score(first, last, class_id)))
    return found


def _start(item: dict[str, Any], key: str) -> int:
    start = item.get(f"{key}_start_index", -1)
    return start if isinstance(start, int) else -1


def _placed(windows: list[Any], span: tuple[int, int]) -> tuple[int, int, int] | None:
    for number, window in enumerate(windows):
        if tokens := window.encoding.token_span(*span):
            return number, *tokens
    return None


def _score(first: int, last: int, class_id: int) -> Any:
    def of(outputs):
        if "spans" in outputs:
            edges = outputs["first"][:, first, class_id] + outputs["last"][:, last, class_id]
            return outputs["spans"][:, first, last] + edges
        # Of label 0, none, the emission is 0.
        labels = [1 + 2 * class_id, *[2 + 2 * class_id] * (last - first)]
        return sum(outputs["emissions"][:, first + at, label] for at, label in enumerate(labels))

    return of
