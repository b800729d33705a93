// Correcting what the camera finds: a touch on a box says that it is no person, a drag marks one who was missed.

import { make, word } from "./words.js";

const $ = (id) => document.getElementById(id);

let allowed = false;
let marking = false;
let start = null; // where a drag began, in parts of the picture
let listed = { finds: [], corrections: [] };

// `may`: whether whoever looks may correct.
export function startFinds(may) {
  allowed = may;
  $("mark").hidden = !may;
  $("finds-hint").hidden = !may;
  $("mark").addEventListener("click", () => {
    marking = !marking;
    start = null;
    render();
  });
  const seen = $("seen");
  seen.addEventListener("pointerdown", (event) => {
    if (!marking) return;
    event.preventDefault();
    seen.setPointerCapture(event.pointerId);
    start = place(event);
  });
  seen.addEventListener("pointermove", (event) => start && put($("drag"), between(start, place(event))));
  seen.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = between(start, place(event));
    start = null;
    $("drag").hidden = true;
    if (Math.min(box[2] - box[0], box[3] - box[1]) < 0.01) return;
    marking = false;
    correct("/api/finds", { box, camera: $("camera").value || null });
  });
  seen.addEventListener("pointercancel", () => { start = null; $("drag").hidden = true; });
}

// Boxes over the sketch and the list of corrections; nothing while there is no sketch.
export async function showFinds(there) {
  if (!there) {
    listed = { finds: [], corrections: [] };
    render();
    return;
  }
  try {
    const answer = await fetch("/api/finds");
    if (answer.ok) listed = await answer.json();
  } catch {
    return; // the page says already that the device does not answer
  }
  render();
}

function render() {
  const focused = document.activeElement?.dataset?.find;
  const shown = (each) => !each.camera || each.camera === $("camera").value;
  $("finds").replaceChildren(...listed.finds.filter(shown).map((find) => {
    const button = make("button", {
      type: "button", class: "find", "data-find": find.number, "aria-label": word("finds.reject", { n: find.number }),
      title: word("finds.reject", { n: find.number }),
    });
    put(button, find.box);
    button.disabled = marking || !allowed;
    button.addEventListener("click", () => correct("/api/finds", { person: find.number }));
    return button;
  }));
  if (focused) $("finds").querySelector(`[data-find="${focused}"]`)?.focus({ preventScroll: true });
  $("seen").classList.toggle("marking", marking);
  $("mark").setAttribute("aria-pressed", String(marking));
  $("mark").textContent = word(marking ? "finds.marking" : "finds.mark");
  $("corrections-card").hidden = listed.corrections.length === 0;
  $("corrections").replaceChildren(...listed.corrections.map((each) => {
    const undo = make("button", { type: "button", class: "button small plain", text: word("finds.undo") });
    undo.addEventListener("click", () => correct("/api/finds/undo", { correction: each.number }));
    const said = make("span", { text: word(`finds.${each.kind}ed`, { n: each.number }) });
    return make("li", {}, said, ...(allowed ? [undo] : []));
  }));
}

async function correct(address, body) {
  let said = word("finds.kept");
  try {
    const answer = await fetch(address, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.status === 401) location.reload();
    if (!answer.ok) said = word("finds.failed");
  } catch {
    said = word("finds.failed");
  }
  $("finds-said").textContent = said;
  showFinds(true);
}

function place(event) {
  const frame = $("sketch").getBoundingClientRect();
  const part = (value, low, size) => Math.min(Math.max((value - low) / size, 0), 1);
  return [part(event.clientX, frame.left, frame.width), part(event.clientY, frame.top, frame.height)];
}

function between(a, b) {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}

function put(element, [x1, y1, x2, y2]) {
  element.hidden = false;
  element.style.left = `${100 * x1}%`;
  element.style.top = `${100 * y1}%`;
  element.style.width = `${100 * (x2 - x1)}%`;
  element.style.height = `${100 * (y2 - y1)}%`;
}
