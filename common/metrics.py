"""F1 pieces that the official metrics share. No TensorFlow."""

from collections import Counter


def precision_recall_f1(
    correct_predictions: float, predicted: float, found_gold: float, gold: float
) -> dict[str, float]:
    """`precision` = correct_predictions / predicted, `recall` = found_gold / gold, `f1` = their harmonic mean,
    unrounded.

    The two numerators are apart because organisers count them apart: with aliases, or with partial credit, the number
    of right predictions and the number of gold items found can differ. What would divide by zero is 0.0: somebody who
    predicts nothing has earned nothing. Raises ValueError for a negative count.
    """
    if min(correct_predictions, predicted, found_gold, gold) < 0:
        raise ValueError("counts of predictions and gold items cannot be negative")
    precision = correct_predictions / predicted if predicted else 0.0
    recall = found_gold / gold if gold else 0.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def character_f1(a: str, b: str) -> float:
    """F1 of the characters that both strings have, each as often as both have it, in any order; 0.0 where none is. Case
    counts."""
    if a in b or b in a:  # so it is mostly, where there is anything in common
        common = min(len(a), len(b))
    else:
        common = (Counter(a) & Counter(b)).total()
    return 2 * common / (len(a) + len(b)) if common else 0.0
