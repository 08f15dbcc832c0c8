// Making elements and writing numbers. Text from logs goes in as text nodes only, never as markup.

const byId = (id) => document.getElementById(id);

/** An element with properties (`class`, `data-…`, `aria-…` and `on…` included) and children: nodes or texts. */
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const MINUS = "\u2212";
const NONE = "\u2013";

/** A number with so many decimals, a real minus sign, and a dash for none. */
function fixed(value, decimals = 1) {
  if (value === null || !Number.isFinite(value)) return NONE;
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** A sub-score in as few characters as it takes: 1, 0, .87 */
function short(score) {
  if (score === null || !Number.isFinite(score)) return NONE;
  const text = score.toFixed(2);
  return text === "1.00" ? (score < 1 ? ".99" : "1") : text === "0.00" ? "0" : text.slice(1);
}

/** Calls `action` once in the next frame, however often it is asked to. */
function oncePerFrame(action) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      action();
    });
  };
}

/** The colour (or any other value) of a custom property of the style sheet, resolved for canvas use. */
const palette = (() => {
  let known = new Map();
  const probe = el("span", { hidden: true });
  document.body.append(probe);
  return {
    color(name) {
      if (!known.has(name)) {
        probe.style.color = `var(--${name})`;
        known.set(name, getComputedStyle(probe).color);
      }
      return known.get(name);
    },
    forget() {
      known = new Map();
    },
  };
})();

/** Fits a canvas to its box in device pixels and returns its context, scaled to CSS pixels. */
function fitCanvas(canvas) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const [deviceWidth, deviceHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}
