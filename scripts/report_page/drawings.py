"""Curves and bars as SVG, whose colours the style sheet says. No TensorFlow."""

import math
from collections.abc import Sequence

from page_markup import Html, joined, tag

WIDTH, HEIGHT = 340, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 12, 26


def bar(share: float, kind: str = "") -> Html:
    """A bar of that share, from 0 to 1, of its cell."""
    width = f"{100 * min(1.0, max(0.0, share)):.2f}%"
    return tag(
        "svg",
        tag("rect", class_="ground", width="100%", height="100%", rx="2"),
        tag("rect", class_=f"fill {kind}".strip(), width=width, height="100%", rx="2"),
        class_="bar",
        aria_hidden="true",
    )


def curve(values: Sequence[float | None], name: str, top: float | None = None, best: int | None = None) -> Html:
    """A line over epochs 1, 2, ...; None is a gap. top: the end of the axis, default: above the largest value. best: the
    place of the epoch that is marked."""
    known = [value for value in values if value is not None]
    low = min(0.0, *known) if known else 0.0
    ticks = _ticks(low, top if top is not None else max(known, default=1.0))
    low, high = ticks[0], ticks[-1]
    x, y = _scales(len(values), low, high)
    parts = [
        joined(
            tag("line", class_="grid", x1=_LEFT, x2=WIDTH - _RIGHT, y1=f"{y(tick):.1f}", y2=f"{y(tick):.1f}"),
            tag("text", f"{tick:.4g}", class_="tick", x=_LEFT - 6, y=f"{y(tick) + 3.5:.1f}", text_anchor="end"),
        )
        for tick in ticks
    ]
    every = max(1, math.ceil(len(values) / 8))
    parts += [
        tag("text", place + 1, class_="tick", x=f"{x(place):.1f}", y=HEIGHT - 8, text_anchor="middle")
        for place in range(0, len(values), every)
    ]
    if best is not None:
        parts.append(tag("line", class_="best", x1=f"{x(best):.1f}", x2=f"{x(best):.1f}", y1=_TOP, y2=HEIGHT - _BOTTOM))
    points = [(x(place), y(value)) if value is not None else None for place, value in enumerate(values)]
    parts += [
        tag("polyline", class_="line", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in piece))
        for piece in _pieces(points)
    ]
    parts += [
        tag(
            "circle",
            tag("title", f"{place + 1}: {value:.4f}"),
            class_="dot best-dot" if place == best else "dot",
            cx=f"{points[place][0]:.1f}",
            cy=f"{points[place][1]:.1f}",
            r=4 if place == best else 2.5 if len(values) <= 60 else 0.8,
        )
        for place, value in enumerate(values)
        if value is not None
    ]
    return tag("svg", *parts, class_="curve", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=name)


def _scales(count: int, low: float, high: float):
    def x(place: float) -> float:
        return _LEFT + (place + 0.5) * (WIDTH - _LEFT - _RIGHT) / max(1, count)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    return x, y


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers, the first not above `low` and the last not below `high`."""
    span = high - low or 1.0
    step = 10.0 ** math.floor(math.log10(span))
    step = next(step * factor for factor in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5) if span / (step * factor) <= 5)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(number * step, 12) for number in range(first, last + 1)]


def _pieces(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The points between gaps, where there are two or more."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    return [piece for piece in pieces if len(piece) > 1]
