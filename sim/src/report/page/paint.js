// The scene from above: map, lights, route, plan, agents, the human's ghost and the ego.

const GROUPS = {
  car: ["car", "Car"],
  truck: ["heavy", "Truck, bus"],
  bus: ["heavy", "Truck, bus"],
  trailer: ["heavy", "Truck, bus"],
  motorcycle: ["cycle", "Cycle"],
  bicycle: ["cycle", "Cycle"],
  pedestrian: ["person", "Pedestrian"],
  animal: ["person", "Pedestrian"],
  cone: ["thing", "Object"],
  barrier: ["thing", "Object"],
  object: ["thing", "Object"],
};
const LIGHT_COLORS = ["light-unknown", "light-red", "light-yellow", "light-green"];

/** Everything, in world metres but for the light heads. `accent` names the colour of the ego and its plan. */
function paintScene(context, ratio, view, run, where, { accent, hovered }) {
  const pixel = 1 / view.scale;
  const agents = run.agents(where);
  view.apply(context, ratio);
  paintMap(context, run.map, pixel);
  paintRoute(context, run);
  paintTrail(context, run, where, accent, pixel);
  paintPlan(context, run, where, accent, pixel);
  for (const agent of agents) paintAgent(context, agent, pixel);
  for (const object of run.perceived(where.frame)) paintPerceived(context, object, pixel);
  paintEgo(context, run, where, accent, pixel);
  if (hovered) paintHovered(context, agents.find((agent) => agent.id === hovered.id), pixel);
  paintLights(context, ratio, view, run.lights(where.frame));
  return agents;
}

function paintMap(context, map, pixel) {
  const fill = (path, color) => {
    context.fillStyle = palette.color(color);
    context.fill(path);
  };
  const stroke = (path, color, width, dash = []) => {
    context.strokeStyle = palette.color(color);
    context.lineWidth = Math.max(width, pixel);
    context.setLineDash(dash);
    context.stroke(path);
  };
  fill(map.drivable, "drivable");
  fill(map.lanes, "lane");
  fill(map.intersections, "lane");
  fill(map.bikeLanes, "bike-lane");
  context.save();
  context.clip(map.crossings);
  fill(map.stripes, "crossing");
  context.restore();
  if (pixel < 0.6) stroke(map.centers, "center", 0.05);
  stroke(map.unknown, "line", 0.1);
  stroke(map.dashed, "line", 0.14, [3, 4]);
  stroke(map.solid, "line", 0.14);
  stroke(map.edges, "edge", 0.2);
  stroke(map.stops, "line", 0.45);
  context.setLineDash([]);
}

function polyline(context, points) {
  context.beginPath();
  points.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
}

function strokeLine(context, points, color, width, alpha) {
  context.globalAlpha = alpha;
  context.strokeStyle = palette.color(color);
  context.lineWidth = width;
  context.lineJoin = "round";
  polyline(context, points);
  context.stroke();
  context.globalAlpha = 1;
}

function paintRoute(context, run) {
  const [xs, ys] = [run.columns["route.x"], run.columns["route.y"]];
  strokeLine(context, Array.from(xs, (x, i) => [x, ys[i]]), "route", 1.1, 0.5);
}

function paintTrail(context, run, where, accent, pixel) {
  const [xs, ys] = [run.columns["ego.x"], run.columns["ego.y"]];
  const points = Array.from(xs.subarray(0, where.frame + 1), (x, i) => [x, ys[i]]);
  const ego = run.pose("ego", where);
  if (ego) points.push([ego.x, ego.y]);
  strokeLine(context, points, accent, Math.max(0.16, 1.5 * pixel), 0.55);
}

