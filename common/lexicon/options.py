"""The flags of scripts that read a corpus."""

from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError, check_at_least
from common.lexicon.corpus import STDIN, Partition, partitions_of, with_stdin_kept
from common.lexicon.counting import LEAST_MEMORY, Budget, Workers


@dataclass
class CorpusOptions:
    """The corpus, and what may be used to go through it."""

    input: tuple[Path, ...] = ()
    """Files and folders with texts, packed or not, and "-" for standard input: plain text, or JSON of any contest, in
    which every string of 10 Chinese characters is a text."""
    fields: tuple[str, ...] = ()
    """Keys of JSON whose strings are the texts, and no others."""
    processes: int = 1
    """Processes that count. More than the processor has cores are of no use."""
    scheduler: str | None = None
    """Address of a Dask scheduler, whose workers count in place of this machine. Each must see the corpus under the same
    names; --memory-megabytes is then that of each."""
    memory_megabytes: int = 2048
    """Memory of all processes together. What does not fit is kept in a folder beside --output until the end."""

    def __post_init__(self):
        check_at_least(self, processes=1)
        least = LEAST_MEMORY // 2**20 * self.processes
        if self.memory_megabytes < least:
            raise UserError(
                f"--memory-megabytes {self.memory_megabytes}: must be at least {least}, {least // self.processes} for each process"
            )
        if self.scheduler and self.processes > 1:
            raise UserError(
                "--processes: are those of this machine, and --scheduler counts elsewhere - give one of both"
            )
        if self.scheduler and STDIN in self.input:
            raise UserError("--input -: no other machine can read it - save it as a file that all workers see")
        if not self.input:
            raise UserError("--input: is missing - name files or folders with texts")

    @property
    def workers(self) -> Workers:
        """Who counts."""
        return Workers(self.processes, self.scheduler)

    def budget(self, order: int) -> Budget:
        """What each process may use to count n-grams."""
        return Budget.of(self.memory_megabytes * 2**20 // self.processes, order)

    def partitions(self, order: int, folder: Path, again: bool = False) -> list[Partition]:
        """The corpus in pieces that one process counts at a time. again: it is gone through more than once, for which
        standard input is kept in the folder. Raises UserError where something is missing."""
        paths = with_stdin_kept(self.input, folder) if again or self.processes > 1 else self.input
        return partitions_of(paths, 4 * self.budget(order).text)
