"""Mutations of a file: of its bytes, and of the JSON in it. All by chance, from one `random.Random`."""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

#: In the place of a string that begins and ends with this, `_written` puts what is between, which need not be JSON.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}((?:[^"\\\\]|\\\\.)*){_MARK}"', re.DOTALL)

#: Characters of keys and values that are too long for any message.
LONG = 70_000
# A mutated file that is larger is not mutated once more.
_LARGEST = 10**6


def mutated(content: bytes, generator: Random) -> bytes:
    """The file with one mutation or a few, most of them in its JSON where it has any."""
    for _ in range(generator.choice((1, 1, 1, 2, 3))):
        changed = mutated_json(content, generator) if generator.random() < 0.8 else None
        content = mutated_bytes(content, generator) if changed is None else changed
        if len(content) > _LARGEST:
            break
    return content


# Bytes


def mutated_bytes(content: bytes, generator: Random) -> bytes:
    return generator.choice(_OF_BYTES)(content, generator)


def _span(content: bytes, generator: Random) -> tuple[int, int]:
    """A piece of the file, short more often than long."""
    begin = generator.randrange(len(content) + 1)
    length = generator.choice((1, 1, 4, 30, 1000))
    return begin, min(len(content), begin + length)


def _flipped(content: bytes, generator: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(generator.choice((1, 1, 5))):
        if changed:
            changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
    return bytes(changed)


def _cut(content: bytes, generator: Random) -> bytes:
    return content[: generator.randrange(len(content) + 1)]


def _without_a_piece(content: bytes, generator: Random) -> bytes:
    begin, end = _span(content, generator)
    return content[:begin] + content[end:]


def _repeated(content: bytes, generator: Random) -> bytes:
    begin, end = _span(content, generator)
    return content[:begin] + content[begin:end] * generator.choice((2, 3, 100)) + content[end:]


def _inserted(content: bytes, generator: Random) -> bytes:
    begin, _ = _span(content, generator)
    piece = generator.choice(
        (
            *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\x1b[2J", b"\x7f"),
            *(b"\n", b"\r", b"\r\n", b"\n\n\n", b"\t", b" ", b"\xe2\x80\xa8", b"\xc2\x85", b"\xe2\x80\xae", b"\x1a"),
            *(b'"', b"\\", b",", b"{", b"}", b"[", b"]", b"//", b"null", b"NaN", b"-Infinity", b"1e999", b"0" * 5000),
            *(b"[" * LONG, b'{"":' * LONG, b"a" * LONG, b" " * LONG, b"\n" * LONG, b"\\u0000", b"\\ud83d", b"\\x"),
        )
    )
    return content[:begin] + piece + content[begin:]


def _encoded_otherwise(content: bytes, generator: Random) -> bytes:
    name = generator.choice(("utf-16", "utf-16-le", "utf-32", "gbk", "gb18030", "big5", "utf-7", "utf-8-sig"))
    return content.decode("utf-8", "replace").encode(name, "replace")


def _other_line_ends(content: bytes, generator: Random) -> bytes:
    return content.replace(b"\n", generator.choice((b"\r\n", b"\r", b"\n\r", b"\n\n", b" \n", b"\xc2\x85", b"")))


def _something_else(content: bytes, generator: Random) -> bytes:
    others = (
        b"",
        b"\n",
        b" \t\r\n",
        b"\xef\xbb\xbf",
        b"\0" * 1000,
        content + content,
        content[::-1],
        b"null\n",
        b"{}\n",
    )
    return generator.choice((*others, b"[]\n", b'""\n', b"[{}]\n", b"\x1f\x8b\x08" + content, b"PK\x03\x04" + content))


_OF_BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flipped, _cut, _without_a_piece, _repeated, _inserted, _inserted),
    *(_encoded_otherwise, _other_line_ends, _something_else),
)


# JSON


def mutated_json(content: bytes, generator: Random) -> bytes | None:
    """The file with another value somewhere in its JSON, which may be all of it or a line; None where there is none."""
    lines = content.split(b"\n")
    at = generator.randrange(len(lines))
    try:
        if generator.random() < 0.3:
            return _written(mutated_value(json.loads(content), generator), generator)
        end = b"," if lines[at].endswith(b",") else b""
        lines[at] = _written(mutated_value(json.loads(lines[at].removesuffix(b",")), generator), generator) + end
        return b"\n".join(lines)
    except (ValueError, RecursionError):
        return None


def _written(value: Any, generator: Random) -> bytes:
    text = json.dumps(value, ensure_ascii=generator.random() < 0.2)
    text = text.replace(json.dumps(_MARK)[1:-1], _MARK)  # where all that is not ASCII was escaped
    text = _MARKED.sub(lambda found: json.loads(f'"{found[1]}"'), text)
    return text.encode("utf-8", "backslashreplace" if generator.random() < 0.8 else "surrogatepass")


def _raw(text: str) -> str:
    return f"{_MARK}{text}{_MARK}"


