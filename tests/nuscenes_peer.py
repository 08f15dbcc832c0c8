"""Walks a nuScenes directory with the official development kit: every reference, chain, box, image and map."""

import sys

import numpy as np
from nuscenes.eval.common.loaders import load_gt
from nuscenes.eval.detection.data_classes import DetectionBox
from nuscenes.map_expansion import map_api
from nuscenes.nuscenes import NuScenes
from PIL import Image

root = sys.argv[1]
nusc = NuScenes("v1.0-mini", root, verbose=False)
print("scenes", *[scene["name"] for scene in nusc.scene])

# Every `<table>_token` of every row leads somewhere.
for table in nusc.table_names:
    for row in getattr(nusc, table):
        for field, token in row.items():
            target = field.removesuffix("_token").removesuffix("_tokens")
            if target in ("first_sample", "last_sample"):
                target = "sample"
            if target in ("first_annotation", "last_annotation"):
                target = "sample_annotation"
            if field == target or target not in nusc.table_names:
                continue
            for one in token if isinstance(token, list) else [token]:
                nusc.get(target, one)

# Chains run from the first to the last, and back.
for scene in nusc.scene:
    token, count = scene["first_sample_token"], 0
    while token:
        sample, count, last = nusc.get("sample", token), count + 1, token
        token = sample["next"]
        assert not token or nusc.get("sample", token)["prev"] == last
    assert (last, count) == (scene["last_sample_token"], scene["nbr_samples"])
for instance in nusc.instance:
    token, count = instance["first_annotation_token"], 0
    while token:
        last, count, token = token, count + 1, nusc.get("sample_annotation", token)["next"]
    assert (last, count) == (instance["last_annotation_token"], instance["nbr_annotations"])

sizes, boxes, seen = set(), 0, 0
for sample in nusc.sample:
    for channel, token in sample["data"].items():
        if channel == "LIDAR_TOP":
            continue
        path, around, intrinsic = nusc.get_sample_data(token)
        image = Image.open(path)
        image.load()
        sizes.add(f"{image.width}x{image.height}")
        boxes += len(around)
        assert intrinsic.shape == (3, 3)
for annotation in nusc.sample_annotation:
    assert annotation["visibility_token"] in "1234"
    seen += annotation["num_lidar_pts"] > 0
    velocity = nusc.box_velocity(annotation["token"])
    assert np.isnan(velocity).all() or np.linalg.norm(velocity) < 40
print("images", *sizes)
print("boxes in images", boxes, "annotations", len(nusc.sample_annotation), "seen", seen)

samples = 0
for split in ("mini_train", "mini_val"):
    truth = load_gt(nusc, split, DetectionBox)
    samples += len(truth.sample_tokens)
print("samples with truth", samples)

masks = 0
for record in nusc.map:
    scene = next(scene for scene in nusc.scene if scene["log_token"] in record["log_tokens"])
    first = nusc.get("sample_data", nusc.get("sample", scene["first_sample_token"])["data"]["LIDAR_TOP"])
    x, y, _ = nusc.get("ego_pose", first["ego_pose_token"])["translation"]
    # nuScenes' maps begin at zero; generated worlds may lie elsewhere.
    if x > 0 and y > 0:
        assert record["mask"].is_on_mask(x, y).all(), scene["name"]
        masks += 1
    location = nusc.get("log", record["log_tokens"][0])["location"]
    map_api.locations.append(location)
    expansion = map_api.NuScenesMap(root, location)
    lane = expansion.lane[0]["token"]
    points = expansion.discretize_lanes([lane], 1.0)[lane]
    assert len(points) > 2
    assert all(expansion.layers_on_point(x, y)["drivable_area"] for x, y, _ in points[1:-1])
assert masks > 0
print("expansion ok")
