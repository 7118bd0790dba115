"""Relation extraction: subjects and values of objects, marked by predicate and slot."""

from typing import Any

from shown._places import Mark, Shown, in_order, marks_of

VALUE = "@value"


def shown(example: Any) -> Shown:
    return Shown(str(example.line), (("text", example.text),))


def gold(example: Any) -> dict[str, Any] | None:
    if example.triples is None:
        return None
    items = [{"subject": one.subject, "predicate": one.predicate, "object": one.slots} for one in example.triples]
    return {"text": example.text, "spo_list": items}


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """The label is the predicate, and behind it "subject", "object" or the name of another slot."""
    texts, found = ((0, example.text),), []
    for item in answer["spo_list"]:
        found += marks_of(item["subject"], f"{item['predicate']} subject", texts)
        for slot, value in _slots(item).items():
            found += marks_of(value, f"{item['predicate']} {'object' if slot == VALUE else slot}", texts)
    return in_order(found)


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """`subject | predicate | value`, with the other slots of the object behind it."""
    told = []
    for item in answer["spo_list"]:
        slots = _slots(item)
        others = [f"{slot}: {value}" for slot, value in slots.items() if slot != VALUE]
        told.append(" | ".join([item["subject"], item["predicate"], slots.get(VALUE, f"(no {VALUE})"), *others]))
    return told


def _slots(item: dict[str, Any]) -> dict[str, str]:
    return {VALUE: item["object"]} if isinstance(item["object"], str) else item["object"]