class _Again(str):
    """A key that an object may have although it has it already."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def mutated_value(value: Any, generator: Random) -> Any:
    """The value, which is changed, with one or a few mutations in it."""
    root = [value]
    for _ in range(generator.choice((1, 1, 1, 2))):
        container, key = generator.choice(list(places(root)))
        generator.choice(_OF_VALUES)(container, key, generator)
        if not root:
            return None
    return root[0]


def places(container: Any):
    """Every (container, key) of a tree."""
    inner = list(container.items()) if isinstance(container, dict) else list(enumerate(container))
    for key, value in inner:
        yield container, key
        if isinstance(value, (dict, list)):
            yield from places(value)


def _replace(container: Any, key: Any, generator: Random) -> None:
    container[key] = any_value(container[key], generator)


def _remove(container: Any, key: Any, generator: Random) -> None:
    del container[key]


def _repeat(container: Any, key: Any, generator: Random) -> None:
    value = container[key] if generator.random() < 0.5 else any_value(container[key], generator)
    if isinstance(container, dict):
        container[_Again(key)] = value
    else:
        container[key:key] = [value] * generator.choice((1, 1, 2, 30))


def _rename(container: Any, key: Any, generator: Random) -> None:
    if isinstance(container, dict):
        names = (
            str(key).upper(),
            f" {key}",
            f"{key}\n\x1b[31m",
            "",
            "\ud83d",
            f"{key}\0",
            "type",
            _long(key, generator),
        )
        container[generator.choice(names)] = container.pop(key)


def _swap(container: Any, key: Any, generator: Random) -> None:
    other = generator.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[key], container[other] = container[other], container[key]


_OF_VALUES: tuple[Callable[[Any, Any, Random], None], ...] = (
    *(_replace, _replace, _replace, _remove, _repeat, _rename, _swap),
)


def any_value(value: Any, generator: Random) -> Any:
    """A value of any type, sometimes made from the one that was there."""
    kinds = (_scalar, _number, _string, _long, _nested, _of_another_type, _of_another_type, _other_size)
    return generator.choice(kinds)(value, generator)


def _scalar(value: Any, generator: Random) -> Any:
    return generator.choice((None, True, False, "", [], {}, 0, [[]], [None], [""], {"": None}, [{}]))


def _number(value: Any, generator: Random) -> Any:
    numbers = (-1, 1, 2, 7, 0.5, -0.0, 3.0, 1e-320, 1e308, 2**31, 2**63, -(2**64), 10**30, 10**200)
    raw = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "0." + "3" * 5000, "-0", "1E+2", "01", "0x1", "1_000")
    return generator.choice((*numbers, *map(_raw, raw)))


def _string(value: Any, generator: Random) -> Any:
    strings = (
        " ",
        "\u3000",
        "\n",
        "\0",
        "\x1b[31m",
        "\x9b2J",
        "\ud83d",
        "\u202e",
        "nan",
        "None",
        "-1",
        "0.5",
        "1e3",
    )
    more = ("٣", "²", "null", "../../etc/passwd", "%s%n", "'; DROP TABLE names; --", "😭" * 300)
    return generator.choice((*strings, *more, _raw('"\\ud83d\\ude2d"'), _raw('"\\u0000\\u001b"'), _raw('"\\/\\b\\f"')))


def _long(value: Any, generator: Random) -> str:
    """What no message may repeat as it is."""
    return generator.choice(("字" * LONG, "a b" * LONG, "\x1b[31m字" * LONG, "\n" * LONG, "\u202e\x9b" * LONG))


def _nested(value: Any, generator: Random) -> Any:
    depth = generator.choice((3, 10, 90, 101, 990, 1100, 100_000))
    begin, end = generator.choice((("[", "]"), ('{"a": ', "}"), ('[{"": ', "}]")))
    closed = end * depth if generator.random() < 0.8 else ""
    return _raw(begin * depth + "1" + closed)


def _of_another_type(value: Any, generator: Random) -> Any:
    """What a hasty program might write instead of this value."""
    if isinstance(value, str):
        as_number = _raw(value) if value.lstrip("-").isdecimal() else len(value)
        escaped = _raw('"' + "".join(f"\\u{ord(character):04x}" for character in value if ord(character) < 2**16) + '"')
        return generator.choice(
            (as_number, escaped, [value], list(value[:50]), {"@value": value}, value.encode().hex())
        )
    if isinstance(value, (dict, list)):
        inner = list(value.values()) if isinstance(value, dict) else value
        as_object = {str(number): one for number, one in enumerate(inner)}
        return generator.choice(([value], inner, as_object, *inner[:1], str(value)[:1000], type(value)()))
    return generator.choice((str(value), [value], {"value": value}, None if value is None else float(value) + 0.5))


def _other_size(value: Any, generator: Random) -> Any:
    """More of the same, or less."""
    if isinstance(value, (str, list)):
        return generator.choice((value * 2, value * 30, value[:1], value[1:], value[::-1], value[: len(value) // 2]))
    if isinstance(value, dict):
        return dict(list(value.items())[: generator.randrange(len(value) + 1)])
    return value if value is None else generator.choice((value + 1, -value, value * 1000, value + 0.5))
