"""The scenes of the event extraction sample, and the phrasings that report them.

A scene is one event, or two that belong together. Its events map the bindings of `_event_world.py` to roles, so a
binding that two events know is an argument of both. In a phrasing
    {name}        is the binding, labelled wherever a role knows it
    {=name}       is the same words without a label: another mention, a bystander
    [name:...]    labels all that it encloses, which may hold labelled bindings itself
    <...>         is the trigger of the scene's event; <2...> of its second one
A binding `name_short` is an alias: where a text mentions it, the argument `name` gets it.

The phrasings of dev and test only mostly use triggers of the others in other constructions.
"""

from dataclasses import dataclass

from samples._tables import of, read_pairs, rows, wrong

FOLDER = "lic2020_event_extraction"


@dataclass(frozen=True)
class Scene:
    """`events`: (event type, binding -> role) in the order of the triggers' numbers. `weight`: how often it is
    chosen."""

    weight: int
    events: tuple[tuple[str, dict[str, str]], ...]
    phrasings: tuple[str, ...]
    held_out: tuple[str, ...]


def read_scenes() -> dict[str, Scene]:
    """A scene has one line in scenes.tsv for each of its events; its roles are pairs binding=role."""
    phrasings = read_pairs(f"{FOLDER}/phrasings.tsv", "scene")
    scenes: dict[str, Scene] = {}
    for row in rows(f"{FOLDER}/scenes.tsv", "scene", "weight", "event type", "roles"):
        roles = dict(row.keyed("roles"))
        known = SCHEMA.get(row["event type"])
        if known is None or not set(roles.values()) <= set(known):
            raise row.error("schema.tsv has no such event type with these roles")
        before = scenes[row["scene"]].events if row["scene"] in scenes else ()
        scenes[row["scene"]] = Scene(
            int(row.number("weight")), before + ((row["event type"], roles),), *of(phrasings, row["scene"])
        )
    for name, scene in scenes.items():
        for phrasing in scene.phrasings + scene.held_out:
            if phrasing.count("<") != len(scene.events):
                raise wrong(
                    phrasing, f"{phrasing.count('<')} triggers - {name!r} has {len(scene.events)} events in scenes.tsv"
                )
    return scenes


#: event type -> roles, from the official schema.
SCHEMA = {row["event type"]: row.words("roles") for row in rows(f"{FOLDER}/schema.tsv", "event type", "roles")}
SCENES = read_scenes()
#: What stands before, after and between the scenes of a text, by kind: lead, tail, background (longer, for the long
#: texts).
AROUND: dict[str, list[str]] = {}
for _row in rows(f"{FOLDER}/around.tsv", "kind", "text"):
    AROUND.setdefault(_row["kind"], []).append(_row["text"])
