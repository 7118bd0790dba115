"""Files of a contest with other questions in place of their own: the same labels, context and answers. No TensorFlow."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: What names a record; a copy has a number behind it.
_IDS = ("id", "qid", "question_id")
#: Why a question was left out.
LOST_VALUE = "written questions left out: a value of the record stands in its question, and not in them"


def questions_of(value: Any, key: str) -> Iterator[str]:
    """The strings under `key` in all objects of a JSON value. What is inside of such an object is not looked at."""
    if isinstance(value, dict) and isinstance(value.get(key), str):
        yield value[key]
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from questions_of(inner, key)


def augmented(value: Any, key: str, written: Mapping[str, Sequence[str]], counts: Counter[str]) -> list[Any]:
    """What a JSON value becomes: of an object with a question a copy for each of those written for it; of all else one
    value, without the objects of which there is no copy, or nothing if it has none.

    written: by question. A string in a record that stands in its question (the value of a condition, an answer) must
    stand in the written one, too; `counts` says how many did not.
    """
    if isinstance(value, list):
        copies = [copy for inner in value for copy in augmented(inner, key, written, counts)]
        return [copies] if copies else []
    if not isinstance(value, dict):
        return []
    if isinstance(value.get(key), str):
        return [*_copies(value, key, written.get(value[key], ()), counts)]
    found: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, inner in value.items():
        if next(questions_of(inner, key), None) is None:
            others[name] = inner
        elif isinstance(inner, dict) and isinstance(inner.get(key), str):
            copies = augmented(inner, key, written, counts)
            found |= {f"{name}_{number}": copy for number, copy in enumerate(copies, 1)}
        else:
            found |= {name: copy for copy in augmented(inner, key, written, counts)}
    return [others | found] if found else []


def _copies(record: dict[str, Any], key: str, written: Sequence[str], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    inner = {name: value for name, value in record.items() if name != key and name not in _IDS}
    needed = [text for text in strings_of(inner) if text and text in record[key]]
    number = 0
    for question in written:
        if all(text in question for text in needed):
            number += 1
            ids = {name: f"{record[name]}_{number}" for name in _IDS if isinstance(record.get(name), str)}
            yield {**record, **ids, key: question}
        else:
            counts[LOST_VALUE] += 1


def strings_of(value: Any) -> Iterator[str]:
    """All strings of a JSON value, but no names of its objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings_of(inner)
