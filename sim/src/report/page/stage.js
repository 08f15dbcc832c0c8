// One canvas with a run's scene, its readings, and the pointer on it. Two of them stand side by side to compare.

const CAMERA_NAMES = { ahead: "Ahead up", north: "North up", still: "Still" };

class Stage {
  constructor(accent) {
    this.accent = accent;
    this.run = null;
    this.hovered = null;
    this.canvas = el("canvas", { tabindex: -1, "aria-label": "The scene from above" });
    this.name = el("span", { class: "name" });
    this.speed = el("b");
    this.proposal = el("span", { class: "proposal" });
    this.events = el("span", { class: "events", role: "status" });
    this.tip = el("div", { class: "tip", hidden: true });
    this.scaleBar = el("div", { class: "scale-bar" });
    this.legend = el("ul", { class: "legend" });
    this.element = el(
      "figure",
      { class: "stage", "--accent": `var(--${accent})` },
      this.canvas,
      el("figcaption", { class: "readings" }, this.name, el("span", { class: "speed" }, this.speed, " m/s"), this.proposal, this.events),
      this.legend,
      this.scaleBar,
      this.tip,
    );
    this.listen();
  }

  show(run) {
    this.run = run;
    this.hovered = null;
    this.name.textContent = [run.info.planner, conditions(run.info)].filter(Boolean).join(" \u00b7 ");
    this.drawLegend();
  }

  drawLegend() {
    const kinds = new Set(Array.from(this.run.columns["agent.class"], (kind) => index.classes[kind]));
    const groups = new Map([...kinds].map((kind) => GROUPS[kind]));
    const order = ["car", "heavy", "cycle", "person", "thing"];
    const present = order.filter((group) => groups.has(group));
    const items = present.map((group) => el("li", { "--swatch": `var(--${group})` }, groups.get(group)));
    const hasHuman = this.run.columns["human.x"].some(Number.isFinite);
    if (this.run.info.cameras.length > 0) items.push(el("li", { class: "perceived" }, "Perceived"));
    if (hasHuman) items.push(el("li", { class: "ghost" }, "Human"));
    this.legend.replaceChildren(...items);
  }

  draw(time) {
    const { run } = this;
    if (!run || run.frames === 0) return;
    const { context, width, height, ratio } = fitCanvas(this.canvas);
    const where = run.locate(time);
    this.view = viewOf(run, run.pose("ego", where), width, height);
    context.fillStyle = palette.color("land");
    context.fillRect(0, 0, width, height);
    this.agents = paintScene(context, ratio, this.view, run, where, this);
    this.read(where);
  }

  read({ frame }) {
    const { columns, info } = this.run;
    this.speed.textContent = fixed(columns["ego.speed"][frame]);
    this.proposal.textContent = this.run.proposal(frame);
    const time = columns.time[frame];
    const now = momentsOf(info.number).filter(
      ({ kind, time_s }) => ["at-fault", "collision", "rule"].includes(kind) && time >= time_s - 0.05 && time <= time_s + 1.5,
    );
    this.events.textContent = now.map((moment) => moment.text).join(", ");
    this.drawScaleBar();
  }

  drawScaleBar() {
    const metres = [200, 100, 50, 20, 10, 5, 2, 1].find((length) => length * this.view.scale <= 130) ?? 1;
    this.scaleBar.style.setProperty("--length", `${metres * this.view.scale}px`);
    this.scaleBar.textContent = `${metres} m`;
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.view?.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
      drawStages();
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) {
        this.view?.drag(event.movementX, event.movementY);
        drawStages();
      } else {
        this.hover(event.offsetX, event.offsetY);
      }
    });
    canvas.addEventListener("pointerleave", () => this.hover(NaN, NaN));
    canvas.addEventListener("dblclick", () => {
      resetCamera();
      drawStages();
    });
  }

  hover(x, y) {
    const found = this.view ? this.find(this.view.toWorld(x, y)) : null;
    this.tip.hidden = !found;
    if (found) {
      this.tip.textContent = describe(found);
      this.tip.style.transform = `translate(${x + 14}px, ${y + 14}px)`;
    }
    if (found?.id !== this.hovered?.id) {
      this.hovered = found;
      drawStages();
    }
  }

  /** The agent under a point of the world, the smallest if there are several. */
  find({ x, y }) {
    const margin = 4 / this.view.scale;
    const under = (this.agents ?? []).filter((agent) => {
      const [dx, dy] = [x - agent.x, y - agent.y];
      const [sin, cos] = [Math.sin(agent.yaw), Math.cos(agent.yaw)];
      const [ahead, left] = [Math.abs(dx * cos + dy * sin), Math.abs(dy * cos - dx * sin)];
      return ahead <= agent.length / 2 + margin && left <= agent.width / 2 + margin;
    });
    return under.sort((a, b) => a.length * a.width - b.length * b.width)[0] ?? null;
  }
}

const describe = ({ kind, id, speed, length, width }) =>
  `${kind} ${id} \u00b7 ${fixed(speed)} m/s \u00b7 ${fixed(length)} \u00d7 ${fixed(width)} m`;

const stages = [new Stage("run-a"), new Stage("run-b")];

const cameraButtons = CAMERAS.map((mode) =>
  el("button", { type: "button", "data-camera": mode, title: "Camera (F)", onclick: () => change({ camera: mode }) }, CAMERA_NAMES[mode]),
);
const fitButton = el("button", { type: "button", title: "Reset zoom and pan (0)", onclick: () => { resetCamera(); drawStages(); } }, "Fit");

byId("stages").append(...stages.map((stage) => stage.element));
byId("stage-bar").append(el("span", { id: "beside" }), el("div", { class: "segments" }, ...cameraButtons), fitButton);

const drawStagesNow = () => stages.forEach((stage) => !stage.element.hidden && stage.draw(state.time));
const drawStages = oncePerFrame(drawStagesNow);

function drawCameraButtons() {
  for (const button of cameraButtons) button.setAttribute("aria-pressed", String(button.dataset.camera === state.camera));
}

watch("camera", () => {
  resetCamera();
  drawCameraButtons();
  drawStages();
});
watch("time", drawStages);
