"""Which labels belong to one event (gplinker): links between them, and events out of links. No TensorFlow.

An event is what is linked with its trigger. Where there is none, arguments are the nodes of a graph, and two are linked
where the network puts them into one event; an event is a maximal clique of it, a set of nodes that are all linked with
each other and to which no further one is (kexue.fm/archives/8926): an argument may be in several.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import numpy as np

from common.decoders import on_grid

from features import TRIGGER, Classes, Label, ScoredTag, Span, Tag

Node = TypeVar("Node")

#: Labels of one event type in a text above which links say nothing: they are noise of a network that is hardly trained,
#: and n nodes can have 3 ** (n / 3) cliques.
MOST_NODES = 30


def linked_tags(
    tags: Sequence[ScoredTag], logits: np.ndarray, classes: Classes, lowest: float = 0.0
) -> list[tuple[Tag, Tag, float]]:
    """The pairs of tags of one event type that gplinker puts into one event, with their score above the lowest: the
    lower one of those of their first tokens and of their last ones. Two triggers never are in one, and links are
    between the best MOST_NODES tags of a type, since more say nothing (see `event_groups`). logits: float (2, length,
    length)."""
    by_type: dict[int, list[ScoredTag]] = defaultdict(list)
    for tag in tags:
        by_type[classes.types[tag[2]]].append(tag)
    found = []
    for of_type in by_type.values():
        best = [tuple(tag) for *tag, _ in sorted(of_type, key=lambda tag: (-tag[3], tag))[:MOST_NODES]]
        places = np.array(best)
        earlier, later = np.minimum(places[:, None], places), np.maximum(places[:, None], places)
        scores = on_grid(logits[[0, 1], earlier[..., :2], later[..., :2]]).min(-1)
        is_trigger = np.array([classes.pairs[class_id][1] is TRIGGER for class_id in places[:, 2]])
        linked = np.triu(scores > lowest, 1) & ~(is_trigger[:, None] & is_trigger)
        found += [(best[one], best[other], float(scores[one, other])) for one, other in np.argwhere(linked).tolist()]
    return found


def event_groups(
    labels: Sequence[Label], links: set[tuple[Label, Label]], classes: Classes
) -> list[tuple[Span | None, list[Label]]]:
    """The labels of one event type by event: its trigger, and its arguments in their order.

    Of more than MOST_NODES labels links say nothing. An event has one trigger, and in training 1,647 of 1,648 have one of their own: what is linked with it is of it, and
    what is linked with none is of the event with the nearest trigger. Without any trigger the events are the cliques of
    the links.
    """
    triggers = [label for label in labels if classes.pairs[label[1]][1] is TRIGGER]
    if not triggers:
        return [(None, group) for group in linked_groups(labels, links)]
    groups: dict[Label, list[Label]] = {trigger: [] for trigger in triggers}
    linked: dict[Label, set[Label]] = defaultdict(set)
    for pair in links if len(labels) <= MOST_NODES else ():
        for label, trigger in (pair, pair[::-1]):
            if trigger in groups:
                linked[label].add(trigger)
    begins, ends = np.array([span for span, _ in triggers]).T
    for label in labels:
        if label not in groups:
            (begin, end), _ = label
            gaps = np.maximum(begins - end, begin - ends).clip(0)
            for trigger in linked[label] or [triggers[int(np.argmin(gaps))]]:
                groups[trigger].append(label)
    return [(trigger[0], group) for trigger, group in groups.items()]


def linked_groups(nodes: Sequence[Node], links: Collection[tuple[Node, Node]]) -> list[list[Node]]:
    """The cliques of all nodes, each in the order of `nodes`: one group of all where there are more than MOST_NODES.

    links: pairs of nodes in either order; those with others than `nodes` count nothing.
    """
    if len(nodes) > MOST_NODES:
        return [list(nodes)]
    places = {node: place for place, node in enumerate(nodes)}
    neighbours: list[set[int]] = [set() for _ in nodes]
    for one, other in links:
        if one in places and other in places and one != other:
            neighbours[places[one]].add(places[other])
            neighbours[places[other]].add(places[one])
    return [[nodes[place] for place in clique] for clique in maximal_cliques(neighbours)]


def maximal_cliques(neighbours: Sequence[set[int]]) -> list[list[int]]:
    """All maximal cliques of an undirected graph, each in rising order, in the order of lists.

    neighbours: those of each node 0, 1, ..., without itself. Bron and Kerbosch (1973) with a pivot: a clique that does
    not have the pivot has a node that is not linked with it, so that only these are tried.
    """
    return sorted(sorted(clique) for clique in _extended(set(), set(range(len(neighbours))), set(), neighbours))


def _extended(
    clique: set[int], candidates: set[int], excluded: set[int], neighbours: Sequence[set[int]]
) -> Iterator[set[int]]:
    """The maximal cliques that have all of `clique`, some of `candidates` and none of `excluded`; both are linked with
    all of `clique`."""
    if not candidates:
        if not excluded and clique:
            yield clique
        return
    pivot = max(candidates | excluded, key=lambda node: len(neighbours[node] & candidates))
    for node in candidates - neighbours[pivot]:
        linked = neighbours[node]
        yield from _extended(clique | {node}, candidates & linked, excluded & linked, neighbours)
        candidates, excluded = candidates - {node}, excluded | {node}
