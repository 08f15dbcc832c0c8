// What the cameras saw of the shown run, with the true boxes and those that perception said.

const sight = { run: null, figures: [] };

const openFiles = remember((number) => JSON.parse(byId(`pictures-${number}`).textContent));

/** An image of a run, decoded; null where there is none or it does not decode. */
const openImage = remember(async (key) => {
  const [run, picture, camera] = key.split("/").map(Number);
  const file = openFiles(run)[picture]?.[camera];
  if (!file) return null;
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" })).catch(() => null);
});

function showSight(run) {
  sight.run = run;
  const { cameras } = run.info;
  const panel = byId("sight");
  panel.hidden = cameras.length === 0;
  sight.figures = cameras.map((camera) => {
    const canvas = el("canvas", { width: 2 * camera.width, height: 2 * camera.height, "aria-label": `Camera ${camera.name}` });
    const note = el("span", { class: "quiet" });
    const place = { "--row": camera.row + 1, "--column": camera.turn + 1 };
    return { canvas, note, element: el("figure", place, canvas, el("figcaption", {}, camera.name.replaceAll("_", " "), " ", note)) };
  });
  panel.replaceChildren(...sight.figures.map((figure) => figure.element));
}

async function drawSightNow() {
  const { run } = sight;
  if (!run || run.info.cameras.length === 0) return;
  const times = run.columns["picture.time"];
  const picture = Math.max(0, times.findLastIndex((time) => time <= state.time + 0.05));
  const cameras = run.info.cameras.map((_, camera) => camera);
  const images = await Promise.all(cameras.map((camera) => openImage(`${run.number}/${picture}/${camera}`)));
  if (run !== sight.run) return;
  for (const camera of cameras) paintPicture(run, picture, camera, images[camera]);
  byId("sight").dataset.shown = `${picture}: ${images.filter(Boolean).length}`;
}

function paintPicture(run, picture, camera, image) {
  const { canvas, note } = sight.figures[camera];
  const context = canvas.getContext("2d");
  const info = run.info.cameras[camera];
  const scale = canvas.width / info.width;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = palette.color("raised");
  context.fillRect(0, 0, info.width, info.height);
  if (image) context.drawImage(image, 0, 0, info.width, info.height);
  const lack = openFiles(run.number)[picture]?.[camera] ? "damaged" : "no image";
  note.textContent = image ? `${fixed(run.columns["picture.time"][picture])} s` : lack;
  const { columns } = run;
  const number = picture * run.info.cameras.length + camera;
  const first = run.edgeStarts[number];
  for (const [perceived, color, width] of [[0, "truth", 0.7], [1, "seen", 1.2]]) {
    context.beginPath();
    for (let i = first; i < first + columns["edge.count"][number]; i++) {
      if (columns["edge.perceived"][i] !== perceived) continue;
      context.moveTo(columns["edge.x1"][i], columns["edge.y1"][i]);
      context.lineTo(columns["edge.x2"][i], columns["edge.y2"][i]);
    }
    context.strokeStyle = palette.color(color);
    context.lineWidth = width;
    context.stroke();
  }
}

const drawSight = oncePerFrame(drawSightNow);
watch("time", drawSight);
