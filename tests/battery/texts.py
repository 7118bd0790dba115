"""Odd texts, through a network of each contest: predict.py must write what its own check accepts, and say of each text
the same whatever stands beside it."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from battery import Part, Refusal, Tally, answered, trained_quietly
from contests import CONTESTS, Contest, Example
from workshop import Workshop, numbered, submission_bytes

_TEXTS_OF_AN_INPUT = 24


class Texts(Part):
    """Each input is two dozen texts for one contest."""

    seconds, memory = 200.0, 2**31

    def __init__(self, folder: Path, workshop: Workshop, contests: list[Contest] = CONTESTS):
        folder.mkdir()
        self.folder, self.workshop, self.contests = folder, workshop, contests

    def order(self, number: int) -> int:
        return number % len(self.contests)

    def attempt(self, generator: Random, tally: Tally) -> None:
        contest = self.contests[self.order(tally.number)]
        examples = odd_examples(contest, trained_quietly(self.workshop, contest).examples, generator)
        answers = self.answers(contest, examples, 64, tally)
        if answers is None:
            return
        order = generator.sample(range(len(examples)), len(examples))
        for batch_tokens, places in ((1, range(len(examples))), (700, order)):
            again = self.answers(contest, [examples[place] for place in places], batch_tokens, tally)
            for place, answer in zip(places, again or ()):
                if answer != answers[place]:
                    problem = (
                        f"{answers[place]!r:.150} becomes {answer!r:.150} for {contest.text(examples[place])!r:.100}"
                    )
                    tally.fault(f"{contest.folder}, batches of {batch_tokens} tokens", problem)

    def answers(self, contest: Contest, examples: list[Example], batch_tokens: int, tally: Tally) -> list | None:
        """What predict.py says of each; None, and a fault, where it fails or says nothing."""
        output = self.folder / f"submission{contest.suffixes[0]}"

        def predict() -> list:
            try:
                answered(self.workshop.predict(contest, examples, output, "--batch-tokens", batch_tokens))
            except Refusal as error:
                raise AssertionError(f"refuses texts: {error}") from None
            return contest.answers(submission_bytes(output), examples)

        return tally.call(f"{contest.folder}, batches of {batch_tokens} tokens", predict)


def odd_examples(contest: Contest, known: list[Example], generator: Random) -> list[Example]:
    """Examples without labels, some of which the network knows, whole or among other things, and two the same."""
    examples = []
    for _ in range(_TEXTS_OF_AN_INPUT):
        example = generator.choice(known)
        examples.append(contest.with_text(example, odd_text(contest.text(example), generator)))
    examples[1] = examples[0]
    examples[2] = known[0]
    return numbered(contest, [contest.unlabelled(example) for example in examples])


def odd_text(known: str, generator: Random) -> str:
    pieces = [generator.choice(_PIECES)(known, generator) for _ in range(generator.choice((1, 1, 2, 3)))]
    if generator.random() < 0.6:
        pieces.insert(generator.randrange(len(pieces) + 1), known)
    # Two halves of a surrogate pair side by side are one character in JSON.
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _of(alphabet: str, longest: int) -> Callable[[str, Random], str]:
    """Characters of an alphabet."""
    return lambda known, generator: "".join(generator.choices(alphabet, k=generator.randint(1, longest)))


def _run(known: str, generator: Random) -> str:
    """Many of the same without a break."""
    return generator.choice("a1字😭İﬃ한々〇") * generator.choice((2, 100, 130, 201, 256, 256, 1000))


def _very_long(known: str, generator: Random) -> str:
    if generator.random() < 0.9:
        return ""
    return generator.choice(
        ("a" * 20_000, "这句话实在太长了，" * 500, "😭" * 5000, "\u0301" * 5000, "1" * 5000, " " * 20_000)
    )


def _repeated(known: str, generator: Random) -> str:
    """A piece of what is known, again and again: exact ties."""
    begin = generator.randrange(len(known))
    return known[begin : begin + generator.choice((1, 2, 5, 20))] * generator.choice((2, 3, 10, 40))


def _cut(known: str, generator: Random) -> str:
    return known[generator.randrange(len(known)) :]


def _shuffled(known: str, generator: Random) -> str:
    return "".join(generator.sample(known, len(known)))


def _other_form(known: str, generator: Random) -> str:
    """What looks nearly the same."""
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in known)
    return generator.choice(
        (known.upper(), known.lower(), wide, "\u200b".join(known), "\u0301".join(known), known[::-1])
    )


_PIECES: tuple[Callable[[str, Random], str], ...] = (
    *(
        lambda known, generator: "",
        _of(" \u3000\t\n\r\u2028\x85\xa0", 20),
        _of("".join(map(chr, range(32))) + "\x7f\x9b", 20),
    ),
    *(_of("\ud83d\ude2d\udfff", 5), _of("אבגדשלום مرحبا\u202e\u2067", 40), _of("e\u0301\u0300\u0308a\u20dd", 60)),
    *(
        _of("0123456789", 400),
        _of("０１２３一二三百万亿.%-/:", 60),
        _of("😭👨\u200d👩🏽🇨🇳\ufe0f", 300),
        _of("abcXYZ", 300),
    ),
    *(_of("《》“”（）[]{}\"'\\,;:", 60), _of("𠮷𪚥㐀", 20), _of("가각\u1100\u1161", 30), _of("的是在，。", 100)),
    *(_run, _run, _very_long, _repeated, _repeated, _cut, _shuffled, _other_form),
    lambda known, generator: generator.choice(
        ("[CLS][SEP][PAD]", "[unused1]", "<s>", "null", "NaN", "\\ud83d", "%s", "\0")
    ),
)