/** The plan as a ribbon, with a dot at every second. */
function paintPlan(context, run, where, accent, pixel) {
  const points = run.plan(where.frame);
  if (points.length < 2) return;
  strokeLine(context, points, accent, run.info.body.width * 0.8, 0.22);
  context.fillStyle = palette.color(accent);
  context.globalAlpha = 0.8;
  for (let i = 10; i < points.length; i += 10) {
    context.beginPath();
    context.arc(points[i][0], points[i][1], Math.max(0.22, 2 * pixel), 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
}

/** Runs `draw` in the frame of a body: x ahead, y left. */
function within(context, pose, draw) {
  const [sin, cos] = [Math.sin(pose.yaw), Math.cos(pose.yaw)];
  context.save();
  context.transform(cos, sin, -sin, cos, pose.x, pose.y);
  draw();
  context.restore();
}

function paintAgent(context, agent, pixel) {
  const group = GROUPS[agent.kind][0];
  const least = (group === "person" ? 7 : 4) * pixel;
  const [length, width] = [Math.max(agent.length, least), Math.max(agent.width, least)];
  within(context, agent, () => {
    context.fillStyle = palette.color(group);
    context.strokeStyle = palette.color("outline");
    context.lineWidth = pixel;
    context.beginPath();
    if (agent.kind === "pedestrian" || agent.kind === "cone") context.ellipse(0, 0, length / 2, width / 2, 0, 0, 7);
    else context.roundRect(-length / 2, -width / 2, length, width, Math.min(0.35, width / 4));
    context.fill();
    context.stroke();
    if (group !== "thing") paintHeading(context, agent, length, width, group, pixel);
  });
}

/** A frame around what perception said, somewhat larger than the thing itself. */
function paintPerceived(context, object, pixel) {
  within(context, object, () => {
    const margin = 1.5 * pixel;
    context.strokeStyle = palette.color("seen");
    context.lineWidth = 1.5 * pixel;
    context.strokeRect(-object.length / 2 - margin, -object.width / 2 - margin, object.length + 2 * margin, object.width + 2 * margin);
    context.beginPath();
    context.moveTo(object.length / 2, 0);
    context.lineTo(0, 0);
    context.stroke();
  });
}

/** A nose that says where front is, and a line as long as the way of the next second. */
function paintHeading(context, agent, length, width, group, pixel) {
  if (length > 2 && 3 * pixel < width) {
    context.beginPath();
    context.moveTo(length / 2 - width * 0.5, width * 0.3);
    context.lineTo(length / 2 - width * 0.22, 0);
    context.lineTo(length / 2 - width * 0.5, -width * 0.3);
    context.strokeStyle = palette.color("outline");
    context.lineWidth = Math.max(0.16, pixel);
    context.stroke();
  }
  if (agent.speed > 0.3) {
    context.beginPath();
    context.moveTo(length / 2, 0);
    context.lineTo(length / 2 + agent.speed, 0);
    context.strokeStyle = palette.color(group);
    context.lineWidth = Math.max(0.1, 1.2 * pixel);
    context.globalAlpha = 0.6;
    context.stroke();
    context.globalAlpha = 1;
  }
}

function bodyPath(context, body) {
  context.beginPath();
  context.roundRect(body.rear_axle_to_center - body.length / 2, -body.width / 2, body.length, body.width, 0.45);
}

function paintEgo(context, run, where, accent, pixel) {
  const { body } = run.info;
  const human = run.pose("human", where);
  if (human) {
    within(context, human, () => {
      bodyPath(context, body);
      context.strokeStyle = palette.color("human");
      context.lineWidth = Math.max(0.14, 1.5 * pixel);
      context.setLineDash([0.7, 0.5]);
      context.stroke();
    });
  }
  const ego = run.pose("ego", where);
  if (!ego) return;
  within(context, ego, () => {
    bodyPath(context, body);
    context.fillStyle = palette.color(accent);
    context.fill();
    context.strokeStyle = palette.color("outline");
    context.lineWidth = Math.max(0.12, 1.5 * pixel);
    context.stroke();
    paintWindscreen(context, body);
  });
}

function paintWindscreen(context, body) {
  const front = body.rear_axle_to_center + body.length / 2;
  const half = body.width / 2;
  context.beginPath();
  context.moveTo(front - body.length * 0.22, half * 0.72);
  context.quadraticCurveTo(front - body.length * 0.16, 0, front - body.length * 0.22, -half * 0.72);
  context.lineTo(front - body.length * 0.36, -half * 0.6);
  context.quadraticCurveTo(front - body.length * 0.32, 0, front - body.length * 0.36, half * 0.6);
  context.closePath();
  context.fillStyle = palette.color("outline");
  context.globalAlpha = 0.85;
  context.fill();
  context.globalAlpha = 1;
}

function paintHovered(context, agent, pixel) {
  if (!agent) return;
  within(context, agent, () => {
    const margin = 3 * pixel;
    context.strokeStyle = palette.color("text");
    context.lineWidth = 1.5 * pixel;
    context.strokeRect(-agent.length / 2 - margin, -agent.width / 2 - margin, agent.length + 2 * margin, agent.width + 2 * margin);
  });
}

/** A bar across the lane, and a head whose lamp's place says the colour too. */
function paintLights(context, ratio, view, lights) {
  for (const light of lights) {
    within(context, light, () => {
      context.fillStyle = palette.color(LIGHT_COLORS[light.color]);
      context.fillRect(-0.2, -1.5, 0.4, 3);
    });
  }
  if (view.scale < 3) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const light of lights) {
    const { x, y } = view.toCanvas(light.x + 2.2 * Math.sin(light.yaw), light.y - 2.2 * Math.cos(light.yaw));
    context.fillStyle = palette.color("light-head");
    context.beginPath();
    context.roundRect(x - 4.5, y - 11, 9, 22, 3);
    context.fill();
    for (const [color, dy] of [[1, -6.5], [2, 0], [3, 6.5]]) {
      context.fillStyle = palette.color(light.color === color ? LIGHT_COLORS[color] : "light-off");
      context.beginPath();
      context.arc(x, y + dy, 2.6, 0, 7);
      context.fill();
    }
  }
}
