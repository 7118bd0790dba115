"""The tokenizer of a checkpoint: a vocab.txt, or a WordPiece inside of a tokenizer.json, and how it treats text. And that
of a run, which keeps both."""

from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.encoders.checkpoint_files import json_object, matching
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.vocabulary import is_lower_case
from common.tokenizers.wordpiece import PAD

_LARGEST_TOKENIZER = 100_000_000  # bytes; that of LaBSE, with half a million tokens, has 10 million

#: What to do where a run is none of ours.
OTHER_VERSION = "use the version that trained the run, or train it again"


def tokenizer_of(folder: Path, vocabulary: Path, config: dict[str, Any], rows: int) -> WordPieceTokenizer:
    """The tokenizer of a checkpoint whose embeddings have so many rows.

    Lower case, accents and ideographs: what tokenizer_config.json says counts, then tokenizer.json, then the config.
    Raises UserError for a vocabulary that is none, has more tokens than rows, or pads by another token than its first.
    """
    told = {**config, **_normalizer(folder), **_settings(folder)}
    accents, ideographs = told.get("strip_accents"), told.get("tokenize_chinese_chars", True)
    switches = {
        "strip_accents": accents if isinstance(accents, bool) else None,
        "tokenize_chinese_chars": ideographs is not False,
    }
    try:
        if vocabulary.suffix == ".json":
            tokenizer = WordPieceTokenizer(_tokens(vocabulary, rows), **switches)
        else:
            tokenizer = WordPieceTokenizer.from_file(vocabulary, **switches)
    except UserError:
        raise
    except ValueError as error:
        name = "" if str(vocabulary) in str(error) else f"{vocabulary}: "
        raise UserError(f"{name}{error} - take the vocabulary that belongs to this checkpoint") from None
    if len(tokenizer) > rows:
        raise UserError(
            f"{vocabulary}: has {len(tokenizer)} tokens, but the weights are for {rows} - they belong to different checkpoints"
        )
    if tokenizer.vocabulary[0] != PAD:
        raise UserError(f"{vocabulary}:1: must be {PAD}, since token 0 is padding here - take another checkpoint")
    lowercase = is_lower_case(tokenizer.vocabulary, told.get("do_lower_case"))
    return tokenizer if lowercase else WordPieceTokenizer(tokenizer.vocabulary, lowercase, **switches)


def _settings(folder: Path) -> dict[str, Any]:
    paths = matching(folder, "tokenizer_config.json")
    return json_object(paths[0]) if paths else {}


def _normalizer(folder: Path) -> dict[str, Any]:
    """What tokenizer.json, if there is one, says of lower case, accents and ideographs, by the names of
    tokenizer_config.json."""
    paths = matching(folder, "tokenizer.json")
    normalizer = json_object(paths[0], _LARGEST_TOKENIZER).get("normalizer") if paths else None
    if not isinstance(normalizer, dict) or normalizer.get("type") != "BertNormalizer":
        return {}
    names = {
        "lowercase": "do_lower_case",
        "strip_accents": "strip_accents",
        "handle_chinese_chars": "tokenize_chinese_chars",
    }
    return {name: normalizer[key] for key, name in names.items() if normalizer.get(key) is not None}


def _tokens(path: Path, rows: int) -> list[str]:
    """The tokens of a tokenizer.json by id. An id without a token has one that no text contains: of two tokens that are
    the same the file tells the later."""
    model = json_object(path, _LARGEST_TOKENIZER).get("model")
    if not isinstance(model, dict) or model.get("type", "WordPiece") != "WordPiece":
        kind = model.get("type") if isinstance(model, dict) else None
        raise UserError(f"{path}: its model is {kind!r:.60}, and must be WordPiece, as a BERT has it")
    vocabulary = model.get("vocab")
    if not isinstance(vocabulary, dict) or model.get("continuing_subword_prefix", "##") != "##":
        raise UserError(f"{path}: is no WordPiece of a BERT, with a vocabulary and ## within words - take vocab.txt")
    ids = list(vocabulary.values())
    if not all(type(number) is int and 0 <= number < rows for number in ids) or len(set(ids)) < len(ids):
        raise UserError(
            f"{path}: its ids must be different whole numbers below {rows}, the rows of the weights - do they belong together?"
        )
    tokens = [f"[none{number}]" for number in range(max(ids, default=-1) + 1)]
    for token, number in vocabulary.items():
        tokens[number] = token
    return tokens


def switches_of(tokenizer: WordPieceTokenizer) -> dict[str, bool]:
    """How it treats text, for the settings of a run."""
    names = ("lowercase", "strip_accents", "tokenize_chinese_chars")
    return {name: getattr(tokenizer, name) for name in names}


def tokenizer_of_run(folder: Path, settings: dict[str, Any], source: Path, tokens: int) -> WordPieceTokenizer:
    """The tokenizer of a run that keeps `switches_of` it among its settings, the file `source`, and vocab.txt. Raises
    UserError for settings that none has, and where it has not so many tokens."""
    lowercase = settings.get("lowercase", True)  # what older runs do not tell is as it was for all of them
    switches = {
        "lowercase": lowercase,
        "strip_accents": settings.get("strip_accents", lowercase),
        "tokenize_chinese_chars": settings.get("tokenize_chinese_chars", True),
    }
    if not all(isinstance(value, bool) for value in switches.values()):
        raise UserError(f"{source}: {switches!r:.200} are switches that none has - {OTHER_VERSION}")
    tokenizer = WordPieceTokenizer.from_file(folder / "vocab.txt", **switches)
    if len(tokenizer) != tokens:
        raise UserError(
            f"{folder / 'vocab.txt'}: has {len(tokenizer)} tokens, and {source.name} says {tokens} - {OTHER_VERSION}"
        )
    return tokenizer
