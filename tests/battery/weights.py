"""Files of weights that are not as `common.runs.weights` writes them: what HDF5 allows in the place of an array, and
arrays of what no training gives."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import h5py
import numpy as np

from battery.mutations import mutated_bytes, mutated_value

Change = Callable[[h5py.File, str, Path, Random], object]


def change_weights(path: Path, outside: Path, generator: Random) -> tuple[str, bool]:
    """Changes a file of weights. Says what, and whether it must be refused, not only may. outside: another such file,
    which must not be read."""
    if generator.random() < 0.15:
        path.write_bytes(mutated_bytes(path.read_bytes(), generator))
        return "bytes", False
    change = generator.choice((*_MUST_BE_REFUSED, *_MUST_BE_REFUSED, *_OTHERS))
    with h5py.File(path, "r+") as file:
        arrays = [f"model/{name}" for name in file["model"] if file[f"model/{name}"].size]
        change(file, generator.choice(arrays), outside, generator)
    return change.__name__.strip("_").replace("_", " "), change in _MUST_BE_REFUSED


def _replaced(file: h5py.File, name: str, **made_with: object) -> h5py.Dataset:
    """A dataset in the place of another, with its attributes."""
    attributes = dict(file[name].attrs)
    del file[name]
    dataset = file.create_dataset(name, **made_with)
    dataset.attrs.update(attributes)
    return dataset


# What must be refused


def _group(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_group(name).attrs.update(attributes)


def _never_written(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    shape = generator.choice(((2**31,), (2**20, 2**20), (10**6, 2000), (2**40,)))
    options = generator.choice(
        ({}, {"chunks": (1,) * len(shape)}, {"chunks": (1000,) * len(shape), "compression": "gzip"})
    )
    _replaced(file, name, shape=shape, dtype="f4", **options)


def _unpacks_to_much(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    dataset = _replaced(file, name, shape=(2**30,), dtype="f4", chunks=(2**22,), compression="gzip")
    dataset[:10] = 1


def _of_another_type(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    shape = file[name].shape
    kind = generator.choice(
        ("S4", "i8", "c8", "V8", h5py.string_dtype(), h5py.vlen_dtype("f4"), h5py.ref_dtype, [("a", "f4"), ("b", "f4")])
    )
    _replaced(file, name, shape=shape, dtype=kind)


def _of_another_shape(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    values = file[name][()]
    other = generator.choice(
        (values[None], values[..., None], values.ravel()[:1], np.float32(1), values[:0], values[1:])
    )
    _replaced(file, name, data=other)


def _no_dataspace(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    _replaced(file, name, data=h5py.Empty("f4"))


def _not_finite(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    values = file[name][()]
    values.flat[generator.randrange(values.size)] = generator.choice((np.nan, np.inf, -np.inf))
    file[name][...] = values


def _external(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    shape = file[name].shape
    _replaced(file, name, shape=shape, dtype="f4", external=[(str(outside), 0, 4 * int(np.prod(shape)))])


def _external_link(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    del file[name]
    file[name] = h5py.ExternalLink(str(outside), name)


def _external_group(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    del file["model"]
    file["model"] = h5py.ExternalLink(str(outside), "model")


def _virtual(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    shape, attributes = file[name].shape, dict(file[name].attrs)
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource(str(outside), name, shape)
    del file[name]
    file.create_virtual_dataset(name, layout).attrs.update(attributes)


def _missing(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    del file[generator.choice((name, "model"))]


def _endless_group(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    del file[name]
    file[name] = file["model"]


def _named_otherwise(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    attributes = file[name].attrs
    before = attributes.pop("name")
    others = (
        "",
        before + "x",
        before[::-1] + "\x1b[31m",
        "字" * 20_000,
        7,
        [before],
        [before, before],
        np.zeros((3, 3)),
        b"\xff",
    )
    if generator.random() < 0.9:
        attributes["name"] = generator.choice((*others, h5py.Empty("f4")))


# What may be


def _about(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    about = json.dumps(mutated_value(json.loads(file.attrs["about"]), generator), ensure_ascii=True)
    values = (about, about, "", "[" * 2000, b"\xff", 7, [about, about], "NaN", '{"history": 5}', '{"history": [{}]}')
    file.attrs["about"] = generator.choice(values)


def _link_within(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    other = generator.choice(list(file["model"]))
    del file[name]
    file[name] = h5py.SoftLink(generator.choice((f"/model/{other}", "/model", "/", name, "nowhere")))


def _more(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    file[f"model/{generator.choice(('more', '99999', '00000a'))}"] = generator.choice((np.zeros(3), "text", 5))


def _filtered(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    values = file[name][()]
    options = generator.choice(
        ({"compression": "gzip"}, {"compression": "lzf"}, {"fletcher32": True}, {"shuffle": True})
    )
    _replaced(file, name, data=values, **options) if values.ndim else None


def _of_other_precision(file: h5py.File, name: str, outside: Path, generator: Random) -> None:
    _replaced(file, name, data=file[name][()].astype(generator.choice(("f2", "f8", ">f4"))))


_MUST_BE_REFUSED: tuple[Change, ...] = (
    *(_group, _never_written, _unpacks_to_much, _of_another_type, _of_another_shape, _no_dataspace, _not_finite),
    *(_external, _external_link, _external_group, _virtual, _missing, _endless_group, _named_otherwise),
)
_OTHERS: tuple[Change, ...] = (_about, _link_within, _more, _filtered, _of_other_precision)
