"""Reads a recording with three implementations that are not ours, and compares all with what was recorded.

Usage: recording_peer.py RECORDING EXPECTED, the latter with one JSON object a message: topic, type, hash, log_time,
publish_time, sequence, value. Prints how many messages each implementation read.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy
from foxglove_schemas_protobuf.SceneUpdate_pb2 import SceneUpdate
from google.protobuf.json_format import ParseDict
from mcap.reader import make_reader
from mcap.writer import Writer
from mcap_ros2.reader import read_ros2_messages
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore


def plain(value):
    """A decoded message as JSON has it."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return list(value)
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, numpy.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    names = getattr(value, "__slots__", None) or vars(value).keys()
    # Fields begin in lower case; constants and what a library adds do not.
    return {name: plain(getattr(value, name)) for name in names if name[0].islower()}


def same(ours, theirs, where):
    """Compares with single precision where a number is one, and NaN (which JSON has as null) equal to itself."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), f"{where}: {sorted(ours)} {sorted(theirs)}"
        for name in ours:
            same(ours[name], theirs[name], f"{where}.{name}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for index, (a, b) in enumerate(zip(ours, theirs)):
            same(a, b, f"{where}[{index}]")
    elif ours is None:
        assert theirs != theirs, f"{where}: NaN is {theirs}"
    elif isinstance(ours, float):
        assert ours == theirs or numpy.float32(ours) == numpy.float32(theirs), f"{where}: {ours} {theirs}"
    else:
        assert ours == theirs, f"{where}: {ours!r} {theirs!r}"


def check_ros2_support(path, expected):
    messages = list(read_ros2_messages(path, topics=sorted({ours["topic"] for ours in expected})))
    assert len(messages) == len(expected)
    for message, ours in zip(messages, expected):
        assert (message.channel.topic, message.schema.name) == (ours["topic"], ours["type"])
        assert (message.log_time_ns, message.publish_time_ns) == (ours["log_time"], ours["publish_time"])
        assert message.sequence_count == ours["sequence"]
        same(ours["value"], plain(message.ros_msg), ours["topic"])
    return len(messages)


def copy_ros_channels(path, out):
    """Copies what is CDR: rosbags opens no file that holds anything else."""
    with open(path, "rb") as file, open(out, "wb") as copy:
        writer = Writer(copy)
        writer.start(profile="ros2", library="recording_peer")
        channels = {}
        for schema, channel, message in make_reader(file).iter_messages():
            if channel.message_encoding != "cdr":
                continue
            if channel.id not in channels:
                copied = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.id] = writer.register_channel(channel.topic, "cdr", copied, channel.metadata)
            writer.add_message(
                channels[channel.id], message.log_time, message.data, message.publish_time, message.sequence
            )
        writer.finish()


def check_rosbags(path, expected):
    with AnyReader([Path(path)], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
        messages = list(reader.messages())
        assert len(messages) == len(expected)
        for (connection, log_time, raw), ours in zip(messages, expected):
            assert (connection.topic, connection.msgtype) == (ours["topic"], ours["type"])
            assert log_time == ours["log_time"]
            value = plain(reader.deserialize(raw, connection.msgtype))
            same(ours["value"], value, ours["topic"])
    return len(messages)


def check_type_hashes(path, expected):
    """The hash of a type, from our definition by rosbags' own parser and hasher, is ours."""
    with open(path, "rb") as file:
        schemas = make_reader(file).get_summary().schemas.values()
    definitions = {schema.name: schema.data.decode() for schema in schemas if schema.encoding == "ros2msg"}
    for ours in expected:
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(definitions[ours["type"]], ours["type"]))
        theirs = store.hash_rihs01(ours["type"])
        assert theirs == ours["hash"], f"{ours['type']}: {theirs} {ours['hash']}"


def check_scene(path):
    """Foxglove's own classes read the scene, and our schema has all fields that they have."""
    with open(path, "rb") as file:
        messages = list(make_reader(file).iter_messages(topics=["/scene"]))
    (schema, channel, _) = messages[0]
    assert (schema.name, schema.encoding) == ("foxglove.SceneUpdate", "jsonschema")
    assert channel.message_encoding == "json"
    schema = json.loads(schema.data)
    seen = set()

    def compare(theirs, ours):
        if theirs.full_name in seen or not theirs.full_name.startswith("foxglove."):
            return
        seen.add(theirs.full_name)
        assert ours["properties"].keys() == {field.name for field in theirs.fields}, theirs.name
        for field in theirs.fields:
            kind = ours["properties"][field.name]
            assert (kind.get("type") == "array") == field.is_repeated, f"{theirs.name}.{field.name}"
            kind = kind.get("items", kind)
            if field.message_type is not None:
                name = kind["$ref"].removeprefix("#/definitions/")
                assert name == {"Timestamp": "Time"}.get(field.message_type.name, field.message_type.name)
                compare(field.message_type, schema["definitions"][name])

    compare(SceneUpdate.DESCRIPTOR, schema)
    for _, _, message in messages:
        value = json.loads(message.data)
        for entity in value["entities"]:
            # Foxglove's JSON has times with the fields of ROS, protobuf's JSON as texts.
            assert entity.pop("timestamp").keys() == entity.pop("lifetime").keys() == {"sec", "nsec"}
        (entity,) = ParseDict(value, SceneUpdate()).entities
        print("scene", entity.id, entity.frame_id, len(entity.cubes), len(entity.lines), len(entity.texts),
              len(entity.arrows))
    return len(messages)


def main():
    path, expected = sys.argv[1], [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
    check_type_hashes(path, expected)
    print("mcap-ros2-support", check_ros2_support(path, expected))
    with tempfile.TemporaryDirectory() as directory:
        ros = Path(directory) / "ros.mcap"
        copy_ros_channels(path, ros)
        print("rosbags", check_rosbags(ros, expected))
    print("foxglove", check_scene(path))


main()
