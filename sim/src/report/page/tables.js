// The summary and the runs: the worst first, sortable, to be filtered by text or by a row of the summary.

const hasInjection = index.runs.some((run) => run.injection);
const hasSight = index.runs.some((run) => run.perception !== "truth");
const conditions = (run) => [hasSight && run.perception, run.traffic, run.injection].filter(Boolean).join(", ");

function drawSummary() {
  const names = ["Planner", "Traffic", ...(hasSight ? ["Perception"] : []), ...(hasInjection ? ["Injected"] : [])].map((name) => el("th", {}, name));
  const numbers = ["Logs", "Score", "", "At fault / km", "km"].map((name) => el("th", { class: "number" }, name));
  byId("summary").tHead.replaceChildren(el("tr", {}, ...names, ...numbers));
  byId("summary").tBodies[0].replaceChildren(...index.summary.map(summaryRow));
}

function summaryRow(group) {
  const toggle = () => change({ group: state.group === group ? null : group });
  const [low, high] = group.score_interval ?? [];
  const [fewest, most] = group.at_fault_per_km_interval ?? [];
  return el(
    "tr",
    { tabindex: 0, "aria-selected": String(state.group === group), title: "Show only these runs", onclick: toggle, onkeydown: onEnter(toggle) },
    el("th", { scope: "row" }, group.planner),
    el("td", {}, group.traffic),
    hasSight ? el("td", {}, group.perception) : null,
    hasInjection ? el("td", { class: "quiet clip", title: group.injection }, group.injection || NONE) : null,
    el("td", { class: "number" }, String(group.logs)),
    el("td", { class: "number strong" }, fixed(group.score_mean, 3)),
    el("td", { class: "whisker-cell" }, whisker(group.score_mean, low, high)),
    el(
      "td",
      { class: "number", title: `${group.at_fault} at-fault collisions in ${fixed(group.distance_km, 2)} km` },
      fixed(group.at_fault_per_km, 2),
      most === undefined ? null : el("span", { class: "quiet" }, ` ${fixed(fewest, 2)}\u2009\u2013\u2009${fixed(most, 2)}`),
    ),
    el("td", { class: "number" }, fixed(group.distance_km, 1)),
  );
}

/** A mean and its 95 % interval on the scale from 0 to 1. */
function whisker(mean, low, high) {
  const title = low === undefined ? "one run" : `95 % interval ${fixed(low, 3)} to ${fixed(high, 3)}`;
  const box = el("span", { class: "whisker", title, "--mean": mean ?? 0 });
  if (low !== undefined) box.append(el("i", { "--low": low, "--high": high }));
  box.append(el("b"));
  return box;
}

const onEnter = (action) => (event) => {
  if (event.key === "Enter") action();
};

const COLUMNS = [
  { key: "log", label: "Log", of: (run) => run.log, cell: logCell },
  { key: "planner", label: "Planner", of: (run) => run.planner, cell: (run) => el("td", {}, run.planner) },
  { key: "traffic", label: hasSight ? "Perception" : "Traffic", of: conditions, cell: (run) => el("td", { class: "quiet clip", title: conditions(run) }, conditions(run)) },
  { key: "score", label: "Score", of: (run) => run.score, cell: (run) => heatCell(run.score, fixed(run.score, 3), "total", "") },
  ...SUB_SCORES.map(([key, name]) => ({
    key,
    label: key.toUpperCase(),
    title: name,
    of: (run) => run[key],
    cell: (run) => heatCell(run[key], short(run[key]), "", name),
  })),
  {
    key: "distance_m",
    label: "m",
    title: "distance driven",
    kind: "distance",
    of: (run) => run.distance_m,
    cell: (run) => el("td", { class: "number distance" }, fixed(run.distance_m, 0)),
  },
  { key: "at_fault_collisions", label: "Hits", title: "at-fault collisions", of: (run) => run.at_fault_collisions, cell: hitsCell },
];

function logCell(run) {
  const marks = run.notes.map((note) => el("sup", { title: note }, String(noteNumbers.get(note))));
  return el("td", { class: "log clip", title: [run.log, run.description].filter(Boolean).join("\n") }, run.log, ...marks);
}

