// The moments that deserve a look, the worst first, over all listed runs or the one that is shown.

const MOMENT_KINDS = {
  "at-fault": "At-fault collision",
  collision: "Collision",
  rule: "Rule broken",
  ttc: "Short time to collision",
  comfort: "Comfort or lane keeping",
};

const MOMENTS_AT_FIRST = 80;
let momentsShown = MOMENTS_AT_FIRST;

const momentsOf = (number) => index.moments.filter((moment) => moment.run === number);

function listedMoments() {
  const listed = new Set(index.runs.filter(isListed).map((run) => run.number));
  return index.moments.filter(({ run }) => (state.onlyRun ? run === state.run : listed.has(run)));
}

function drawMoments() {
  const moments = listedMoments();
  byId("moments").replaceChildren(...moments.slice(0, momentsShown).map(momentItem));
  byId("tab-moments").querySelector(".count").textContent = moments.length;
  byId("only-run").checked = state.onlyRun;
  const more = byId("moments-more");
  more.hidden = moments.length <= momentsShown;
  more.textContent = `Show all ${moments.length}`;
}

function momentItem(moment) {
  const run = index.runs[moment.run];
  const where = [run.log, run.planner, conditions(run)].join(" \u00b7 ");
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "moment", "data-kind": moment.kind, onclick: () => showMoment(moment) },
      el("i", { class: `mark ${moment.kind}`, title: MOMENT_KINDS[moment.kind] }),
      el("span", { class: "what" }, moment.text),
      el("span", { class: "when" }, `${fixed(moment.time_s)} s`),
      el("span", { class: "where clip" }, where),
    ),
  );
}

const showMoment = (moment) => showRun(moment.run, moment.time_s);

/** Goes to the shown run's next moment in time, or the one before. */
function stepMoment(direction) {
  const times = momentsOf(state.run).map((moment) => moment.time_s).sort((a, b) => a - b);
  const later = times.find((time) => time > state.time + 0.05);
  const earlier = times.findLast((time) => time < state.time - 0.05);
  const time = direction > 0 ? later : earlier;
  if (time !== undefined) change({ time, playing: false });
}

byId("only-run").addEventListener("change", (event) => change({ onlyRun: event.target.checked }));
byId("moments-more").addEventListener("click", () => {
  momentsShown = Infinity;
  drawMoments();
});
watch("filter group onlyRun", drawMoments);
watch("run", () => state.onlyRun && drawMoments());
