"""How similar questions are drawn, and which of them are kept. No TensorFlow."""

from dataclasses import dataclass

from common.command_line import check_above, check_at_least, check_at_most


@dataclass
class Drawing:
    """See `common.decoders.sample`."""

    count: int = 20
    """So many questions are drawn for each question."""
    kept: int = 5
    """So many of these are kept at most, without copies of the question and of each other: those with the largest
    cosines."""
    least_cosine: float = -1.0
    """Those with smaller cosines are not kept."""
    top_k: int = 0
    """Each token is one of so many most probable ones; 0: of all."""
    top_p: float = 0.95
    """Of these, of the fewest that have so much of the probability."""
    temperature: float = 1.0
    """Above 1 what is improbable is drawn more often, below it less often."""
    seed: int = 1
    """Decides what is drawn."""

    def __post_init__(self):
        check_at_least(self, count=1, kept=1, least_cosine=-1, top_k=0, seed=0)
        check_above(self, top_p=0, temperature=0)
        check_at_most(self, top_p=1, least_cosine=1)
