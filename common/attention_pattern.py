"""Which tokens of a text a token sees, as a setting. No TensorFlow."""

from dataclasses import dataclass
from typing import Any, Literal

from common.command_line import UserError, check_at_least, check_at_most

#: The longest text of a transformer, in tokens.
LONGEST = 2**16
#: The numbers of each pattern, and what they are where the flags of the same names are not given.
PATTERNS: dict[str, dict[str, int]] = {
    "full": {},
    "atrous": {"attention_rate": 16},
    "local": {"attention_window": 64},
    "sparse": {"attention_window": 64, "attention_rate": 16},
    "nystrom": {"landmarks": 64},
}
NUMBERS = ("attention_window", "attention_rate", "landmarks")


@dataclass(frozen=True)
class AttentionPattern:
    """kind: see `common.layers.attention_patterns` and `common.layers.nystrom`. A pattern has the numbers in PATTERNS,
    and None for the others. Raises UserError for others, and for numbers that no text is long enough for."""

    kind: Literal["full", "atrous", "local", "sparse", "nystrom"] = "full"
    attention_window: int | None = None
    attention_rate: int | None = None
    landmarks: int | None = None

    def __post_init__(self):
        check_at_least(self, attention_window=1, attention_rate=2, landmarks=1)
        check_at_most(self, **dict.fromkeys(NUMBERS, LONGEST))
        for name in NUMBERS:
            value, flag = getattr(self, name), f"--{name.replace('_', '-')}"
            if value is not None and name not in PATTERNS[self.kind]:
                others = " or ".join(pattern for pattern, numbers in PATTERNS.items() if name in numbers)
                raise UserError(f"{flag} {value}: is for --attention {others}, and this is {self.kind} - leave it out")
            if value is None and name in PATTERNS[self.kind]:
                raise UserError(f"--attention {self.kind}: has no {flag}")

    def arguments(self) -> dict[str, Any]:
        """The numbers, as the functions of `common.layers` call them."""
        names = {"attention_window": "window", "attention_rate": "rate", "landmarks": "landmarks"}
        return {names[name]: getattr(self, name) for name in PATTERNS[self.kind]}


FULL = AttentionPattern()
