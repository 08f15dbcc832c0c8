// Shows whatever goes wrong in the page, in the page.
"use strict";

function showFault(reason) {
  const box = document.getElementById("fault");
  box.hidden = false;
  box.textContent += `This report could not be shown in full: ${reason}\n`;
  document.documentElement.dataset.fault = box.textContent;
}

addEventListener("error", (event) => showFault(event.message));
addEventListener("unhandledrejection", (event) => showFault(String(event.reason)));
