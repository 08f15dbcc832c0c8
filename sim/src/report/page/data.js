// The embedded data: what columns.rs packed, unpacked; runs and maps, opened when first needed.

const index = JSON.parse(byId("index").textContent);
index.runs.forEach((run, number) => (run.number = number));

const SUB_SCORES = [
  ["nc", "no at-fault collision"],
  ["dac", "drivable area"],
  ["ddc", "driving direction"],
  ["tlc", "traffic lights"],
  ["ep", "progress"],
  ["ttc", "time to collision"],
  ["lk", "lane keeping"],
  ["hc", "comfort"],
  ["ec", "comfort from plan to plan"],
];

const MISSING = -(2 ** 31);

/** The bytes of a block: base64 of a zlib stream. */
async function unpack(id) {
  const packed = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  const inflate = new DecompressionStream("deflate");
  const writer = inflate.writable.getWriter();
  const [bytes] = await Promise.all([new Response(inflate.readable).arrayBuffer(), writer.write(packed), writer.close()]);
  return new Uint8Array(bytes);
}

/** The columns of a block by name; "no value" becomes NaN. */
function readColumns(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const columns = {};
  while (at < bytes.length) {
    const nameLength = varint();
    const name = new TextDecoder().decode(bytes.subarray(at, at + nameLength));
    const scale = view.getFloat64(at + nameLength, true);
    at += nameLength + 8;
    const values = new Float64Array(varint());
    let whole = 0;
    for (let i = 0; i < values.length; i++) {
      const step = varint();
      whole = (whole + ((step >>> 1) ^ -(step & 1))) | 0;
      values[i] = whole === MISSING ? NaN : whole * scale;
    }
    columns[name] = values;
  }
  return columns;
}

/** Remembers what `load` gave for a number or a name. */
function remember(load) {
  const known = new Map();
  return (number) => {
    if (!known.has(number)) known.set(number, load(number));
    return known.get(number);
  };
}

/** A map as paths that the canvas can fill and stroke, in metres from the map's origin. */
const openMap = remember(async (number) => {
  const columns = readColumns(await unpack(`map-${number}`));
  const areas = (name) => pathOf(columns, name, true);
  const lines = (name) => pathOf(columns, name, false);
  return {
    drivable: areas("drivable"),
    lanes: areas("lane"),
    bikeLanes: areas("bike"),
    intersections: areas("intersection"),
    crossings: areas("crossing"),
    stripes: stripesOf(columns),
    centers: lines("center"),
    dashed: lines("dashed"),
    solid: lines("solid"),
    edges: lines("edge"),
    stops: lines("stop"),
    unknown: lines("unknown"),
  };
});

/** Calls `visit` with the index range of every path of a set. */
function eachPath(columns, name, visit) {
  let start = 0;
  for (const count of columns[`${name}.count`]) {
    if (count > 0) visit(start, start + count);
    start += count;
  }
}

function pathOf(columns, name, closed) {
  const path = new Path2D();
  const [xs, ys] = [columns[`${name}.x`], columns[`${name}.y`]];
  eachPath(columns, name, (start, end) => {
    path.moveTo(xs[start], ys[start]);
    for (let i = start + 1; i < end; i++) path.lineTo(xs[i], ys[i]);
    if (closed) path.closePath();
  });
  return path;
}

/** Zebra bars: half a metre wide, half a metre apart along each crossing's longest side; to be clipped to it. */
function stripesOf(columns) {
  const path = new Path2D();
  const [xs, ys] = [columns["crossing.x"], columns["crossing.y"]];
  eachPath(columns, "crossing", (start, end) => {
    const axis = longestSide(xs, ys, start, end);
    let [low, high, left, right] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = start; i < end; i++) {
      const along = xs[i] * axis.x + ys[i] * axis.y;
      const across = ys[i] * axis.x - xs[i] * axis.y;
      [low, high] = [Math.min(low, along), Math.max(high, along)];
      [left, right] = [Math.min(left, across), Math.max(right, across)];
    }
    const corner = (along, across) => [along * axis.x - across * axis.y, along * axis.y + across * axis.x];
    for (let along = low + 0.25; along < high; along += 1) {
      path.moveTo(...corner(along, left));
      path.lineTo(...corner(along + 0.5, left));
      path.lineTo(...corner(along + 0.5, right));
      path.lineTo(...corner(along, right));
      path.closePath();
    }
  });
  return path;
}

function longestSide(xs, ys, start, end) {
  let best = { length: 0, x: 1, y: 0 };
  for (let i = start; i < end; i++) {
    const next = i + 1 < end ? i + 1 : start;
    const [dx, dy] = [xs[next] - xs[i], ys[next] - ys[i]];
    const length = Math.hypot(dx, dy);
    if (length > best.length) best = { length, x: dx / length, y: dy / length };
  }
  return best;
}

/** A run's columns with what is needed to find things in them. */
const openRun = remember(async (number) => {
  const columns = readColumns(await unpack(`run-${number}`));
  const map = await openMap(index.runs[number].map);
  return new Run(index.runs[number], columns, map);
});