function heatCell(value, text, kind, title) {
  return el("td", { class: `heat ${kind}`, "--worse": 1 - (value ?? 1), title: title && `${title}: ${fixed(value, 3)}` }, text);
}

function hitsCell({ at_fault_collisions: hits }) {
  return el("td", { class: hits ? "number bad" : "number quiet" }, hits ? String(hits) : NONE);
}

/** Notes, each once, numbered by first appearance. */
const noteNumbers = new Map();
for (const run of index.runs) {
  for (const note of run.notes) {
    if (!noteNumbers.has(note)) noteNumbers.set(note, noteNumbers.size + 1);
  }
}

function isListed(run) {
  const { group } = state;
  const isOf = (name) => run[name] === group[name];
  if (group && !["planner", "traffic", "perception", "injection"].every(isOf)) return false;
  const text = [run.log, run.planner, conditions(run), run.description, ...run.notes].join(" ").toLowerCase();
  return state.filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** The runs as listed: filtered and sorted. */
function listedRuns() {
  const { key, down } = state.sort;
  const of = COLUMNS.find((column) => column.key === key).of;
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return index.runs.filter(isListed).sort((a, b) => (down ? -1 : 1) * order(of(a), of(b)) || a.number - b.number);
}

function drawRuns() {
  const table = byId("runs");
  table.tHead.replaceChildren(el("tr", {}, ...COLUMNS.map(headCell)));
  const runs = listedRuns();
  table.tBodies[0].replaceChildren(...runs.map(runRow));
  byId("tab-runs").querySelector(".count").textContent = runs.length;
  drawNotes(runs);
  markSelected();
}

function headCell({ key, label, title, kind }) {
  const { sort } = state;
  const sorted = sort.key === key ? (sort.down ? "descending" : "ascending") : "none";
  const resort = () => change({ sort: { key, down: sort.key === key && !sort.down } });
  return el("th", { scope: "col", class: kind, "aria-sort": sorted, title: title ?? label }, el("button", { type: "button", onclick: resort }, label));
}

function runRow(run) {
  const show = () => showRun(run.number);
  return el("tr", { tabindex: 0, "data-run": run.number, onclick: show, onkeydown: onEnter(show) }, ...COLUMNS.map((column) => column.cell(run)));
}

function drawNotes(runs) {
  const items = [...noteNumbers].map(([note, number]) => {
    const logs = new Set(runs.filter((run) => run.notes.includes(note)).map((run) => run.log));
    return logs.size === 0 ? null : el("li", { value: number }, el("b", {}, [...logs].join(", ")), ` ${note}`);
  });
  const skipped = index.skipped.map(({ log, reason }) => el("li", { class: "skipped" }, "Not driven: ", el("b", {}, log), ` ${reason}`));
  byId("notes").replaceChildren(...items.filter(Boolean), ...skipped);
}

function markSelected() {
  for (const row of byId("runs").tBodies[0].rows) {
    const isSelected = Number(row.dataset.run) === state.run;
    row.setAttribute("aria-selected", String(isSelected));
    row.classList.toggle("beside", Number(row.dataset.run) === state.other);
    if (isSelected) reveal(row);
  }
}

/** Scrolls the list, and only the list, so that the row is seen. */
function reveal(row) {
  const panel = byId("panel-runs");
  if (panel.hidden) return;
  const [list, box] = [panel.getBoundingClientRect(), row.getBoundingClientRect()];
  const top = list.top + byId("runs").tHead.offsetHeight;
  if (box.top < top) panel.scrollTop -= top - box.top;
  if (box.bottom > list.bottom) panel.scrollTop += box.bottom - list.bottom;
}

/** Shows the listed run so many rows further down. */
function stepRun(rows) {
  const runs = listedRuns();
  const at = runs.findIndex((run) => run.number === state.run);
  const next = runs[clamp(at + rows, 0, runs.length - 1)];
  if (next) showRun(next.number);
}

watch("group", drawSummary);
watch("filter group sort", drawRuns);
watch("run other", markSelected);
