"""Event extraction: triggers and arguments, marked by event type and role."""

from typing import Any

from shown._places import Mark, Shown, in_order, marks_of


def shown(example: Any) -> Shown:
    return Shown(example.id, (("text", example.text),))


def gold(example: Any) -> dict[str, Any] | None:
    if example.events is None:
        return None
    events = [
        {
            "event_type": event.event_type,
            "trigger": event.trigger,
            "trigger_start_index": event.trigger_start,
            "arguments": [
                {"role": one.role, "argument": one.text, "argument_start_index": one.start, "alias": [*one.aliases]}
                for one in event.arguments
            ],
        }
        for event in example.events
    ]
    return {"id": example.id, "event_list": events}


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """The label is the event type, and behind it "trigger" or the role. Where no index is given, every occurrence."""
    texts, found = ((0, example.text),), []
    for event in answer["event_list"]:
        trigger, kind = event.get("trigger") or "", event["event_type"]
        found += marks_of(trigger, f"{kind} trigger", texts, event.get("trigger_start_index"))
        for item in event["arguments"]:
            label = f"{kind} {item['role']}"
            found += marks_of(item["argument"], label, texts, item.get("argument_start_index"))
    return in_order(found)


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """`event type | trigger | role: argument | role: argument`."""
    return [
        " | ".join(
            [
                event["event_type"],
                event.get("trigger") or "-",
                *(f"{item['role']}: {item['argument']}" for item in event["arguments"]),
            ]
        )
        for event in answer["event_list"]
    ]
