"""HTML out of Python, in which text is escaped unless it was made here. No TensorFlow."""

import base64
import hashlib
import html
import json
from typing import Any

from common.command_line import printable


class Html(str):
    """What is HTML already."""


def tag(name: str, *content: object, **attributes: object) -> Html:
    """An element. What is no Html is escaped, and characters that turn the direction of text are shown as escapes;
    None and False are left out. `class_` is the attribute class, and `_` in a name is a hyphen."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inside = joined(*content)
    return Html(f"<{name}{given}>{inside}</{name}>")


def joined(*content: object) -> Html:
    """Pieces behind each other."""
    return Html("".join(one if isinstance(one, Html) else text(one) for one in content if one not in (None, False)))


def text(value: object) -> Html:
    """Text as HTML, of any characters: half a surrogate pair, which UTF-8 cannot hold, becomes the sign for it."""
    clean = printable(str(value)).encode("utf-8", "replace").decode("utf-8")
    return Html(html.escape(clean))


def data(value: Any) -> Html:
    """JSON to stand in a script element: no tag can end or begin in it, whatever the strings in it say."""
    found = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        found = found.replace(character, f"\\u{ord(character):04x}")
    # Half a surrogate pair stays an escape, which is one of JSON, too.
    return Html(found.encode("utf-8", "backslashreplace").decode("utf-8"))


def source(content: str) -> str:
    """How a policy names an inline script or style: by the hash of it."""
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
