"""Which arguments belong to one event where no trigger says it: the maximal cliques of the graph of their links
(kexue.fm/archives/8926).

Arguments are the nodes, and two are linked where the network puts them into one event. An event is a set of nodes that
are all linked with each other and to which no further one is: an argument may be in several.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

Node = TypeVar("Node")

#: Labels of one event type in a text above which links say nothing: they are noise of a network that is hardly trained,
#: and n nodes can have 3 ** (n / 3) cliques.
MOST_NODES = 30


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
