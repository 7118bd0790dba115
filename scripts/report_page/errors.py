"""The list of errors without its rows, which the script of the page fills in: filters, legend, pagers. No TensorFlow."""

from page_markup import Html, joined, tag, text
from report_page.words import Words

_ORDERS = {
    "worst": "worst first",
    "best": "best first",
    "longest": "longest first",
    "shortest": "shortest first",
    "place": "as in the file",
}
_SHOWS = {"wrong": "not quite right", "all": "all", "right": "right", "attributed": "with attributions"}
_SIDES = {
    "right": "right",
    "missed": "missed: in gold alone",
    "wrong": "wrong: predicted alone",
    "accepted": "also right",
}


def errors(words: Words) -> Html:
    """What stands around the list. The script finds its parts by their ids and classes."""
    keys = tag(
        "p",
        *(tag("kbd", "/"), " ", words("search"), "   "),
        *(tag("kbd", "←"), " ", tag("kbd", "→"), " ", words("pages")),
        class_="note",
    )
    return joined(
        tag("noscript", tag("p", words("The list of errors needs JavaScript."), class_="warning")),
        _filters(words),
        _legend(words),
        _pager(words),
        Html(f'<button id="one" type="button" hidden>{text(words("back to the list"))}</button>'),
        tag("div", id="list", class_="weighed"),
        _pager(words),
        keys,
    )


def _filters(words: Words) -> Html:
    def labelled(name: str, control: Html, kind: str | None = None) -> Html:
        return tag("label", tag("span", words(name)), control, class_=kind)

    def choice(key: str, options: dict[str, str]) -> Html:
        return tag("select", *(tag("option", words(name), value=value) for value, name in options.items()), id=key)

    def switch(key: str, name: str) -> Html:
        return tag(
            "label", Html(f'<input type="checkbox" id="{key}" checked>'), tag("span", words(name)), class_="switch"
        )

    search = f'<input id="q" type="search" autocomplete="off" placeholder="{text(words("text, answer, id"))}">'
    return tag(
        "div",
        labelled("search", Html(search), "search"),
        labelled("class", choice("class", {"": "all"})),
        labelled("kind of error", choice("kind", {"": "all"})),
        labelled("show", choice("show", _SHOWS)),
        labelled("order", choice("sort", _ORDERS)),
        switch("names", "names of marks"),
        switch("weights", "attributions"),
        class_="filters",
    )


def _legend(words: Words) -> Html:
    sides = [
        tag("li", tag("span", words("text"), class_=f"mark {side}"), " ", words(name)) for side, name in _SIDES.items()
    ]
    weights = tag(
        "li",
        *(tag("span", words("for"), class_="mark plus shown-weight"), " "),
        *(tag("span", words("against"), class_="mark minus shown-weight"), " "),
        words("attributions"),
        id="weight-legend",
    )
    return tag("ul", *sides, weights, class_="legend")


def _pager(words: Words) -> Html:
    return tag(
        "div",
        tag("span", class_="count", aria_live="polite"),
        tag("button", words("previous"), class_="previous", type="button"),
        tag("button", words("next"), class_="next", type="button"),
        class_="pager",
    )
