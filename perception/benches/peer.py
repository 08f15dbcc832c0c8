"""The network in PyTorch, written on its own: how long it takes there, eager and compiled, and whether it says the same.

    python peer.py --plan base/plan.json --device cuda --half            # random weights, times
    python peer.py --weights tiny.safetensors --check tensors.safetensors  # against what burn said (tests/onnx.rs keeps it)

Needs torch and numpy alone. A frame is timed from its images as bytes on the host to all outputs on the host, as the
stage "network" of `tandem perception bench`.
"""

import argparse
import json
import struct
import time

import numpy as np
import torch
import torch.nn.functional as F

RAYS, CLASSES, BOX, ATTRIBUTES, MODES, STEPS = 5, 10, 10, 8, 6, 6
PATHS, SAMPLES, SCORES, SPEEDS = 225, 10, 2, 49
LITE0 = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112)]
RESNETS = {"res-net18": [2, 2, 2, 2], "res-net34": [3, 4, 6, 3]}


def read(path):
    """The tensors of a safetensors file, and its metadata."""
    data = open(path, "rb").read()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    kinds = {"F32": np.float32, "I32": np.int32, "I64": np.int64}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[8 + size + begin : 8 + size + end], kinds[entry["dtype"]])
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors, header.get("__metadata__", {})


