"""Entity linking: mentions, marked by their entity."""

from collections.abc import Callable
from typing import Any

from shown._places import Mark, Shown, in_order


def shown(example: Any) -> Shown:
    return Shown(example.id, (("text", example.text),))


def gold(example: Any) -> dict[str, Any] | None:
    if example.mentions is None:
        return None
    items = [{"kb_id": one.entity, "mention": one.text, "offset": str(one.offset)} for one in example.mentions]
    return {"text_id": example.id, "text": example.text, "mention_data": items}


def marks(example: Any, answer: dict[str, Any], names: Callable[[str], str]) -> list[Mark]:
    """The label is what `names` calls the entity. A mention that is not where it says has no mark."""
    found = []
    for item in answer["mention_data"]:
        start, text = int(item["offset"]), item["mention"]
        if text and start >= 0 and example.text.startswith(text, start):
            found.append(Mark(0, start, start + len(text), names(str(item["kb_id"]))))
    return in_order(found)


def lines(example: Any, answer: dict[str, Any], names: Callable[[str], str]) -> list[str]:
    """`mention | offset | entity`."""
    return [f"{one['mention']} | {one['offset']} | {names(str(one['kb_id']))}" for one in answer["mention_data"]]
