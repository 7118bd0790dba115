"""The network that the commands of similar_questions.py ask: of a run of `train`, or a SimBERT that others have trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.command_line import UserError
from common.encoders.hub import local_folder
from common.runs.directory import SIMILARITY, has_trained_run, open_trained_run
from common.similarity import Pooling

if TYPE_CHECKING:
    from common.similarity.model import SimilarityNetwork


@dataclass
class NetworkOptions:
    run: Path | None = None
    """Folder of a run of `train`. Default: the newest one in --output-dir."""
    output_dir: Path = Path("runs")
    """Folder of all runs."""
    pretrained: Path | None = None
    """In place of a run a SimBERT that others have trained: a checkpoint's folder, or its name on a hub."""
    pooling: Pooling = "cls"
    """What the vector of a question is with --pretrained: the state of [CLS] through one more layer, as in the published
    SimBERTs, or the mean of all states."""

    def __post_init__(self):
        if self.run and self.pretrained:
            raise UserError("--run and --pretrained: one of them answers - leave the other out")

    @property
    def is_there(self) -> bool:
        """Whether one is named, or there is a run."""
        return bool(self.run or self.pretrained) or has_trained_run(self.output_dir, SIMILARITY)

    def check(self, writes: bool = False) -> str:
        """What answers, in a word. Raises UserError where there is no run, or where it has not learned to write and
        shall."""
        if self.pretrained:
            return str(self.pretrained)
        trained = open_trained_run(self.run, self.output_dir, SIMILARITY)
        loss = trained.setting("loss", str)
        if writes and loss != "simbert":
            raise UserError(
                f"{trained.path}: has not learned to write, with --loss {loss} - give a run with --loss simbert"
            )
        return trained.path.name

    def open(self, writes: bool = False) -> "SimilarityNetwork":
        """After `check`. Raises UserError where the run or the checkpoint is damaged, or has no part that is needed."""
        from common.similarity.model import SimilarityNetwork

        if self.pretrained:
            return SimilarityNetwork.published(local_folder(self.pretrained), self.pooling, writes)
        return SimilarityNetwork.of(open_trained_run(self.run, self.output_dir, SIMILARITY))
