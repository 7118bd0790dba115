"""WordPiece with character offsets, vocabularies from a checkpoint or a corpus, and words mixed into characters."""

from common.tokenizers.dictionary import Dictionary, Match, longest_matches, name_form, normal_name, strip_title_marks
from common.tokenizers.normalization import strip_span
from common.tokenizers.segmentation import segment, segment_all
from common.tokenizers.vocabulary import SPECIAL_TOKENS, build_vocabulary
from common.tokenizers.windows import PairWindow, pair_windows, windows
from common.tokenizers.wordpiece import Encoding, WordPieceTokenizer
from common.tokenizers.words import WordVocabulary, word_positions

__all__ = [
    "SPECIAL_TOKENS",
    "Dictionary",
    "Encoding",
    "Match",
    "PairWindow",
    "WordPieceTokenizer",
    "WordVocabulary",
    "build_vocabulary",
    "longest_matches",
    "name_form",
    "normal_name",
    "pair_windows",
    "segment",
    "segment_all",
    "strip_span",
    "strip_title_marks",
    "windows",
    "word_positions",
]
