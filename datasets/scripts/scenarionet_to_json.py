#!/usr/bin/env python3
"""Turns ScenarioNet's pickled records into JSON that Tandem reads.

    python3 scenarionet_to_json.py OUT_DIR RECORD.pkl [RECORD.pkl …]

Writes OUT_DIR/<name>.json.gz for each record. Needs numpy, and nothing of ScenarioNet or MetaDrive: a pickle may only
name numpy's array types and plain containers; one that names anything else is refused, because unpickling runs code.
"""

import gzip
import json
import math
import pathlib
import pickle
import sys

import numpy

ALLOWED = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("builtins", "dict"),
    ("builtins", "float"),
    ("builtins", "int"),
    ("builtins", "list"),
    ("builtins", "set"),
    ("builtins", "str"),
    ("_codecs", "encode"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
}
# The record's own class is a dict with names for its keys.
RECORD = {"metadrive.scenario.scenario_description", "metadrive.scenario"}


class Record(dict):
    """Stands in for metadrive's ScenarioDescription."""


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if module in RECORD and name == "ScenarioDescription":
            return Record
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"the record names {module}.{name}, which is neither numpy's nor plain data")
        # numpy 2 moved its core; an older numpy must still find what a newer one wrote, and the other way round.
        if module.startswith(("numpy.core", "numpy._core")):
            try:
                return super().find_class(module, name)
            except ImportError:
                other = {"numpy.core": "numpy._core", "numpy._core": "numpy.core"}
                head = ".".join(module.split(".")[:2])
                return super().find_class(module.replace(head, other[head], 1), name)
        return super().find_class(module, name)


def plain(value):
    """The value as JSON has it: arrays as lists, numbers that are not finite as null, odd types as their text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, numpy.ndarray):
        return plain(value.tolist())
    if isinstance(value, numpy.generic):
        return plain(value.item())
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    return str(value)


def main(arguments):
    if len(arguments) < 2 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    out_dir = pathlib.Path(arguments[0])
    out_dir.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in map(pathlib.Path, arguments[1:]):
        try:
            with open(name, "rb") as file:
                record = plain(Unpickler(file).load())
            if not isinstance(record, dict) or "tracks" not in record:
                raise ValueError("no scenario record: it has no `tracks`")
            out = out_dir / f"{name.stem}.json.gz"
            # No file name and no time in the header: the same record gives the same bytes.
            with open(out, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
                packed.write(json.dumps(record, allow_nan=False, separators=(",", ":")).encode())
            print(out)
        except Exception as error:  # one bad record must not hide the others
            print(f"{name}: {error}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
