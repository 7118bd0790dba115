"""The answers of a live run, contest by contest: what predict.py would write, and what stood behind it. No TensorFlow
but in the predictors."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from live_runs import LiveRun

Prediction = TypeVar("Prediction")


class Answer(NamedTuple):
    """record: of the official format. scores: what the network was how sure of; by contest:

    - relation extraction: for each triple the least probability of its four borders, {"probability"}
    - event extraction: none
    - reading comprehension, WebQA: candidates, the most probable first, {"text", "start", "probability"}, of WebQA also
      {"passage"}, its number from 0
    - entity linking: for each mention {"probability", "entities": [{"entity", "probability"}]}, the latter of the five
      most probable entities
    - NL2SQL: for each selected column and then each condition {"probability"}
    - title generation: titles, best first, {"title", "log_probability"}
    """

    record: dict[str, Any]
    scores: list[dict[str, Any]]


#: Candidates that are told of an example.
MOST = 5


def _or(empty: Prediction, prediction: Prediction, check: Callable[[Prediction], object]) -> Prediction:
    """`common.submission.valid_or_empty` of one prediction, without a warning that would have its text."""
    try:
        check(prediction)
    except ValueError:
        return empty
    return prediction


def relations(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    task, predictor = live.module("task"), live.predictor
    scores = predictor.score(predictor.features(examples), [live.settings])
    borders = _border_probabilities(examples, scores, live)
    answers = []
    for example, triples, sure in zip(examples, predictor.decode(examples, scores, live.settings), borders):

        def check(triples: list[Any]) -> None:
            record = task.submission_record(example.text, triples, live.schema)
            task.check_record(record, live.schema, "answer")

        triples = _or([], triples, check)
        record = task.submission_record(example.text, triples, live.schema)
        least = [
            min(sure.get((one.subject, one.predicate, *pair), 0.0) for pair in one.slots.items()) for one in triples
        ]
        answers.append(Answer(record, [{"probability": _rounded(value)} for value in least]))
    return answers


def _border_probabilities(
    examples: Sequence[Any], scores: Sequence[Any], live: "LiveRun"
) -> list[dict[tuple[str, str, str, str], float]]:
    """For each sentence, by (subject, predicate, slot, value), the least probability of the borders; of several places
    the highest."""
    found: list[dict[tuple[str, str, str, str], float]] = [defaultdict(float) for _ in examples]
    for score in scores:
        text, encoding = examples[score.window.example].text, score.window.encoding
        of_sentence = found[score.window.example]
        for (subject, span, class_id), sure in score.probabilities(live.settings).items():
            name, value = (text[slice(*encoding.char_span(*tokens))] for tokens in (subject, span))
            key = (name, *live.schema.classes[class_id], value)
            of_sentence[key] = max(of_sentence[key], sure)
    return found


def events(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    task, answers = live.module("task"), []
    for example, found in zip(examples, live.predictor(examples, live.settings)):

        def check(found: list[Any]) -> None:
            record = task.submission_record(example.id, found, live.schema)
            task.check_record(record, live.schema, "answer", example.text)

        answers.append(Answer(task.submission_record(example.id, _or([], found, check), live.schema), []))
    return answers


def reading(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    check, predictor = live.module("task").check_answer, live.predictor
    found = predictor.score(predictor.features(examples))
    chosen = predictor.decode(examples, found, live.settings)
    return [
        Answer(
            {"id": example.id, "answer": _or("", answer, lambda answer: check(answer, example))}, _told(some, "start")
        )
        for example, answer, some in zip(examples, chosen, found)
    ]


def webqa(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    check, predictor = live.module("task").check_answer, live.predictor
    found = predictor.score(predictor.features(examples), [live.settings])
    chosen = predictor.decode(examples, found, live.settings)
    return [
        Answer(
            {"id": example.id, "answer": _or("", answer, lambda answer: check(answer, example))},
            _told(some, "passage", "start"),
        )
        for example, answer, some in zip(examples, chosen, found)
    ]


def _told(candidates: Sequence[Any], *places: str) -> list[dict[str, Any]]:
    return [
        {
            "text": one.text,
            **{name: int(getattr(one, name)) for name in places},
            "probability": _rounded(one.probability),
        }
        for one in candidates[:MOST]
    ]


def linking(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    task, predictor = live.module("task"), live.predictor
    scores = predictor.score(predictor.features(examples), [live.settings])
    base, answers = predictor.read_pair.knowledge_base, []
    for example, some, mentions in zip(examples, scores, predictor.decode(examples, scores, live.settings)):
        mentions = _or([], mentions, lambda mentions: task.check_mentions(mentions, example.text, base, "answer"))
        spots = {scored.spot.span: scored for scored in some.spots}
        told = [_told_of_mention(spots.get((one.offset, one.end))) for one in mentions]
        answers.append(Answer(task.submission_record(example, mentions), told))
    return answers


def _told_of_mention(scored: Any) -> dict[str, Any]:
    if scored is None:  # what the half pointer marks, and the knowledge base does not know
        return {"probability": None, "entities": []}
    choices = sorted(zip(scored.entities.tolist(), scored.spot.choices), key=lambda one: -one[0])[:MOST]
    entities = [{"entity": entity, "probability": _rounded(value)} for value, entity in choices]
    return {"probability": _rounded(scored.value), "entities": entities}


def queries(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    task, predictor = live.module("task"), live.predictor
    empty, answers = live.module("predict").NO_ANSWER, []
    scores = predictor.score(predictor.features(examples), [live.settings])
    for example, some, query in zip(examples, scores, predictor.decode(examples, scores, live.settings)):
        query = _or(
            empty,
            query,
            lambda query: task.check_record(query.record(), example.table, "answer", predictor.unconditioned),
        )
        selected = [
            float(some.selections[one.column, one.aggregation]) if one.column < len(some.selections) else 0.0
            for one in query.selected
        ]
        conditions = [
            max((float(one.probability) for one in some.found if one.column == condition.column), default=0.0)
            for condition in query.conditions
        ]
        told = [{"probability": _rounded(value)} for value in [*selected, *conditions]]
        answers.append(Answer(query.record(), told))
    live.module("decode").forget_tables()  # thousands are kept, and each of these comes once
    return answers


def titles(live: "LiveRun", examples: Sequence[Any]) -> list[Answer]:
    predictor = live.predictor
    found = predictor.score(predictor.features(examples), [live.settings])[live.settings]
    return [
        Answer(
            {"title": some[0].title},
            [{"title": one.title, "log_probability": _rounded(one.log_probability)} for one in some[:MOST]],
        )
        for some in found
    ]


def _rounded(value: float) -> float:
    return round(float(value), 4)


#: What answers, by contest: a live run and examples in, an Answer for each out.
ANSWERS: dict[str, Callable[["LiveRun", Sequence[Any]], list[Answer]]] = {
    "lic2020_relation_extraction": relations,
    "lic2020_reading_comprehension": reading,
    "lic2020_event_extraction": events,
    "ccks2019_entity_linking": linking,
    "nl2sql": queries,
    "webqa_dgcnn": webqa,
    "seq2seq_titling": titles,
}
