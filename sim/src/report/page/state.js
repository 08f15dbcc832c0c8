// What is being looked at, who wants to know when that changes, and the address that leads back to it.

const state = {
  run: worstRun(),
  other: null, // the run beside it, or null
  time: 0,
  playing: false,
  speed: 1,
  camera: "ahead",
  tab: "runs",
  filter: "",
  group: null, // a row of the summary: only its runs are listed
  sort: { key: "score", down: false },
  onlyRun: false,
  theme: "",
};

const watchers = [];

/** Calls `action` after any of the named parts of the state changed. */
function watch(names, action) {
  watchers.push({ names: names.split(" "), action });
}

function change(parts) {
  const changed = Object.keys(parts).filter((name) => state[name] !== parts[name]);
  Object.assign(state, parts);
  for (const { names, action } of watchers) {
    if (names.some((name) => changed.includes(name))) action();
  }
}

function worstRun() {
  const scores = index.runs.map((run) => run.score ?? -1);
  return Math.max(0, scores.indexOf(Math.min(...scores)));
}

/** Shows a run, at the same time where it is the same log, and keeps the run beside it where that makes sense. */
function showRun(number, time) {
  const [before, after] = [index.runs[state.run], index.runs[number]];
  const sameLog = before.log === after.log;
  const keepOther = sameLog && state.other !== number;
  change({
    run: number,
    other: keepOther ? state.other : null,
    time: time ?? (sameLog ? state.time : 0),
    playing: time === undefined && state.playing,
  });
}

/** Other runs of a run's log. */
const runsBeside = (number) =>
  index.runs.filter((run) => run.log === index.runs[number].log && run.number !== number);

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const CAMERAS = ["ahead", "north", "still"];

/** `#run=3&t=12.3&beside=4&camera=north&view=moments&filter=idm&theme=dark` */
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const runOf = (name) => {
    const number = Number.parseInt(asked.get(name) ?? "", 10);
    return index.runs[number] ? number : null;
  };
  const run = runOf("run") ?? state.run;
  const beside = runOf("beside");
  const time = Number.parseFloat(asked.get("t") ?? "");
  change({
    run,
    other: index.runs.length > 0 && runsBeside(run).some((other) => other.number === beside) ? beside : null,
    time: Number.isFinite(time) ? time : state.time,
    camera: CAMERAS.includes(asked.get("camera")) ? asked.get("camera") : state.camera,
    tab: asked.get("view") === "moments" ? "moments" : asked.get("view") === "runs" ? "runs" : state.tab,
    filter: asked.get("filter") ?? state.filter,
    theme: ["light", "dark"].includes(asked.get("theme")) ? asked.get("theme") : state.theme,
  });
}

const probing = new URLSearchParams(location.hash.slice(1)).has("probe");

function writeAddress() {
  const parts = new URLSearchParams({ run: state.run, t: state.time.toFixed(1) });
  if (state.other !== null) parts.set("beside", state.other);
  if (state.camera !== "ahead") parts.set("camera", state.camera);
  if (state.tab !== "runs") parts.set("view", state.tab);
  if (state.filter) parts.set("filter", state.filter);
  if (state.theme) parts.set("theme", state.theme);
  history.replaceState(null, "", `#${parts}`);
}

let addressTimer = 0;
watch("run other time camera tab filter theme", () => {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(writeAddress, 300);
});
