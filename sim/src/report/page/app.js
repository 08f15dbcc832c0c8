// Keys, theme, panes; then everything is drawn for the first time.

const KEYS = [
  ["Space", "play or pause", togglePlay],
  ["ArrowLeft", "a step back, with shift a second", (event) => stepTime(event.shiftKey ? -1 : -0.1)],
  ["ArrowRight", "a step on, with shift a second", (event) => stepTime(event.shiftKey ? 1 : 0.1)],
  ["Home", "to the start", () => change({ time: 0, playing: false })],
  ["End", "to the end", () => change({ time: shownEnd(), playing: false })],
  ["-", "slower", () => stepSpeed(-1)],
  ["+", "faster", () => stepSpeed(1)],
  ["J", "next run in the list", () => stepRun(1)],
  ["K", "previous run in the list", () => stepRun(-1)],
  ["N", "next moment of this run", () => stepMoment(1)],
  ["P", "previous moment of this run", () => stepMoment(-1)],
  ["M", "runs or worst moments", () => change({ tab: state.tab === "runs" ? "moments" : "runs" })],
  ["C", "another run of this log beside it", stepBeside],
  ["F", "camera: ahead up, north up, still", () => change({ camera: CAMERAS[(CAMERAS.indexOf(state.camera) + 1) % CAMERAS.length] })],
  ["0", "reset zoom and pan", () => fitButton.click()],
  ["/", "filter", () => byId("filter").focus()],
  ["D", "light or dark", toggleTheme],
  ["?", "these keys", () => byId("help").showModal()],
];

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const { target } = event;
  if (target.matches("input, select") && target.type !== "checkbox") {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (event.key === " " && target.matches("button, input")) return;
  const pressed = event.key === " " ? "Space" : event.key === "=" ? "+" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const known = KEYS.find(([key]) => key === pressed);
  if (!known) return;
  event.preventDefault();
  known[2](event);
});

/** Goes through the other runs of this log, then back to none. */
function stepBeside() {
  const numbers = runsBeside(state.run).map((run) => run.number);
  change({ other: numbers[state.other === null ? 0 : numbers.indexOf(state.other) + 1] ?? null });
}

function isDark() {
  return state.theme ? state.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  change({ theme: isDark() ? "light" : "dark" });
}

function applyTheme() {
  document.documentElement.dataset.theme = state.theme;
  palette.forget();
  drawStages();
  drawSight();
  drawPlots();
}

function drawTabs() {
  for (const name of ["runs", "moments"]) {
    byId(`tab-${name}`).setAttribute("aria-selected", String(state.tab === name));
    byId(`panel-${name}`).hidden = state.tab !== name;
  }
}

function drawBar() {
  document.title = index.title || "Tandem report";
  byId("title").textContent = document.title;
  byId("facts").replaceChildren(...index.facts.map(({ name, value, is_bad }) => el("div", {}, el("dt", {}, name), el("dd", { title: value, class: is_bad && "bad" }, value))));
  const name = { ArrowLeft: "\u2190", ArrowRight: "\u2192" };
  byId("keys").replaceChildren(...KEYS.map(([key, text]) => el("div", {}, el("dt", {}, el("kbd", {}, name[key] ?? key)), el("dd", {}, text))));
}

byId("filter").addEventListener("input", (event) => change({ filter: event.target.value }));
byId("theme").addEventListener("click", toggleTheme);
byId("help-open").addEventListener("click", () => byId("help").showModal());
for (const name of ["runs", "moments"]) byId(`tab-${name}`).addEventListener("click", () => change({ tab: name }));

const splitter = byId("splitter");
const setWidth = (pixels) => byId("split").style.setProperty("--results", `${clamp(pixels, 280, innerWidth - 480)}px`);
splitter.addEventListener("pointerdown", (event) => splitter.setPointerCapture(event.pointerId));
splitter.addEventListener("pointermove", (event) => event.buttons & 1 && setWidth(event.clientX));
splitter.addEventListener("dblclick", () => byId("split").style.removeProperty("--results"));

addEventListener("hashchange", readAddress);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
new ResizeObserver(() => {
  drawStages();
  drawPlots();
}).observe(byId("stages"));

watch("theme", applyTheme);
watch("tab", drawTabs);
watch("filter", () => byId("filter").value !== state.filter && (byId("filter").value = state.filter));

drawBar();
drawSummary();
drawRuns();
drawMoments();
drawTabs();
drawCameraButtons();
drawTransport();
readAddress();
await showRuns();
document.documentElement.dataset.ready = "yes";
