// The run that is shown: its name and scores, its time line, and the two stages and plots kept in step with it.

const shownEnd = () => stages[0].run?.end ?? 0;

/** Opens the run (and the one beside it) and shows them; what was asked for meanwhile wins. */
async function showRuns() {
  if (index.runs.length === 0) return;
  const asked = [state.run, ...(state.other === null ? [] : [state.other])];
  const runs = await Promise.all(asked.map((number) => openRun(number)));
  if (asked[0] !== state.run || (asked[1] ?? null) !== state.other) return;
  stages[1].element.hidden = runs.length < 2;
  runs.forEach((run, i) => stages[i].show(run));
  showSight(runs[0]);
  plots.forEach((plot) => plot.show(runs));
  if (state.time > shownEnd()) change({ time: shownEnd() });
  drawHead();
  drawTimeline();
  drawPlotsNow();
  drawTimeNow();
  drawStagesNow();
  await drawSightNow();
  if (probing) probe();
}

function drawHead() {
  const run = index.runs[state.run];
  byId("run-title").replaceChildren(run.log, el("span", { class: "quiet" }, ` ${run.planner} \u00b7 ${conditions(run)}`));
  byId("run-text").replaceChildren(...[run.description, ...run.notes].filter(Boolean).map((text) => el("span", { title: text }, text)));
  byId("beside").replaceChildren(besideChooser());
  const cells = SUB_SCORES.map(([key, name]) => scoreCell(key.toUpperCase(), name, run[key], short(run[key])));
  byId("run-scores").replaceChildren(scoreCell("Score", "driving score", run.score, fixed(run.score, 3)), ...cells);
}

const scoreCell = (label, name, value, text) =>
  el("div", { class: "heat", "--worse": 1 - (value ?? 1), title: `${name}: ${fixed(value, 3)}` }, el("dt", {}, label), el("dd", {}, text));

function besideChooser() {
  const others = runsBeside(state.run);
  if (others.length === 0) return "";
  const choose = (event) => change({ other: event.target.value === "" ? null : Number(event.target.value) });
  const options = others.map((run) =>
    el("option", { value: run.number, selected: run.number === state.other }, `${run.planner} \u00b7 ${conditions(run)} \u00b7 ${fixed(run.score, 3)}`),
  );
  return el("label", { class: "beside" }, "Beside it", el("select", { title: "Another run of this log (C)", onchange: choose }, el("option", { value: "" }, "nothing"), ...options));
}

function drawTimeline() {
  const end = shownEnd();
  const place = (time) => ({ "--at": end > 0 ? time / end : 0 });
  const step = [1, 2, 5, 10, 20, 60, 300].find((seconds) => end / seconds <= 12) ?? 600;
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => el("span", { class: "tick", ...place(i * step) }, `${i * step}`));
  // The worst comes last, so that it lies on top.
  const marks = momentsOf(state.run).toReversed().map((moment) =>
    el("button", {
      type: "button",
      tabindex: -1,
      class: `mark ${moment.kind}`,
      title: `${fixed(moment.time_s)} s: ${moment.text}`,
      ...place(moment.time_s),
      onclick: () => showMoment(moment),
    }),
  );
  byId("timeline").replaceChildren(el("div", { class: "track" }), ...ticks, ...marks);
  byId("timeline").setAttribute("aria-valuemax", end.toFixed(1));
}

function drawPlotsNow() {
  if (stages[0].run) plots.forEach((plot) => plot.draw());
}

/** What changes with time, but for the stages. */
function drawTimeNow() {
  const end = shownEnd();
  byId("time-panel").style.setProperty("--at", end > 0 ? state.time / end : 0);
  byId("clock").textContent = `${fixed(state.time)} / ${fixed(end)} s`;
  byId("timeline").setAttribute("aria-valuenow", state.time.toFixed(1));
  if (stages[0].run) plots.forEach((plot) => plot.read(state.time));
}

const drawPlots = oncePerFrame(drawPlotsNow);
const drawTime = oncePerFrame(drawTimeNow);

let lastTick = 0;

/** Moves the time on while playing. */
function tick(now) {
  if (!state.playing) return;
  const time = state.time + ((now - lastTick) / 1000) * state.speed;
  lastTick = now;
  change(time < shownEnd() ? { time } : { time: shownEnd(), playing: false });
  requestAnimationFrame(tick);
}

function togglePlay() {
  const atEnd = state.time >= shownEnd() - 1e-6;
  change({ playing: !state.playing, ...(atEnd && !state.playing ? { time: 0 } : {}) });
}

function drawTransport() {
  byId("play").dataset.playing = state.playing;
  byId("speed").textContent = `${state.speed}\u00d7`;
}

const stepSpeed = (by) => change({ speed: SPEEDS[clamp(SPEEDS.indexOf(state.speed) + by, 0, SPEEDS.length - 1)] });
const stepTime = (seconds) => change({ time: clamp(Math.round((state.time + seconds) * 10) / 10, 0, shownEnd()), playing: false });

byId("play").addEventListener("click", togglePlay);
byId("speed").addEventListener("click", () => change({ speed: SPEEDS[(SPEEDS.indexOf(state.speed) + 1) % SPEEDS.length] }));
seekOn(byId("timeline"));

watch("run other", showRuns);
watch("time", drawTime);
watch("playing speed", drawTransport);
watch("playing", () => {
  lastTick = performance.now();
  requestAnimationFrame(tick);
});

/** Says in data attributes of the page what was painted, for tests. */
function probe() {
  stages.filter((stage) => !stage.element.hidden).forEach(({ canvas }, i) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Map();
    for (const pixel of new Uint32Array(data.buffer)) colors.set(pixel, (colors.get(pixel) ?? 0) + 1);
    const commonest = Math.max(...colors.values());
    canvas.dataset.painted = (1 - commonest / (canvas.width * canvas.height)).toFixed(3);
    canvas.dataset.colors = colors.size;
  });
  document.documentElement.dataset.probed = `${state.run}@${state.time.toFixed(1)}`;
}