class Run {
  constructor(info, columns, map) {
    this.info = info;
    this.number = info.number;
    this.columns = columns;
    this.map = map;
    this.times = columns.time;
    this.frames = columns.time.length;
    this.end = this.frames > 0 ? this.times[this.frames - 1] : 0;
    this.planStarts = startsOf(columns["plan.count"]);
    this.stretchStarts = startsOf(columns["stretch.count"]);
    this.answerStarts = startsOf(columns["answer.count"] ?? []);
    this.edgeStarts = startsOf(columns["edge.count"] ?? []);
  }

  /** Where `time` falls: the frame at or before it, and how far on towards the next, in [0, 1). */
  locate(time) {
    let [low, high] = [0, this.frames - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time + 1e-6) low = middle;
      else high = middle - 1;
    }
    const next = Math.min(low + 1, this.frames - 1);
    const gap = this.times[next] - this.times[low];
    return { frame: low, next, part: gap > 0 ? clamp((time - this.times[low]) / gap, 0, 1) : 0 };
  }

  /** The pose of `ego` or `human`, or null. */
  pose(who, where) {
    const column = (name) => this.columns[`${who}.${name}`];
    return poseBetween(column("x"), column("y"), column("yaw"), where.frame, where.next, where.part);
  }

  /** The agents that are there, each with its pose, size, class, id and speed. */
  agents({ frame, next, part }) {
    const { columns } = this;
    const found = [];
    for (let stretch = 0; stretch < this.stretchStarts.length; stretch++) {
      const offset = frame - columns["stretch.first"][stretch];
      const count = columns["stretch.count"][stretch];
      if (offset < 0 || offset >= count) continue;
      const at = this.stretchStarts[stretch] + offset;
      const then = offset + 1 < count ? at + (next - frame) : at;
      const agent = columns["stretch.agent"][stretch];
      found.push({
        ...poseBetween(columns["agent.x"], columns["agent.y"], columns["agent.yaw"], at, then, part),
        id: columns["agent.id"][agent],
        kind: index.classes[columns["agent.class"][agent]],
        length: columns["agent.length"][agent],
        width: columns["agent.width"][agent],
        speed: columns["agent.speed"][at],
      });
    }
    return found;
  }

  /** The objects as perception last said by a frame, where they were when they were seen. */
  perceived(frame) {
    const { columns } = this;
    const answer = (columns["answer.time"] ?? []).findLastIndex((time) => time <= this.times[frame] + 1e-6);
    if (answer < 0) return [];
    const start = this.answerStarts[answer];
    return Array.from({ length: columns["answer.count"][answer] }, (_, i) => ({
      x: columns["answer.x"][start + i],
      y: columns["answer.y"][start + i],
      yaw: columns["answer.yaw"][start + i],
      length: columns["answer.length"][start + i],
      width: columns["answer.width"][start + i],
    }));
  }

  /** The plan's points in force at a frame, in metres from the map's origin. */
  plan(frame) {
    const { columns } = this;
    const [x, y] = [columns["ego.x"][frame], columns["ego.y"][frame]];
    const start = this.planStarts[frame];
    return Array.from({ length: columns["plan.count"][frame] }, (_, i) => [
      x + columns["plan.x"][start + i],
      y + columns["plan.y"][start + i],
    ]);
  }

  /** The lights with their colours: 0 unknown, 1 red, 2 yellow, 3 green. */
  lights(frame) {
    const { columns } = this;
    return Array.from(columns["light.lane"], (lane, i) => ({
      lane,
      x: columns["light.x"][i],
      y: columns["light.y"][i],
      yaw: columns["light.yaw"][i],
      color: columns["light.color"][i * this.frames + frame],
    })).filter((light) => Number.isFinite(light.color) && Number.isFinite(light.x));
  }

  proposal(frame) {
    return this.info.proposals[this.columns["plan.proposal"][frame]] ?? "";
  }

  /** The box that holds the ego's way. */
  extent() {
    const finite = (name) => this.columns[name].filter(Number.isFinite);
    const [xs, ys] = [finite("ego.x"), finite("ego.y")];
    if (xs.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
    const [left, right] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
    const [bottom, top] = [ys.reduce((a, b) => Math.min(a, b)), ys.reduce((a, b) => Math.max(a, b))];
    return { x: (left + right) / 2, y: (bottom + top) / 2, width: right - left, height: top - bottom };
  }
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function startsOf(counts) {
  let sum = 0;
  return Array.from(counts, (count) => (sum += count) - count);
}

function poseBetween(xs, ys, yaws, a, b, part) {
  if (!Number.isFinite(xs[a])) return null;
  if (!Number.isFinite(xs[b])) b = a;
  let turn = (yaws[b] - yaws[a]) % (2 * Math.PI);
  if (turn > Math.PI) turn -= 2 * Math.PI;
  if (turn < -Math.PI) turn += 2 * Math.PI;
  return {
    x: xs[a] + (xs[b] - xs[a]) * part,
    y: ys[a] + (ys[b] - ys[a]) * part,
    yaw: yaws[a] + turn * part,
  };
}
