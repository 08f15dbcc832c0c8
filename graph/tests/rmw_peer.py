"""The other side of rmw_peer.rs: a ROS 2 node on zenoh by pyzeros, which shares no code with Tandem.

usage: rmw_peer.py ENDPOINT

Connects to ENDPOINT, receives one nav_msgs/Odometry on /ego/odometry, prints what it saw as one line of JSON, and
sends the message back on /peer/odometry, ten times a second, until its standard input closes.
"""

import asyncio
import json
import sys

import pyzeros
import zenoh
from pyzeros.builtin_msgs import Attachment
from pyzeros.sub import RawSub
from pyzeros.utils import rmw_zenoh_gid
from ros2_pyterfaces.cydr.all_msgs import Odometry


def session(endpoint):
    config = zenoh.Config()
    config.insert_json5("mode", '"peer"')
    config.insert_json5("connect/endpoints", json.dumps([endpoint]))
    config.insert_json5("listen/endpoints", '["tcp/127.0.0.1:0"]')
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("scouting/gossip/enabled", "true")
    return zenoh.open(config)


def tokens(node):
    replies = node.session.liveliness().get("@ros2_lv/0/**", timeout=2.0)
    return sorted(str(reply.ok.key_expr) for reply in replies if reply.ok)


def publishers(tokens):
    return [token for token in tokens if "/MP/" in token and "/%ego%odometry/" in token]


async def main(node):
    loop = asyncio.get_running_loop()
    samples = asyncio.Queue()
    sub = RawSub(Odometry, "/ego/odometry", lambda s: loop.call_soon_threadsafe(samples.put_nowait, s), session=node)
    pub = pyzeros.Pub(Odometry, "/peer/odometry", session=node)
    sample = await asyncio.wait_for(samples.get(), 60)
    payload = sample.payload.to_bytes()
    odometry = Odometry.deserialize(payload)
    attachment = Attachment.deserialize(b"\0\1\0\0" + sample.attachment.to_bytes())
    seen = tokens(node)
    # A message may arrive before its publisher's token does.
    for _ in range(50):
        if publishers(seen):
            break
        await asyncio.sleep(0.1)
        seen = tokens(node)
    print(
        json.dumps(
            {
                "key": str(sample.key_expr),
                "expected_key": sub.subscriber_keyexpr,
                "tokens": seen,
                "gid": bytes(attachment.source_gid).hex(),
                "gid_of_token": [rmw_zenoh_gid(token).hex() for token in publishers(seen)],
                "attachment_bytes": len(sample.attachment.to_bytes()),
                "sequence": int(attachment.sequence_number),
                "published_ns": int(attachment.source_timestamp),
                "x": float(odometry.pose.pose.position.x),
                "w": float(odometry.pose.pose.orientation.w),
                "covariance": [float(value) for value in odometry.pose.covariance],
                "speed": float(odometry.twist.twist.linear.x),
                "frame": bytes(odometry.header.frame_id).decode(),
                "sec": int(odometry.header.stamp.sec),
                "same_bytes": odometry.serialize() == payload,
            }
        ),
        flush=True,
    )
    odometry.child_frame_id = b"returned"
    closed = loop.run_in_executor(None, sys.stdin.read)
    while not closed.done():
        pub.publish(odometry)
        await asyncio.sleep(0.1)


with session(sys.argv[1]) as zenoh_session:
    with pyzeros.auto_context(node="peer", zenoh_session=zenoh_session) as peer:
        asyncio.run(main(peer))
