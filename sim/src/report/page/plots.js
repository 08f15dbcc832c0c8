// Quantities over time, one row each, all on the time line's scale. Press anywhere on them to go there.

/** What a plot of one of the score's comfort quantities needs; the values are smoothed as for the score. */
function comfort(name) {
  const number = index.limits.findIndex((limit) => limit.name === name);
  return { limits: index.limits[number].range, of: (run) => run.columns[`comfort.${number}`] };
}

const degrees = (values) => values.map((value) => (value * 180) / Math.PI);

/** `range` is what is shown at least; `limits` are drawn as thin lines, and what exceeds them in the warning colour. */
const PLOTS = [
  { label: "Speed", unit: "m/s", range: [0, 5], of: (run) => run.columns["ego.speed"], human: true, cap: (run) => run.columns["limit.speed"] },
  { label: "Acceleration", unit: "m/s\u00b2", range: [-4.2, 3], ...comfort("longitudinal acceleration") },
  { label: "Time to collision", unit: "s", range: [0, 5], of: (run) => run.columns.ttc, limits: [0.9, Infinity], decimals: 1 },
  { label: "Jerk", unit: "m/s\u00b3", range: [-5, 5], ...comfort("longitudinal jerk") },
  { label: "Lateral acc.", unit: "m/s\u00b2", range: [-3, 3], ...comfort("lateral acceleration") },
  { label: "Yaw rate", unit: "rad/s", range: [-0.5, 0.5], ...comfort("yaw rate"), decimals: 2 },
  { label: "Yaw acc.", unit: "rad/s\u00b2", range: [-1, 1], ...comfort("yaw acceleration"), decimals: 2 },
  { label: "Steering", unit: "\u00b0", range: [-10, 10], of: (run) => degrees(run.columns["ego.steering"]) },
];

class Plot {
  constructor(spec) {
    this.spec = spec;
    this.canvas = el("canvas");
    this.values = el("span", { class: "values" });
    this.element = el(
      "div",
      { class: "plot" },
      el("div", { class: "gutter" }, el("span", { class: "label" }, spec.label), el("span", { class: "unit" }, spec.unit), this.values),
      this.canvas,
    );
    seekOn(this.canvas);
  }

  show(runs) {
    const { spec } = this;
    this.series = runs.map((run, i) => ({ times: run.times, values: spec.of(run), color: i === 0 ? "run-a" : "run-b", run }));
    this.back = [];
    if (spec.human) this.back.push({ times: runs[0].times, values: runs[0].columns["human.speed"], color: "human", dash: [4, 3] });
    if (spec.cap) this.back.push({ times: runs[0].times, values: spec.cap(runs[0]), color: "limit" });
    this.end = runs[0].end;
    this.fitRange();
  }

