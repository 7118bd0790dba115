"""The languages of the page: English words, and their Chinese in words.zh.json. No TensorFlow."""

import json
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]

_TEXTS = Path(__file__).with_name("words.zh.json")


class Words:
    """Called with an English word or sentence it gives that of the language; `{}` in it are the values that follow. One
    that is not known stays English: `unknown` has all of these."""

    def __init__(self, language: Language):
        self.language = language
        self.unknown: set[str] = set()
        self._texts: dict[str, str] = json.loads(_TEXTS.read_text("utf-8")) if language == "zh" else {}

    def __call__(self, english: str, *values: object) -> str:
        found = self._texts.get(english, english)
        if self.language == "zh" and english not in self._texts:
            self.unknown.add(english)
        return found.format(*values) if values else found

    def label(self, label: str) -> str:
        """Of a mark: words of ours are at its beginning or its end, and the rest is of the data."""
        if self.language == "en":
            return label
        first, _, rest = label.partition(" ")
        before, _, last = label.rpartition(" ")
        if first in ("selected", "condition", "value", "answer", "copied"):
            return f"{self(first)} {rest}".strip()
        return f"{before} {self(last)}" if last in ("subject", "object", "trigger") else label
