"""The words and trees that a pretrained transformer knows, by perturbed masking: nothing is trained.

python scripts/probe.py --pretrained BERT --text "我今天在北京大学读书"
python scripts/probe.py --pretrained BERT --input TEXTS
python scripts/probe.py --pretrained BERT --gold SENTENCES

docs/probing.md says how. It takes n(n + 1)/2 readings of a text of n tokens.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.analysis.perturbed_masking import adjacent_impacts, impact_matrices, neighbours_of
from common.analysis.trees import bracketed
from common.command_line import UserError, check_at_least, check_share, parse_flags, printable, run
from common.options import BATCH_TOKENS
from common.process import start_tensorflow
from common.submission import read_lines
from common.tokenizers import Encoding

from probe_gold import GoldText, read_gold
from probe_reading import Keep, Read, Rule, rule_of_share
from probe_scores import score_trees, score_words


@dataclass
class Config:
    """Say which words and trees a pretrained transformer knows, without training anything."""

    pretrained: Path
    """Folder of a checkpoint of BERT's family, with a head of a masked language model or without, or its name on the
    Hugging Face hub, OWNER/NAME."""
    text: str | None = None
    """A text, whose words and tree are printed."""
    input: Path | None = None
    """In place of a text: a file with one on each line."""
    gold: Path | None = None
    """In place of both: sentences whose words are known, to be scored against. JSON lines with "seg", words with blanks
    between, or with "words" and "heads" (counted from 1, 0 for a root)."""
    layer: int = 0
    """The layer whose states are compared, from 1. Default: the last one."""
    threshold: float | None = None
    """Neighbours are kept together from this impact on, or up to it with --keep weak. Default: by --share; with --gold
    learned on the other half of it, too."""
    keep: Keep = "strong"
    """Which neighbours are of one word: those of strong impact, or those of weak impact, as in networks that were
    pretrained by hiding whole words (scripts/pretrain.py and checkpoints called wwm)."""
    share: float = 0.4
    """Without a threshold: so many of all neighbours are kept together."""
    max_length: int = 60
    """Longest text in tokens. Longer ones of a file are left out, and counted."""
    most: int = 200
    """Score so many sentences of --gold, the first ones that are short enough."""
    shown: int = 10
    """So many sentences of --gold are printed as they were found."""
    batch_tokens: int = BATCH_TOKENS
    """Tokens per batch, padding included."""
    seed: int = 1
    """Decides the halves of --gold and the random trees."""

    def __post_init__(self):
        check_at_least(self, layer=0, threshold=0, max_length=2, most=2, shown=0, batch_tokens=1, seed=0)
        check_share(self, "share")
        if [self.text, self.input, self.gold].count(None) != 2:
            raise UserError("--text, --input or --gold: give one of them")
        if self.text is not None and not self.text.strip():
            raise UserError("--text: is blank - give a text")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints words and trees, or scores; returns them: of each of `texts` `words` and `brackets`, or scores by name."""
    config = parse_flags(Config, argv)
    gold = read_gold(config.gold) if config.gold else []
    texts = [one.text for one in gold] or texts_of(config)
    start_tensorflow()  # now that flags and files have been looked at

    from probed_network import probed_encoder

    encoder = probed_encoder(config.pretrained, config.layer)
    longest = min(config.max_length, encoder.max_length - 2)
    encodings = [encoder.tokenizer.tokenize(text) for text in texts]
    chosen = short_enough(encodings, longest, config)
    if gold:
        chosen, gold = chosen[: config.most], [gold[place] for place in chosen[: config.most]]
    with_trees = not gold or gold[0].heads is not None
    begun = time.perf_counter()
    found = readings(
        [texts[place] for place in chosen], [encodings[place] for place in chosen], with_trees, encoder, config
    )
    # Those of a file are not held: the impacts of a long text take megabytes.
    figures = score_all(list(found), gold, config) if gold else {"texts": [print_text(one, config) for one in found]}
    lengths = [len(encodings[place]) for place in chosen]
    rows = sum(n * (n + 1) // 2 if with_trees else 2 * n - 1 for n in lengths)
    print(f"\n{len(lengths)} texts, {rows:,} rows in {time.perf_counter() - begun:.1f} seconds")
    return figures


def readings(
    texts: Sequence[str], encodings: Sequence[Encoding], with_trees: bool, encoder: Any, config: Config
) -> Iterator[Read]:
    """What the network says of each text: impacts between all tokens, or between neighbours alone."""
    from probed_network import probe_of

    vocabulary, mask_id = encoder.tokenizer.vocabulary, encoder.tokenizer.mask_id
    ids = [ids_of(tokens, encoder) for tokens in encodings]
    impacts = (impact_matrices if with_trees else adjacent_impacts)(
        ids, mask_id, probe_of(encoder, config.batch_tokens)
    )
    for text, tokens, of_text in zip(texts, encodings, impacts):
        continued = np.array([vocabulary[token][:2] == "##" for token in tokens.ids[1:]], bool)
        adjacent, matrix = (neighbours_of(of_text), of_text) if with_trees else (of_text, None)
        yield Read(text, tokens, continued, adjacent, matrix)


def texts_of(config: Config) -> list[str]:
    return [config.text] if config.input is None else [line for _, line in read_lines(config.input)]


def ids_of(tokens: Encoding, encoder: Any) -> np.ndarray:
    return np.array([encoder.tokenizer.start_id, *tokens.ids.tolist(), encoder.tokenizer.end_id], np.int32)


def short_enough(encodings: Sequence[Encoding], longest: int, config: Config) -> list[int]:
    """The places of the texts that are read. Raises UserError where none is left."""
    chosen = [place for place, tokens in enumerate(encodings) if 1 <= len(tokens) <= longest]
    if not chosen:
        source = f"--text {config.text}" if config.text is not None else config.input or config.gold
        lengths = sorted(map(len, encodings))
        raise UserError(
            f"{source}: has no text of 1 to {longest} tokens, but from {lengths[0]} to {lengths[-1]} - give shorter ones, or a higher --max-length if the checkpoint has the places"
        )
    if len(chosen) < len(encodings):
        print(
            f"left out  {len(encodings) - len(chosen)} of {len(encodings)} texts, which have not 1 to {longest} tokens"
        )
    return chosen


def rule_for(found: Sequence[Read], config: Config) -> Rule:
    """The threshold that is given, or that of --share of the neighbours in these texts."""
    if config.threshold is not None:
        return Rule(config.threshold, config.keep)
    return rule_of_share(found, config.share, config.keep)


def print_text(one: Read, config: Config) -> dict[str, Any]:
    """Returns what it prints."""
    rule = rule_for([one], config)
    words, tree = one.words(rule), one.tree(rule)
    print("\n" + printable(" ".join(words)) + f"   ({rule})")
    print(printable(bracketed(words, tree)), flush=True)
    return {"words": words, "brackets": sorted(tree)}


def score_all(found: Sequence[Read], gold: Sequence[GoldText], config: Config) -> dict[str, Any]:
    """Prints what was found of the first sentences, and tables."""
    scores = {"words": score_words(found, gold, rule_for(found, config), config)}
    if found[0].matrix is not None:
        scores["trees"] = score_trees(found, gold, config)
    return scores


if __name__ == "__main__":
    run(main)
