"""Writes golden/gguf_peer.gguf: numbers in every format and metadata of every type, by ggml's own Python package.

Usage: gguf_peer.py GOLDEN, with gguf 0.19.0 (PyPI) and numpy. Gives the same file whenever it is run.

Tensors: `values`, single precision; for each FORMAT, a tensor of that name with blocks, and `FORMAT.decoded` with what
the package reads in them. The blocks of Q4_K and Q6_K, which the package does not write, are random; the others are of
`values`.
"""

import sys
from importlib.metadata import version

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize

assert version("gguf") == "0.19.0", version("gguf")
random = np.random.default_rng(1)


def halves(count):
    """Scales in half precision, all finite: of both signs, small, large and below the least normal number."""
    bits = random.integers(0, 1 << 16, count, dtype=np.uint16)
    return np.where(bits & 0x7C00 == 0x7C00, bits & 0x83FF, bits).view(np.uint8).reshape(count, 2)


def fill(count, width):
    return random.integers(0, 256, (count, width), dtype=np.uint8)


values = random.standard_normal((2, 4, 256)).astype(np.float32)
blocks = values.reshape(-1, 32)
blocks *= np.exp(random.uniform(-8, 8, (len(blocks), 1))).astype(np.float32)
blocks[0] = 0
blocks[1] = 3.25
blocks[2] = -3.25
blocks[3] = abs(blocks[3])
blocks[4] = -abs(blocks[4])
blocks[5] = np.arange(-16, 16)
blocks[6] = np.arange(32) / 2 - 8  # Halfway between the numbers of Q4_0.
blocks[7] = np.minimum(np.arange(32) / 2, 15)  # Halfway between the numbers of Q4_1.
blocks[8] = np.where(np.arange(32) % 2, 127, np.arange(32) - 15.5)  # Halfway between the numbers of Q8_0.
blocks[9] = 0
blocks[9, 17] = -1
blocks[10] *= np.float32(1e-7) / abs(blocks[10]).max()  # A scale below the least half precision number.
blocks[11] *= np.float32(3e-4) / abs(blocks[11]).max()  # One below the least normal one.
blocks[12] *= np.float32(60000) / abs(blocks[12]).max()
blocks[13, [3, 9]] = 2 * abs(blocks[13]).max() * np.array([1, -1], dtype=np.float32)  # Which is the larger?

writer = GGUFWriter(sys.argv[1], "peer")
writer.add_custom_alignment(64)
kinds = {
    "u8": (GGUFValueType.UINT8, [0, 255]),
    "i8": (GGUFValueType.INT8, [-128, 127]),
    "u16": (GGUFValueType.UINT16, [0, 65535]),
    "i16": (GGUFValueType.INT16, [-32768, 32767]),
    "u32": (GGUFValueType.UINT32, [0, 2**32 - 1]),
    "i32": (GGUFValueType.INT32, [-(2**31), 2**31 - 1]),
    "u64": (GGUFValueType.UINT64, [0, 2**64 - 1]),
    "i64": (GGUFValueType.INT64, [-(2**63), 2**63 - 1]),
    "f32": (GGUFValueType.FLOAT32, [0.1, -3e38]),
    "f64": (GGUFValueType.FLOAT64, [0.1, -1e300]),
    "bool": (GGUFValueType.BOOL, [False, True]),
    "text": (GGUFValueType.STRING, ["", "Ġgrüß 漢字 🚗\n\0"]),
}
for name, (kind, ends) in kinds.items():
    writer.add_key_value(f"peer.{name}", ends[1], kind)
    writer.add_key_value(f"peer.{name}s", ends, GGUFValueType.ARRAY, sub_type=kind)

writer.add_tensor("values", values)
for kind in (Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q4_K, Type.Q6_K):
    match kind:
        case Type.Q4_K:
            stored = np.concatenate([halves(8), halves(8), fill(8, 140)], axis=1)
        case Type.Q6_K:
            stored = np.concatenate([fill(8, 208), halves(8)], axis=1)
        case _:
            stored = quantize(values, kind)
    writer.add_tensor(kind.name, stored, raw_dtype=kind)
    writer.add_tensor(f"{kind.name}.decoded", dequantize(stored, kind))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
