// What a reader does to the page, for the test's scripts; each waits until the page has answered.

const notes = [];
const note = (value) => notes.push(String(value));
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const find = (selector) => document.querySelector(selector);
const text = (selector) => find(selector).textContent.trim();

async function press(key, shiftKey = false) {
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  await wait(500);
}

async function click(selector) {
  find(selector).click();
  await wait(500);
}

async function wheel(selector, deltaY) {
  find(selector).dispatchEvent(new WheelEvent("wheel", { deltaY, cancelable: true }));
  await wait(500);
}

/** Moves the pointer over an element, line by line, until a tip shows. */
async function sweep(selector) {
  const box = find(selector).getBoundingClientRect();
  for (let y = box.top; y < box.bottom; y += 6) {
    for (let x = box.left; x < box.right; x += 6) {
      find(selector).dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y }));
      if (!find(".tip").hidden) return;
    }
  }
}

async function end() {
  document.documentElement.dataset.noted = notes.join("|");
}

while (document.documentElement.dataset.ready !== "yes") await wait(50);
