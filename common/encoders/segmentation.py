"""What an encoder's words are cut by: jieba, jieba with the words of --dictionary besides its own, or the segmenter of
--segmenter. A run keeps the words or the segmenter."""

from collections.abc import Iterable
from pathlib import Path

from common.command_line import UserError
from common.lexicon.word_list import read_word_list
from common.options import EncoderOptions
from common.runs.directory import SEGMENTATION, Run, open_trained_run
from common.runs.files import check_plain, file_of_run
from common.tokenizers.segmentation import added_words, segmenter_in_use, use_segmenter, use_words

_DICTIONARY, _SEGMENTER = "dictionary.txt", "segmenter"
_MOST_BYTES = 2**26  # of a dictionary


def prepare_segmentation(options: EncoderOptions, run: Run | None = None) -> None:
    """From here on the process cuts words as a run that is continued does, or as the flags say. Making or loading an
    encoder does the same: this is for who needs words before. Raises UserError for a file that is no list of words, and
    for what is no run of a segmenter."""
    if run is not None:
        load_segmentation(run.path)
    elif options.segmenter:
        _use_segmenter_in(options.segmenter)
    else:
        use_words(read_word_list(options.dictionary) if options.dictionary else ())


def load_segmentation(folder: Path) -> None:
    """The same for the folder of a run."""
    dictionary, segmenter = (file_of_run(folder, name) for name in (_DICTIONARY, _SEGMENTER))
    if segmenter.exists():
        _use_segmenter_in(segmenter)
    elif dictionary.exists():
        use_words(_words_of(dictionary))
    else:
        use_words(())


def save_segmentation(folder: Path) -> None:
    """Put what the process cuts by into the folder of a run."""
    if added_words():
        (folder / _DICTIONARY).write_text("".join(f"{word}\n" for word in added_words()), "utf-8")
    if segmenter := segmenter_in_use():
        segmenter.save(folder / _SEGMENTER)


def _words_of(dictionary: Path) -> Iterable[str]:
    try:
        check_plain(dictionary, _MOST_BYTES)
    except ValueError as error:
        raise UserError(f"{dictionary}: cannot be read ({error}) - train the run again") from None
    return read_word_list(dictionary)


def _use_segmenter_in(folder: Path) -> None:
    run = open_trained_run(folder, Path(), SEGMENTATION)
    from common.lexicon.segmenter import Segmenter

    before = segmenter_in_use()
    if not (isinstance(before, Segmenter) and before.is_of(run)):
        use_segmenter(Segmenter.of(run))
