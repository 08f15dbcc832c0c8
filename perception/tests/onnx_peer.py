"""Runs an exported network with onnxruntime and compares its outputs with the ones that burn gave.

Arguments: model.onnx, and a safetensors file with the inputs by name and the outputs as `out.<name>`.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
assert len(inferred.graph.value_info) > 0
print("network", json.loads({entry.key: entry.value for entry in model.metadata_props}["tandem.network"])["name"])

tensors = load_file(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 2
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
outputs = dict(zip(names, session.run(names, {input.name: tensors[input.name] for input in session.get_inputs()})))
expected = {name.removeprefix("out."): tensor for name, tensor in tensors.items() if name.startswith("out.")}
assert outputs.keys() == expected.keys(), (outputs.keys(), expected.keys())

for name in ("scores", "map", "embedding", "current"):
    assert outputs[name].shape == expected[name].shape, name
    print(name, f"{np.abs(outputs[name] - expected[name]).max():.2e}", "of", f"{np.abs(expected[name]).max():.2e}")
    assert np.allclose(outputs[name], expected[name], rtol=1e-3, atol=1e-3), name

# Objects are matched by cell: equal scores but for rounding may change places.
for batch, cells in enumerate(expected["cells"]):
    place = {cell: at for at, cell in enumerate(outputs["cells"][batch])}
    assert outputs["cells"].dtype == np.int64 and len(place) == len(cells)
    both = [(at, place[cell]) for at, cell in enumerate(cells) if cell in place]
    print("cells", f"{len(both)} of {len(cells)}")
    assert len(both) >= 0.97 * len(cells)
    there, here = (list(places) for places in zip(*both))
    for name in ("scores", "boxes", "forecasts"):
        ours, theirs = outputs[name][batch][here], expected[name][batch][there]
        print(name, f"{np.abs(ours - theirs).max():.2e}", "of", f"{np.abs(theirs).max():.2e}")
        assert ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-3, atol=1e-3), name
print("equal")
