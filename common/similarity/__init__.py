"""Similar questions: which mean the same, vectors by which they are found, and a network that writes more of them."""

from typing import Literal

#: Settings of a run: what is learned, and what the vector of a text is made of.
Loss = Literal["simbert", "cosent"]
Pooling = Literal["cls", "mean"]
