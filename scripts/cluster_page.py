"""clusters.html: a map of the texts and a list of the clusters, in one file that asks no network for anything.

Texts may come from anybody. They are in the page as JSON in which no tag can end or begin, the script shows them as text
and never as markup, and the page's policy lets no other script, style or address in.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from page_markup import data, source

_LEAST_FOR_TSNE = 30  # points: of fewer a plain projection
_PERPLEXITY = 30.0
_DIMENSIONS = 50  # that t-SNE looks at
_LONGEST = 300  # characters of a text that are shown


def map_of(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Places on a map, from 0 to 1 in both directions, float (texts, 2), the same for the same seed: t-SNE of what PCA leaves,
    in which what is alike is near; how far apart heaps are says little."""
    if len(vectors) < 3 or np.ptp(vectors, axis=0).max() == 0:
        return np.full((len(vectors), 2), 0.5)
    # In 64 bits, and each projection with a sign of its own: the same on each run.
    values = PCA(min(_DIMENSIONS, *vectors.shape), random_state=seed).fit_transform(vectors.astype(float))
    if len(vectors) >= _LEAST_FOR_TSNE:
        perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
        values = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values)
    values = np.pad(values, [(0, 0), (0, max(0, 2 - values.shape[1]))])[:, :2]
    return (values - values.min(0)) / np.maximum(np.ptp(values, axis=0), 1e-12)


def page(title: str, clusters: Sequence[dict[str, Any]], points: Sequence[Sequence[Any]]) -> str:
    """The page. clusters: `size`, `words` and `texts` of each. points: x, y, cluster, text and probability of each text that
    is on the map."""
    folder = Path(__file__).parent
    template, style, script = (
        (folder / f"cluster_page.{kind}").read_text("utf-8").strip() for kind in ("html", "css", "js")
    )
    shown = {
        "title": title,
        "clusters": [cluster | {"texts": [shortened(text) for text in cluster["texts"]]} for cluster in clusters],
        "points": [[round(x, 4), round(y, 4), of, shortened(text), round(sure, 4)] for x, y, of, text, sure in points],
    }
    parts = {"STYLE_SOURCE": source(style), "SCRIPT_SOURCE": source(script), "STYLE": style, "SCRIPT": script}
    for name, value in parts.items():
        template = template.replace(f"%{name}%", value)
    # Last, so that a text with %STYLE% in it stays as it is.
    return template.replace("%DATA%", data(shown))


def shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