class Network:
    """All layers by the names that they have in a weights file; random where there is none."""

    def __init__(self, config, tensors, device, dtype):
        self.c, self.tensors, self.device, self.dtype, self.made = config, tensors, device, dtype, {}
        half = config["grid"]["cells"] // 2
        at = (torch.arange(half) + 0.5) / half * 2 - 1
        x, y = torch.meshgrid(at, at, indexing="ij")
        distance = torch.hypot(x, y)
        self.place = torch.stack([x / distance, y / distance, distance])[None].to(device, dtype)
        bins = config["depth"]["count"]
        self.middles = ((2 * torch.arange(bins) + 1) / bins - 1)[None, :, None, None].to(device, dtype)

    def weight(self, name, *shape):
        if name not in self.made:
            if self.tensors:
                value = self.tensors[name]
                assert list(value.shape) == list(shape), (name, value.shape, shape)
            else:
                value = torch.randn(shape) / max(1, np.prod(shape[1:])) ** 0.5
            self.made[name] = value.to(self.device, self.dtype)
        return self.made[name]

    def conv(self, name, x, out, kernel=1, stride=1, groups=1, pad=None):
        weight = self.weight(f"{name}.weight", out, x.shape[1] // groups, kernel, kernel)
        bias = self.weight(f"{name}.bias", out)
        if pad is not None:
            x, padding = F.pad(x, pad), 0
        else:
            padding = kernel // 2
        return F.conv2d(x, weight, bias, stride, padding, 1, groups)

    def linear(self, name, x, out):
        return x @ self.weight(f"{name}.weight", x.shape[-1], out) + self.weight(f"{name}.bias", out)

    def residual(self, name, x, out, stride=1):
        past = self.conv(f"{name}.shortcut", x, out, 1, stride) if stride != 1 or x.shape[1] != out else x
        first = F.relu(self.conv(f"{name}.first", x, out, 3, stride))
        return F.relu(self.conv(f"{name}.second", first, out, 3) + past)

    def chain(self, name, x, out, count, stride):
        for number in range(count):
            x = self.residual(f"{name}.{number}", x, out, stride if number == 0 else 1)
        return x

    def trunk(self, x):
        taps = []
        if self.c["backbone"] in RESNETS:
            x = F.relu(self.conv("trunk.ResNet.stem", x, 64, 7, 2))
            x = F.max_pool2d(x, 3, 2, 1)
            for stage, count in enumerate(RESNETS[self.c["backbone"]]):
                x = self.chain(f"trunk.ResNet.stages.{stage}", x, 64 << stage, count, 1 if stage == 0 else 2)
                taps.append(x)
            return taps[1:]
        same = lambda kernel, stride: [(kernel - stride) // 2, -(-(kernel - stride) // 2)] * 2
        x = F.relu6(self.conv("trunk.EfficientNet.stem", x, 32, 3, 2, pad=same(3, 2)))
        block = 0
        for stage, (count, kernel, stride, widen, out) in enumerate(LITE0):
            for number in range(count):
                name, step = f"trunk.EfficientNet.blocks.{block}", stride if number == 0 else 1
                wide = F.relu6(self.conv(f"{name}.expand", x, x.shape[1] * widen)) if widen != 1 else x
                channels = wide.shape[1]
                wide = F.relu6(self.conv(f"{name}.depthwise", wide, channels, kernel, step, channels, same(kernel, step)))
                narrow = self.conv(f"{name}.project", wide, out)
                x = narrow + x if step == 1 and x.shape[1] == out else narrow
                block += 1
            if stage in (2, 4):
                taps.append(x)
        return taps

    def double(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def forward(self, images, lift_context, lift_depth, lift_seen, rays, previous, warp_index, warp_weight, history,
                path_cells):
        c = self.c
        batch, cells, half, head = images.shape[0], c["grid"]["cells"], c["grid"]["cells"] // 2, c["head"]
        taps = self.trunk(images.flatten(0, 1))
        laterals = [self.conv(f"neck.lateral.{number}", tap, c["neck"]) for number, tap in enumerate(taps)]
        coarse = laterals[-1]
        for lateral in laterals[-2:0:-1]:
            coarse = self.double(coarse) + lateral
        sum_ = self.double(coarse) + laterals[0] + self.conv("neck.rays", rays, c["neck"])
        seen = F.relu(self.conv("neck.smooth", sum_, c["neck"], 3))

        bins = c["depth"]["count"]
        near = F.relu(self.conv("lift.near", torch.cat([seen, rays], 1), c["neck"], 3))
        said = self.conv("lift.depth", torch.cat([near, rays], 1), bins + 1)
        ground = F.softmax((rays[:, 1:2] - self.middles) ** 2 * (-0.5 / 0.06**2), 1)
        is_ground = torch.sigmoid(said[:, bins:]) * rays[:, :1]
        depth = F.softmax(said[:, :bins], 1)
        depth = (depth + (ground - depth) * is_ground).permute(0, 2, 3, 1).flatten()
        context = self.conv("lift.context", seen, 4 * c["context"]).permute(0, 2, 3, 1).reshape(-1, c["context"])
        voxels = context[lift_context] * (depth[lift_depth] * lift_seen * (0.2 * bins))[:, None]
        columns = voxels.reshape(batch, cells * cells, -1)
        grid = self.linear("lift.fold", columns, c["lifted"]).transpose(1, 2).reshape(batch, -1, cells, cells)

        fine_channels, coarse_channels, deep_channels = c["encoder"]
        current = F.relu(self.conv("encoder.shrink", grid, fine_channels, 3, 2))
        table = previous.permute(0, 2, 3, 1).reshape(-1, fine_channels)
        warped = (table[warp_index] * warp_weight[:, None]).reshape(-1, 4, fine_channels).sum(1)
        warped = warped.reshape(batch, half, half, fine_channels).permute(0, 3, 1, 2)
        planes = history[:, :, None, None].expand(-1, -1, half, half)
        x = torch.cat([current, warped, planes, self.place.expand(batch, -1, -1, -1)], 1)
        fine = self.chain("encoder.fine", F.relu(self.conv("encoder.fuse", x, fine_channels, 3)), fine_channels, c["blocks"][0], 1)
        coarse = self.chain("encoder.coarse", fine, coarse_channels, c["blocks"][1], 2)
        deep = self.chain("encoder.deep", coarse, deep_channels, c["blocks"][2], 2)
        coarse = self.double(self.conv("encoder.deep_lateral", deep, coarse_channels)) + coarse
        merged = self.double(self.conv("encoder.lateral", coarse, fine_channels)) + fine
        features = F.relu(self.conv("encoder.merge", merged, head, 3))

        hidden = F.relu(self.conv("objects.hidden", features, head, 3))
        out = lambda name, channels: F.pixel_shuffle(self.conv(f"objects.{name}", hidden, 4 * channels), 2)
        heat, boxes, attributes = out("heat", CLASSES), out("boxes", BOX), out("attributes", ATTRIBUTES)
        score = torch.sigmoid(heat.amax(1, keepdim=True))
        score = score * (score >= F.max_pool2d(score, 3, 1, 1))
        scores, at = score.flatten(1).topk(c["forecast_objects"])
        pick = lambda maps, at: maps.flatten(2).gather(2, at[:, None].expand(-1, maps.shape[1], -1)).transpose(1, 2)
        read = pick(torch.cat([boxes, attributes, heat], 1), at)
        near = pick(hidden, (at // cells // 2) * half + at % cells // 2)
        x = torch.cat([near, read[..., :BOX], torch.sigmoid(read[..., -CLASSES:])], 2)
        x = F.relu(self.linear("forecasts.first", x, 2 * head))
        x = F.relu(self.linear("forecasts.second", x, 2 * head))
        forecasts = self.linear("forecasts.output", x, MODES * (2 * STEPS + 1))

        hidden = F.relu(self.conv("map.hidden", features, head, 3))
        road = F.pixel_shuffle(self.conv("map.output", hidden, 24), 2)
        shown = seen.mean((2, 3)).reshape(batch, -1, c["neck"]).mean(1)
        embedding = self.linear("scene.embedding", torch.cat([features.mean((2, 3)), features.amax((2, 3)), shown], 1), 128)
        along = features.flatten(2)[:, :, path_cells].transpose(1, 2).reshape(batch, PATHS, SAMPLES * head)
        along = F.relu(self.linear("path.along", along, head))
        paths = self.linear("path.score", along, SCORES)
        speeds = self.linear("path.speed", (along * F.softmax(paths[..., :1], 1)).sum(1), SPEEDS)
        return scores, at, read, forecasts, road, embedding, paths, speeds, current


def check(network, path):
    """Compares the outputs with burn's, which a file holds with the inputs."""
    tensors, _ = read(path)
    names = ("images", "lift_context", "lift_depth", "lift_seen", "rays", "previous", "warp_index", "warp_weight", "history", "path_cells")
    outputs = network.forward(*[tensors[name].long() if tensors[name].dtype == torch.int32 else tensors[name] for name in names])
    for name, found in zip(("scores", "cells", "boxes", "forecasts", "map", "embedding", "paths", "speeds", "current"), outputs):
        wanted = tensors[f"out.{name}"]
        off = (found.float() - wanted.float()).abs().max().item()
        print(name, f"{off:.2e} of {wanted.float().abs().max().item():.2e}")
        assert found.shape == wanted.shape
        # Objects that are as certain may change places.
        assert name in ("cells", "boxes", "forecasts") or off < 1e-3, name
    print("equal")


def measure(network, frames, compiled):
    """Times of frames of noise, ms: the median, the 99th of 100 and the most."""
    c, device, dtype = network.c, network.device, network.dtype
    height, width = c["image"]
    half, voxels = c["grid"]["cells"] // 2, c["grid"]["cells"] ** 2 * len(c["grid"]["heights_m"])
    pixels = c["cameras"] * (height // 8) * (width // 8)
    number = lambda *shape: torch.rand(shape).to(device, dtype)
    below = lambda count, end: torch.randint(0, end, (count,)).to(device)
    fixed = [below(voxels, pixels * 4), below(voxels, pixels * c["depth"]["count"]), number(voxels), number(c["cameras"], RAYS, height // 8, width // 8)]
    past = [below(4 * half * half, half * half), number(4 * half * half), number(1, 2), below(PATHS * SAMPLES, half * half)]
    previous = number(1, c["encoder"][0], half, half)
    images = torch.randint(0, 256, (1, c["cameras"], 3, height, width), dtype=torch.uint8)
    forward = torch.compile(network.forward, mode="max-autotune-no-cudagraphs" if device == "cuda" else "default") if compiled else network.forward
    times = []
    with torch.inference_mode():
        for frame in range(frames + frames // 10 + 3):
            start = time.perf_counter()
            values = (images.to(device).to(dtype) - 127) / 128
            *outputs, previous = forward(values, *fixed, previous.clone(), *past)
            for output in outputs:
                output.cpu()
            if frame >= frames // 10 + 3:
                times.append((time.perf_counter() - start) * 1e3)
    return np.percentile(times, [50, 99, 100])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights")
    parser.add_argument("--plan", help="plan.json of a training, or a network's own shapes")
    parser.add_argument("--check")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--frames", type=int, default=300)
    args = parser.parse_args()
    tensors, metadata = read(args.weights) if args.weights else ({}, {})
    config = json.loads(metadata["tandem.network"]) if args.weights else json.load(open(args.plan))
    network = Network(config.get("network", config), tensors, args.device, torch.float16 if args.half else torch.float32)
    if args.check:
        return check(network, args.check)
    torch.backends.cudnn.benchmark = True
    for compiled in (False, True) if args.compile else (False,):
        p50, p99, most = measure(network, args.frames, compiled)
        print(f"{'compiled' if compiled else 'eager'}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, most {most:.2f} ms")


main()
