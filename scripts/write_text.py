"""Write texts: what a language model goes on with after the beginning of one.

python scripts/write_text.py --pretrained GPT2_ML --prompt "今天天气不错"              # a checkpoint
python scripts/write_text.py --prompt "今天天气不错" --num-texts 3                     # the newest run of train_writer.py
python scripts/write_text.py --pretrained GPT2_ML --prompts LINES --output TEXTS       # each line of a file
python scripts/write_text.py --model mlm --pretrained BERT --text "今天[MASK][MASK]很好"   # a masked language model
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from common.command_line import UserError, check_above, check_at_least, check_at_most, parse_flags, run
from common.encoders.hub import local_folder
from common.new_folder import check_new
from common.process import start_tensorflow
from common.runs.directory import WRITING, Run, open_trained_run
from common.submission import read_lines, write_json_lines

# The one flag that decides whose flags the others are.
_MODEL = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
_MODEL.add_argument("--model", nargs="?")


@dataclass
class Config:
    """Write texts: what a language model goes on with after the beginning of one."""

    model: Literal["gpt2_ml", "mlm"] = "gpt2_ml"
    """gpt2_ml: a language model that reads from left to right. mlm: a masked language model, with the flags of
    scripts/fill_text.py in place of those that follow."""
    pretrained: Path | None = None
    """Folder of a GPT2_ML, as TensorFlow saves it (a config, vocab.txt and model.ckpt-*) or as the Hugging Face hub has
    it (config.json, vocab.txt and model.safetensors); or its name there, OWNER/NAME."""
    run: Path | None = None
    """Run of scripts/train_writer.py. Default, without --pretrained: the newest one in --output-dir."""
    output_dir: Path = Path("runs")
    """Folder of all runs."""
    prompt: str | None = None
    """Beginning of the texts."""
    prompts: Path | None = None
    """File with such a beginning on each line, packed or not, in place of --prompt."""
    output: Path | None = None
    """File to be made: for each of these lines a JSON object on a line, with "prompt" and "texts"."""
    num_texts: int = 1
    """Texts for each beginning, written at once."""
    top_k: int = 5
    """Draw each token from so many, the most probable ones; 0: from all. The end is always among them."""
    top_p: float = 1.0
    """Of these, draw from the fewest that have this share of their probability."""
    temperature: float = 1.0
    """Below 1 the probable becomes more probable, above 1 less."""
    max_length: int = 256
    """Longest continuation, in tokens; less where the model has no positions for it."""
    min_length: int | None = None
    """Shortest one. Default: half of --max-length with --pretrained, whose texts end with a full stop, and 0 for a run."""
    end: str | None = None
    """Token that ends a text. Default: the full stop with --pretrained, and the end of a text, [SEP], for a run."""
    batch_size: int = 32
    """Texts that are written at once, where there are several beginnings. More need more memory."""
    seed: int = 1
    """Decides what is drawn."""

    def __post_init__(self):
        check_at_least(self, num_texts=1, top_k=0, max_length=1, min_length=0, batch_size=1, seed=0)
        check_above(self, top_p=0, temperature=0)
        check_at_most(self, top_p=1)
        if self.min_length is not None and self.min_length > self.max_length:
            raise UserError(f"--min-length {self.min_length}: must be at most --max-length, {self.max_length}")
        if (self.prompt is None) == (self.prompts is None):
            raise UserError("--prompt or --prompts: give one of them, the beginning of a text or a file of such")
        if (self.prompts is None) != (self.output is None):
            raise UserError(
                "--output: is missing - name the file to be made"
                if self.prompts
                else "--output: a single --prompt makes no file - leave it out, or give --prompts"
            )
        if self.pretrained and self.run:
            raise UserError("--pretrained and --run: are two models - leave out one of them")


def main(argv: Sequence[str] | None = None) -> list[Any]:
    """Prints the texts, or writes the file; returns those of each beginning. With --model mlm, what fill_text.py
    does."""
    arguments = [str(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    chosen, others = _MODEL.parse_known_args(arguments)
    if chosen.model == "mlm":
        import fill_text

        return fill_text.main(others)
    config = parse_flags(Config, arguments)
    if config.output:
        check_new(config.output)
    given = read_prompts(config)
    trained = None if config.pretrained else open_trained_run(config.run, config.output_dir, WRITING)
    texts = write_from_left(config, trained, given)
    if config.output:
        write_json_lines(config.output, ({"prompt": one, "texts": of_one} for (_, one), of_one in zip(given, texts)))
        print(f"written to {config.output}")
    else:
        print("\n".join(texts[0]))
    return texts


def read_prompts(config: Config) -> list[tuple[str, str]]:
    """The beginnings, and where each comes from."""
    if config.prompt is not None:
        return [("--prompt", config.prompt)]
    return [(f"{config.prompts}:{number}", line) for number, line in read_lines(config.prompts)]


def write_from_left(config: Config, trained: Run | None, given: Sequence[tuple[str, str]]) -> list[list[str]]:
    """By a language model that reads from left to right, of a checkpoint or of a run."""
    start_tensorflow()  # now that flags and files have been looked at
    from common.generation.decoding import CachedDecoder
    from common.generation.language_model import LanguageModel
    from common.generation.writing import Drawing, check_end, read_prompt, write_texts

    model = (
        LanguageModel.load(trained.path) if trained else LanguageModel.from_checkpoint(local_folder(config.pretrained))
    )
    shortest = config.min_length
    if shortest is None:
        shortest = 0 if trained else config.max_length // 2
    drawing = Drawing(
        end=model.end if config.end is None else config.end,
        count=config.num_texts,
        **{name: getattr(config, name) for name in ("top_k", "top_p", "temperature", "max_length", "seed")},
        min_length=shortest,
        rows=config.batch_size,
    )
    check_end(drawing.end, model)
    prompts = [read_prompt(text, model, where) for where, text in given]
    return write_texts(CachedDecoder(transformer_of(model, trained)), model, prompts, drawing)


def transformer_of(model: Any, trained: Run | None) -> Any:
    """With the weights of the checkpoint, or the best ones of the run."""
    from common.generation.training import training_network
    from common.keras_compat import set_precision
    from common.runs.callbacks import load_best

    if trained is None:
        return model.transformer()
    set_precision(trained.mixed_precision)
    transformer = model.transformer()
    load_best(trained, training_network(transformer))
    return transformer


if __name__ == "__main__":
    run(main)
