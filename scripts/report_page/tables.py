"""Tables with bars, and confusions, as HTML. No TensorFlow."""

from collections import Counter
from urllib.parse import urlencode

from breakdowns import NOTHING, Confusion, Table
from page_markup import Html, tag
from report_page.drawings import bar
from report_page.words import Words

#: From so many rows on the rest is folded away.
FOLDED = 12
#: As many classes of a confusion are shown, those with most confusions.
MOST_CLASSES = 14

_SHADES = 6


def link(words: str, **filters: str) -> Html:
    """A link to the errors that have a class or are of a kind. The page's script reads it."""
    return tag("a", words, href="#errors?" + urlencode(filters, errors="replace"))


def bars(table: Table, words: Words, filter_by: str | None = None) -> Html:
    """A row for each class: its bar, its score and its counts. filter_by: what of the errors has such names, "class" or
    "kind"."""
    most = max((row.cells[0] for row in table.rows), default=1) or 1
    head = [tag("td"), tag("th", words(table.score) if table.score else None, class_="bars")]
    head += [tag("td")] * bool(table.score)
    head += [tag("th", words(column), class_="number") for column in table.columns]
    rows = []
    for row in table.rows:
        name = row.name if table.is_data else words(row.name)
        name = name or "–"
        share = row.cells[0] / most if row.score is None else row.score
        rows.append(
            tag(
                "tr",
                tag("th", link(name, **{filter_by: row.name}) if filter_by else name, scope="row"),
                tag("td", bar(share, "count" if row.score is None else ""), class_="bars"),
                *([tag("td", f"{row.score:.3f}", class_="number score")] if row.score is not None else []),
                *(tag("td", _number(cell), class_="number") for cell in row.cells),
            )
        )
    folded = str(FOLDED) if len(rows) > FOLDED + 3 else None
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="classes", data_fold=folded)


def _number(value: float) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if 0 <= value <= 1 else f"{value:.2f}"
    return f"{value:,}"


def confusion(found: Confusion, words: Words) -> Html:
    """Gold in rows, predictions in columns: the classes that are confused most. The darker, the greater the share of the
    row."""
    wrong: Counter[str] = Counter()
    for (gold, predicted), count in found.counts.items():
        if gold != predicted:
            # What is taken for something else says more than what is missed.
            weight = 1 if NOTHING in (gold, predicted) else 1000
            wrong.update({gold: weight * count, predicted: weight * count})
    every = {name for pair in found.counts for name in pair if name != NOTHING}
    chosen = sorted(every, key=lambda name: (-wrong[name], name))[:MOST_CLASSES]
    if not chosen:
        return tag("p", words("Nothing to compare."))

    def called(name: str) -> str:
        return name if found.is_data else words(name)

    golds, columns = ([*chosen, *[NOTHING] * any(pair[side] == NOTHING for pair in found.counts)] for side in (0, 1))
    head = [tag("th", words("gold \\ predicted"))]
    head += [tag("th", tag("span", called(name) if name else words("missed")), class_="turned") for name in columns]
    rows = []
    for gold in golds:
        total = sum(count for (one, _), count in found.counts.items() if one == gold) or 1
        cells = [_cell(found.counts[gold, one], total, gold == one) for one in columns]
        name = tag("th", called(gold) if gold else words("spurious"), scope="row")
        rows.append(tag("tr", name, *cells))
    note = tag("p", words("{} of {} classes, those that are confused most.", len(chosen), len(every)), class_="note")
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="confusion")
    note = note if len(chosen) < len(every) else None
    return tag("div", tag("h3", words(found.title)), tag("div", table, class_="wide"), note)


def _cell(count: int, total: int, is_right: bool) -> Html:
    if not count:
        return tag("td", "·", class_="none")
    shade = max(1, min(_SHADES, round(_SHADES * count / total)))
    return tag("td", f"{count:,}", class_=f"{'right' if is_right else 'wrong'} shade-{shade}")
