"""Our tokenizer as a graph of TensorFlow: texts in, ids out, without Python and without TensorFlow Text.

Each character is looked up in a table that says what it becomes: other letters, itself between blanks, a blank, or
nothing. What then stands between blanks is a word, which is cut from the left, each time the longest token that there
is. The ids are those of `WordPieceTokenizer` for any vocabulary, and for any text in UTF-8 without two rarities: a
capital sigma at the end of a word (each becomes the letter inside of words), and characters that change places in
canonical order and stay (Hangul tone marks, musical stems).
"""

from functools import lru_cache
from itertools import chain

from common.keras_compat import tf
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.normalization import Normalizer
from common.tokenizers.wordpiece import LONGEST_WORD

# All other planes are private, or have no characters yet: these stay as they are.
_CODES = [*chain(range(0x40000), range(0xE0000, 0xE1000))]
_UNCHANGED = "\0"  # nothing becomes this: it vanishes


class TextReader(tf.Module):
    """Texts -> inputs of a BERT: [CLS] tokens [SEP], those of `tokenizer.encode(text, max_length)`; and pairs of them."""

    def __init__(self, tokenizer: WordPieceTokenizer, max_length: int):
        super().__init__()
        self._start, self._end = tokenizer.start_id, tokenizer.end_id
        self._pad, self._unknown = tokenizer.pad_id, tokenizer.unknown_id
        self._max_length = max_length
        changed = changed_characters(tokenizer.lowercase, tokenizer.strip_accents, tokenizer.tokenize_chinese_chars)
        self._normal = _table(changed, tf.string, _UNCHANGED)
        self._ids = _table(tokenizer.ids, tf.int64, -1)
        self._longest_token = max(map(len, tokenizer.ids))

    def __call__(self, texts) -> dict[str, tf.Tensor]:
        """texts: string (batch,), UTF-8. Returns `token_ids` and `segment_ids`, int32 (batch, length)."""
        return self._laid_out(self._between([self._start], self.tokens(texts)[:, : self._max_length - 2]))

    def pairs(self, questions, contexts) -> dict[str, tf.Tensor]:
        """The same of [CLS] question [SEP] context [SEP]: the first window of `common.tokenizers.pair_windows`."""
        asked = self._between([self._start], self.tokens(questions)[:, : (self._max_length - 3) // 2])
        context = self.tokens(contexts)
        room = self._max_length - 1 - asked.row_lengths()
        context = tf.ragged.boolean_mask(context, tf.ragged.range(context.row_lengths()) < room[:, None])
        return self._laid_out(asked, self._between([], context))

    def _between(self, begin: list[int], tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """With tokens to begin with, and [SEP] behind."""
        rows = tokens.nrows()
        special = [tf.fill([rows, 1], tf.cast(token, tokens.dtype)) for token in (*begin, self._end)]
        return tf.concat([*special[:-1], tokens, special[-1]], axis=1)

    def _laid_out(self, *segments: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        numbered = [tf.zeros_like(segment) + number for number, segment in enumerate(segments)]
        return {
            "token_ids": tf.cast(tf.concat(segments, 1).to_tensor(self._pad), tf.int32),
            "segment_ids": tf.cast(tf.concat(numbered, 1).to_tensor(), tf.int32),
        }

    def tokens(self, texts) -> tf.RaggedTensor:
        """The ids of the tokens of each text, without special ones, int64 (batch, tokens)."""
        characters = tf.strings.unicode_split(texts, "UTF-8")
        normal = tf.ragged.map_flat_values(self._normalize, characters)
        words = tf.strings.split(tf.strings.reduce_join(normal, axis=1))
        ids, numbers = self._cut(words.values)
        pieces = tf.RaggedTensor.from_value_rowids(ids, numbers, tf.size(words.values, tf.int64))
        return words.with_values(pieces).merge_dims(1, 2)

    def _normalize(self, characters):
        normal = self._normal.lookup(characters)
        return tf.where(normal == _UNCHANGED, characters, normal)

    def _cut(self, words) -> tuple[tf.Tensor, tf.Tensor]:
        """words: string (n,). Returns the ids of their tokens in order, and for each the number of its word, int64."""
        lengths = tf.strings.length(words, unit="UTF8_CHAR")
        whole = self._ids.lookup(words)  # most words are one token
        is_whole, is_too_long = whole >= 0, lengths > LONGEST_WORD
        numbers = tf.where(~is_whole & ~is_too_long)[:, 0]
        state = numbers, tf.zeros_like(numbers, tf.int32), numbers[:0], numbers[:0], tf.where(is_too_long)[:, 0]
        _, _, found, ids, unknown = tf.while_loop(
            lambda numbers, *_: tf.size(numbers) > 0,
            lambda *state: self._cut_once(words, lengths, *state),
            state,
            (tf.TensorShape([None]),) * len(state),
        )
        # A word with a part that is no token is one [UNK], whatever was found before that part.
        is_known = tf.tensor_scatter_nd_update(~is_too_long, unknown[:, None], tf.zeros_like(unknown, tf.bool))
        kept = tf.gather(is_known, found)
        is_whole &= ~is_too_long
        numbers = tf.concat([tf.where(is_whole)[:, 0], found[kept], unknown], 0)
        ids = tf.concat([whole[is_whole], ids[kept], tf.fill(tf.shape(unknown), tf.cast(self._unknown, tf.int64))], 0)
        order = tf.argsort(numbers, stable=True)
        return tf.gather(ids, order), tf.gather(numbers, order)

    def _cut_once(self, words, lengths, numbers, starts, found, ids, unknown):
        """One more token of each of the words `numbers`, which are cut up to `starts`."""
        words, lengths = tf.gather(words, numbers)[:, None], tf.gather(lengths, numbers)[:, None]
        longest = tf.minimum(self._longest_token, tf.reduce_max(lengths))
        sizes, starts = tf.range(longest, 0, -1)[None], starts[:, None]
        shape = tf.shape(starts + sizes)
        pieces = tf.strings.substr(
            tf.broadcast_to(words, shape), tf.broadcast_to(starts, shape), tf.broadcast_to(sizes, shape), "UTF8_CHAR"
        )
        tokens = self._ids.lookup(tf.where(starts > 0, "##", "") + pieces)
        tokens = tf.where(starts + sizes <= lengths, tokens, -1)
        best = tf.argmax(tokens >= 0, axis=1)  # the first, and so the longest
        token, end = tf.gather(tokens, best, batch_dims=1), starts[:, 0] + tf.gather(sizes[0], best)
        is_found = token >= 0
        goes_on = is_found & (end < lengths[:, 0])
        return (
            numbers[goes_on],
            end[goes_on],
            tf.concat([found, numbers[is_found]], 0),
            tf.concat([ids, token[is_found]], 0),
            tf.concat([unknown, numbers[~is_found]], 0),
        )


@lru_cache(maxsize=8)  # a second of work
def changed_characters(lowercase: bool, strip_accents: bool, tokenize_chinese_chars: bool) -> dict[str, str]:
    """What each character becomes that does not stay as it is, with these switches of a tokenizer."""
    normalizer, found = Normalizer(lowercase, strip_accents, tokenize_chinese_chars), {}
    for character in map(chr, _CODES):
        if not "\ud800" <= character <= "\udfff":
            normal = normalizer.alone(character)
            normal = normalizer.normalize(character).text if normal is None else normal
            if normal != character:
                found[character] = normal
    return found


def _table(values: dict[str, object], kind: tf.DType, default: object) -> tf.lookup.StaticHashTable:
    keys = tf.constant([*values], tf.string)
    content = tf.lookup.KeyValueTensorInitializer(keys, tf.constant([*values.values()], kind))
    return tf.lookup.StaticHashTable(content, tf.constant(default, kind))
