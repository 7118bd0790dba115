"""Title generation: what of a title is copied from the text, marked there, and the title as a line."""

from typing import Any

from shown._places import Mark, Shown, in_order

#: From so many characters on a piece is copied: single ones stand in any text.
LEAST_COPIED = 2


def shown(example: Any) -> Shown:
    return Shown("", (("text", example.text),))


def gold(example: Any) -> dict[str, Any] | None:
    return None if example.title is None else {"title": example.title}


def marks(example: Any, answer: dict[str, Any]) -> list[Mark]:
    """The label is "copied". From left to right the longest piece of the title that the text has, where it stands
    first."""
    title, text = answer["title"].lower(), example.text.lower()
    # Rarely a letter has two in lower case, and then places would be wrong.
    if len(text) != len(example.text):
        title, text = answer["title"], example.text
    found, start = [], 0
    while start + LEAST_COPIED <= len(title):
        at, end = text.find(title[start : start + LEAST_COPIED]), start + LEAST_COPIED
        if at < 0 or title[start:end].isspace():
            start += 1
            continue
        while end < len(title) and (longer := text.find(title[start : end + 1], at)) >= 0:
            at, end = longer, end + 1
        found.append(Mark(0, at, at + end - start, "copied"))
        start = end
    return in_order(found)


def lines(example: Any, answer: dict[str, Any]) -> list[str]:
    """The title."""
    return [answer["title"]] if answer["title"] else []
