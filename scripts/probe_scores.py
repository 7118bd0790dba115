"""How well the words and trees that probe.py finds fit those that are known, beside simple ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from common.analysis.perturbed_masking import (
    arcs_of_heads,
    attachment_score,
    between_words,
    chain_of,
    split_tree,
    strongest_arcs,
)
from common.analysis.trees import (
    balanced,
    bracket_f1,
    bracketed,
    left_branching,
    only,
    random_tree,
    right_branching,
)
from common.command_line import printable, table
from common.lexicon.segmentation_score import segmentation_score

from probe_gold import GoldText
from probe_reading import Keep, Read, Rule, learned_rule

if TYPE_CHECKING:
    from probe import Config


def score_words(
    found: Sequence[Read], gold: Sequence[GoldText], rule: Rule, config: "Config"
) -> dict[str, dict[str, float]]:
    """Prints and returns F1, precision and recall of the words: by a rule, or, where none was given, also by those of
    strong and of weak impact that were learned on the half of the sentences that is not scored; by jieba, and of single
    characters."""
    from common.tokenizers.segmentation import segmented

    texts, expected = [one.text for one in found], [one.words for one in gold]
    ways, shown = {str(rule): [one.words(rule) for one in found]}, str(rule)
    together = [known.together(one.tokens.offsets) for one, known in zip(found, gold)]
    learns = config.threshold is None and len(found) > 1
    for keep in get_args(Keep) if learns else ():
        ways[f"{keep}, learned"] = by_halves(found, together, keep, config.seed)
        shown = f"{config.keep}, learned"
    ways["jieba"] = [[text[start:end] for start, end in ranges] for text, ranges in segmented(texts)]
    ways["single characters"] = [list(text) for text in texts]
    words = {name: [[word for word in row if not word.isspace()] for row in rows] for name, rows in ways.items()}
    scores = {name: segmentation_score(expected, rows) for name, rows in words.items()}
    for row in words[shown][: config.shown]:
        print(printable(" ".join(row)))
    rows = [[name, *(score[figure] for figure in ("f1", "precision", "recall"))] for name, score in scores.items()]
    print("\n" + table([f"words of {len(found)} sentences", "f1", "precision", "recall"], rows))
    if learns:
        every = learned_rule(found, together, config.keep)
        print(f"learned on all of them: --keep {every.keep} --threshold {every.threshold:.4g}")
    return scores


def by_halves(found: Sequence[Read], together: Sequence[np.ndarray], keep: Keep, seed: int) -> list[list[str]]:
    """The words of each sentence by the rule that was learned on the half in which it is not."""
    halves = np.random.default_rng(seed).permutation(len(found)) % 2
    learned = []
    for half in (0, 1):
        places = np.flatnonzero(halves == half)
        learned.append(learned_rule([found[place] for place in places], [together[place] for place in places], keep))
    return [one.words(learned[1 - half]) for one, half in zip(found, halves)]


def score_trees(found: Sequence[Read], gold: Sequence[GoldText], config: "Config") -> dict[str, dict[str, Any]]:
    """Prints and returns F1 of the brackets and the share of the arcs that are found, without punctuation, beside those
    of simple trees. A sentence of which a word has no token of its own is left out."""
    matrices, kept_gold = [], []
    for one, known in zip(found, gold):
        sizes = known.sizes(one.tokens.offsets)
        if sizes is not None and known.kept.any():
            kept = known.kept
            matrices.append(between_words(one.matrix, sizes)[np.ix_(kept, kept)])
            kept_gold.append(known)
    lengths = [len(matrix) for matrix in matrices]
    expected = [only(one.brackets, one.kept) for one in kept_gold]
    generator = np.random.default_rng(config.seed)
    trees = {"perturbed masking": [split_tree(matrix) for matrix in matrices]}
    for name, make in (("left", left_branching), ("right", right_branching), ("balanced", balanced)):
        trees[name] = [make(length) for length in lengths]
    trees["random"] = [random_tree(length, generator) for length in lengths]
    arcs = {
        "perturbed masking": [strongest_arcs(matrix) for matrix in matrices],
        "each word to the next": [chain_of(length) for length in lengths],
        "random": [strongest_arcs(generator.random((length, length))) for length in lengths],
    }
    wanted = [arcs_of_heads(one.heads, one.kept) for one in kept_gold]
    for one, tree in [*zip(kept_gold, trees["perturbed masking"])][: config.shown]:
        print(printable(bracketed([word for word, is_kept in zip(one.words, one.kept) if is_kept], tree)))
    f1 = {name: bracket_f1(zip(lengths, expected), found_trees) for name, found_trees in trees.items()}
    attached = {name: attachment_score(wanted, found_arcs) for name, found_arcs in arcs.items()}
    count = f1["random"].sentences
    print(
        "\n"
        + table([f"F1 of {count} trees", "mean", "all brackets"], [[name, *score[:2]] for name, score in f1.items()])
    )
    print("\n" + table([f"arcs of {len(lengths)} sentences", "found"], [*attached.items()]))
    return {"f1": {name: score._asdict() for name, score in f1.items()}, "arcs": attached}
