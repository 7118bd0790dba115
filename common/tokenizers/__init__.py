"""WordPiece with character offsets, vocabularies from a checkpoint or a corpus, and words mixed into characters."""

from common.tokenizers.normalization import strip_span
from common.tokenizers.vocabulary import SPECIAL_TOKENS, build_vocabulary
from common.tokenizers.windows import PairWindow, pair_windows, windows
from common.tokenizers.wordpiece import Encoding, WordPieceTokenizer
from common.tokenizers.words import WordVocabulary, segment, word_positions

__all__ = [
    "SPECIAL_TOKENS",
    "Encoding",
    "PairWindow",
    "WordPieceTokenizer",
    "WordVocabulary",
    "build_vocabulary",
    "pair_windows",
    "segment",
    "strip_span",
    "windows",
    "word_positions",
]