  fitRange() {
    let [low, high] = this.spec.range;
    for (const { values } of [...this.series, ...this.back]) {
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const margin = (high - low) * 0.06;
    [this.low, this.high] = [low - margin, high + margin];
  }

  draw() {
    const { context, width, height } = fitCanvas(this.canvas);
    this.toX = (time) => (this.end > 0 ? (time / this.end) * width : 0);
    this.toY = (value) => height - ((value - this.low) / (this.high - this.low)) * height;
    this.drawGrid(context, width, height);
    for (const series of [...this.back, ...this.series.toReversed()]) this.drawSeries(context, series);
    this.drawExcess(context, width, height);
  }

  drawGrid(context, width, height) {
    const line = (value, color, text) => {
      if (value < this.low || value > this.high) return;
      const y = Math.round(this.toY(value)) + 0.5;
      context.strokeStyle = palette.color(color);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
      if (!text) return;
      context.fillStyle = palette.color("muted");
      context.font = "10px system-ui, sans-serif";
      context.textAlign = "right";
      const isInside = value > 0 ? y > 12 : y > height - 12;
      context.fillText(text, width - 2, isInside ? y - 3 : y + 10);
    };
    line(0, "border");
    for (const limit of this.spec.limits ?? []) line(limit, "limit", fixed(limit, 2));
  }

  drawSeries(context, { times, values, color, dash = [] }) {
    context.strokeStyle = palette.color(color);
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.setLineDash(dash);
    this.trace(context, times, values);
    context.stroke();
    context.setLineDash([]);
  }

  trace(context, times, values) {
    context.beginPath();
    let isDown = false;
    for (let i = 0; i < values.length; i++) {
      const isKnown = Number.isFinite(values[i]);
      if (isKnown && isDown) context.lineTo(this.toX(times[i]), this.toY(values[i]));
      else if (isKnown) context.moveTo(this.toX(times[i]), this.toY(values[i]));
      isDown = isKnown;
    }
  }

  /** The parts of the lines that lie beyond the limits, once more in the warning colour. */
  drawExcess(context, width, height) {
    const [low, high] = this.spec.limits ?? [-Infinity, Infinity];
    const bands = [[0, this.toY(high)], [this.toY(low), height]].filter((band) => band.every(Number.isFinite));
    for (const [top, bottom] of bands) {
      context.save();
      context.beginPath();
      context.rect(0, top, width, bottom - top);
      context.clip();
      context.strokeStyle = palette.color("bad");
      context.lineWidth = 2.5;
      this.trace(context, this.series[0].times, this.series[0].values);
      context.stroke();
      context.restore();
    }
  }

  read(time) {
    const texts = this.series.map(({ run, values, color }) => {
      const value = values[run.locate(time).frame];
      return el("b", { "--swatch": `var(--${color})` }, fixed(value, this.spec.decimals ?? 1));
    });
    this.values.replaceChildren(...texts);
  }
}

/** The predicted sub-scores of the plan in force: one strip each, the darker the worse. */
class Predictions {
  constructor() {
    this.canvas = el("canvas");
    const labels = SUB_SCORES.map(([key, name]) => el("span", { title: name }, key.toUpperCase()));
    this.element = el(
      "div",
      { class: "plot predictions" },
      el("div", { class: "gutter" }, el("span", { class: "label" }, "Predicted"), el("div", { class: "strip-names" }, ...labels)),
      this.canvas,
    );
    seekOn(this.canvas);
  }

  show([run]) {
    this.run = run;
    this.element.hidden = !run.columns["predicted.nc"].some(Number.isFinite);
  }

  draw() {
    if (this.element.hidden) return;
    const { context, width, height } = fitCanvas(this.canvas);
    const { times, end, frames, columns } = this.run;
    const rowHeight = height / SUB_SCORES.length;
    SUB_SCORES.forEach(([key], row) => {
      const scores = columns[`predicted.${key}`];
      for (let i = 0; i < frames; i++) {
        if (!Number.isFinite(scores[i])) continue;
        const [left, right] = [times[i], times[i + 1] ?? end].map((time) => (end > 0 ? (time / end) * width : 0));
        const paint = (color, alpha) => {
          context.fillStyle = palette.color(color);
          context.globalAlpha = alpha;
          context.fillRect(left, row * rowHeight + 1, right - left + 0.3, rowHeight - 2);
        };
        paint("good-strip", 1);
        if (scores[i] < 1) paint("bad", 0.15 + 0.85 * (1 - scores[i]));
      }
    });
    context.globalAlpha = 1;
  }

  read() {}
}

/** Lets a press or drag over an element that spans the time line set the time. */
function seekOn(element) {
  const seek = (event) => {
    const box = element.getBoundingClientRect();
    change({ time: clamp((event.clientX - box.left) / box.width, 0, 1) * shownEnd(), playing: false });
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    element.setPointerCapture(event.pointerId);
    seek(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) seek(event);
  });
}

const plots = [...PLOTS.map((spec) => new Plot(spec)), new Predictions()];
byId("plots").append(...plots.map((plot) => plot.element));
