"""WordPiece with character offsets, vocabularies from a checkpoint or a corpus, and words mixed into characters."""

from common.tokenizers.vocabulary import SPECIAL_TOKENS, build_vocabulary
from common.tokenizers.windows import windows
from common.tokenizers.wordpiece import Encoding, WordPieceTokenizer
from common.tokenizers.words import WordVocabulary, segment, word_positions

__all__ = [
    "SPECIAL_TOKENS",
    "Encoding",
    "WordPieceTokenizer",
    "WordVocabulary",
    "build_vocabulary",
    "segment",
    "windows",
    "word_positions",
]
