// Zones, masks and lines on the sketch: drawn, moved and deleted with finger, mouse and keys; checked by the device.

import { call, make, number, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const CHECK_AFTER_MS = 200;
const COUNT_EVERY_MS = 2000;
const STARTS_WITHIN_MS = 90000;
const NEAR = 0.03; // of a tap to the first corner, and of a drag that is a tap
const SQUARE = [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let plan = null; // {camera, version, all_but, shapes: [{kind, name, points, place}]}
let chosen = -1;
let past = [];
let future = [];
let tag = ""; // what the last change was of: a corner that is moved by keys is one step of undoing
let placing = null; // the kind of a new shape while its corners are tapped
let draft = [];
let drag = null; // {what, from, shape, corner}
let found = { findings: [], counts: null };
let timers = [];

// Opens the drawing of a camera's picture beside the sketch.
export async function openDrawing(camera) {
  if (!$("drawing-style")) {
    document.head.append(make("link", { rel: "stylesheet", id: "drawing-style", href: new URL("drawing.css", import.meta.url) }));
  }
  $("plan").hidden = false;
  $("pair").classList.add("drawing");
  build();
  const answer = await ask(`/api/drawing${camera ? `?camera=${encodeURIComponent(camera)}` : ""}`);
  if (!answer.good) {
    plan = null;
    say(answer.text);
    return;
  }
  plan = answer.body;
  [chosen, past, future, placing, draft] = [-1, [], [], null, []];
  timers.forEach(clearInterval);
  timers = [setInterval(check, COUNT_EVERY_MS)];
  $("sketch").addEventListener("load", paint);
  paint();
  render();
  check();
  $("plan-zone").focus({ preventScroll: true });
}

function close() {
  timers.forEach(clearInterval);
  $("sketch").removeEventListener("load", paint);
  plan = null;
  $("plan").hidden = true;
  $("pair").classList.remove("drawing");
  $("draw").focus();
}

// --- what is there

function build() {
  const button = (id, name, act, kind = "plain") => {
    const made = make("button", { type: "button", class: `button small ${kind}`, id, text: word(`drawing.${name}`) });
    made.addEventListener("click", act);
    return made;
  };
  const begin = (kind) => (event) => (event.detail === 0 ? add(kind, kind === "line" ? SQUARE.slice(0, 2) : SQUARE) : place(kind));
  $("plan").replaceChildren(
    make("h2", { text: word("drawing.heading"), id: "plan-heading" }),
    make(
      "div", { class: "row", role: "group", "aria-labelledby": "plan-heading" },
      button("plan-zone", "zone", begin("zone")), button("plan-mask", "mask", begin("mask")), button("plan-line", "line", begin("line")),
      button("plan-done", "done", finish, ""), button("plan-undo", "undo", () => step(past, future)), button("plan-redo", "redo", () => step(future, past)),
    ),
    make(
      "div", { class: "stage", id: "stage" },
      make("canvas", { id: "plan-picture", width: 640, height: 480, "aria-hidden": "true" }),
      document.createElementNS("http://www.w3.org/2000/svg", "svg"), make("div", { id: "corners" }),
    ),
    make("p", { class: "quiet", id: "plan-hint" }),
    make("p", { class: "hidden", id: "plan-keys", text: word("drawing.keys") }),
    make("ul", { class: "plainlist shapes", id: "shapes" }),
    make("p", { class: "row" }, button("plan-keep", "keep", keep, ""), button("plan-leave", "leave", close), make("span", { class: "quiet", id: "plan-said", role: "status" })),
  );
  const svg = $("stage").querySelector("svg");
  for (const [name, value] of [["viewBox", "0 0 1 1"], ["preserveAspectRatio", "none"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  $("stage").addEventListener("pointerdown", pressed);
  $("stage").addEventListener("pointermove", moved);
  $("stage").addEventListener("pointerup", released);
  $("stage").addEventListener("pointercancel", () => { drag = null; render(); });
  $("plan").onkeydown = typed;
}

function paint() {
  const [sketch, canvas] = [$("sketch"), $("plan-picture")];
  if (!canvas || !sketch.naturalWidth) return;
  [canvas.width, canvas.height] = [sketch.naturalWidth, sketch.naturalHeight];
  canvas.getContext("2d").drawImage(sketch, 0, 0);
}

function render() {
  if (!plan) return;
  const focused = document.activeElement?.dataset?.key;
  const bad = new Set(found.findings.map((each) => each.shape));
  const svg = $("stage").querySelector("svg");
  svg.replaceChildren(...plan.shapes.map((shape, index) => outline(shape.kind, shape.points, index, bad.has(index))));
  if (placing && draft.length > 1) svg.append(outline(placing === "zone" ? "line" : placing, draft, -1, false));
  const handles = plan.shapes[chosen]?.points.length ? handlesOf(plan.shapes[chosen]) : [];
  $("corners").replaceChildren(...plan.shapes.map(label).filter(Boolean), ...(placing ? draft.map((point) => dot(point)) : handles));
  $("stage").classList.toggle("placing", placing !== null);
  $("plan-hint").textContent = word(placing ? "drawing.hint_placing" : chosen < 0 ? "drawing.hint" : "drawing.hint_chosen");
  $("plan-done").hidden = !placing || draft.length < (placing === "line" ? 2 : 3);
  $("plan-undo").disabled = past.length === 0;
  $("plan-redo").disabled = future.length === 0;
  $("plan-keep").disabled = placing !== null || found.findings.some((each) => each.blocks);
  $("shapes").replaceChildren(...plan.shapes.map(row));
  if (focused) $("plan").querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
}

function outline(kind, points, index, bad) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", kind === "line" ? "polyline" : "polygon");
  element.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  element.setAttribute("class", `outline ${kind}${index === chosen ? " chosen" : ""}${bad ? " bad" : ""}`);
  element.dataset.shape = index;
  return element;
}

function put(element, [x, y]) {
  element.style.left = `${100 * x}%`;
  element.style.top = `${100 * y}%`;
  return element;
}

const middle = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
const dot = (point) => put(make("span", { class: "corner" }), point);
const percent = (part) => number(100 * part, 0);

function label(shape, index) {
  if (!shape.points.length) return null;
  const count = shape.kind === "zone" && found.counts ? ` · ${found.counts[index] ?? 0}` : "";
  return put(make("span", { class: `tag ${shape.kind}`, "aria-hidden": "true", text: `${shape.name || word("drawing.unnamed")}${count}` }), middle(shape.points));
}

function handlesOf(shape) {
  const name = titled(shape);
  const handle = (kind, key, point, text) => put(make("button", {
    type: "button", class: kind, "data-key": key, "aria-label": text, "aria-describedby": "plan-keys",
  }), point);
  const at = ([x, y]) => ({ x: percent(x), y: percent(y) });
  const corners = shape.points.map((point, n) => handle(
    "corner", `corner-${n}`, point, word("drawing.corner", { name, n: n + 1, of: shape.points.length, ...at(point) }),
  ));
  const ends = shape.kind === "line" ? [] : shape.points.map((point, n) => {
    const between = middle([point, shape.points[(n + 1) % shape.points.length]]);
    return handle("between", `between-${n}`, between, word("drawing.between", { name, n: n + 1 }));
  });
  return [...ends, ...corners, handle("grip", "grip", middle(shape.points), word("drawing.whole", { name, ...at(middle(shape.points)) }))];
}

const titled = (shape) => `${word(`drawing.kinds.${shape.kind === "mask" && plan.all_but ? "window" : shape.kind}`)} ${shape.name}`.trim();

// Where a shape is, for who does not see it.
function placeOf({ points }) {
  if (!points.length) return "";
  const [across, down] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return ` ${word("drawing.where", { x1: percent(Math.min(...across)), x2: percent(Math.max(...across)), y1: percent(Math.min(...down)), y2: percent(Math.max(...down)) })}`;
}

const told = ({ code, other, part }) => word(`drawing.findings.${code}`, {
  other: plan.shapes[other]?.name ?? "", part: number(100 * (part ?? 0), part < 0.01 ? 1 : 0),
});

function row(shape, index) {
  const on = index === chosen;
  const choose = make("button", { type: "button", class: "button small plain", "data-key": `shape-${index}`, "aria-pressed": String(on), text: titled(shape) });
  choose.addEventListener("click", () => { chosen = on ? -1 : index; placing = null; render(); });
  const said = [];
  if (shape.kind === "zone" && found.counts) said.push(word("drawing.count", { n: found.counts[index] ?? 0 }));
  if (shape.kind === "zone" && !shape.points.length) said.push(word("drawing.all"));
  const about = make("span", { class: "quiet", id: `shape-${index}-about` }, said.join(" · "), make("span", { class: "hidden", text: placeOf(shape) }));
  choose.setAttribute("aria-describedby", about.id);
  const wrong = found.findings.filter((each) => each.shape === index).map((each) => make("span", { class: each.blocks ? "wrong" : "doubt", text: told(each) }));
  const item = make("li", { "data-shape": index }, make("div", { class: "row" }, choose, about), make("div", { class: "wrongs", id: `shape-${index}-wrong` }, ...wrong));
  if (!on) return item;
  const name = make("input", { maxlength: 64, autocomplete: "off", value: shape.name, "data-key": `name-${index}`, "aria-describedby": `shape-${index}-wrong` });
  if (found.findings.some((each) => each.shape === index && each.code === "name")) name.setAttribute("aria-invalid", "true");
  name.readOnly = shape.kind === "zone" && shape.place !== null;
  name.addEventListener("change", () => change(`name-${index}`, () => { shape.name = name.value.trim(); }));
  const act = (text, work) => {
    const made = make("button", { type: "button", class: "button small plain", "data-key": text, text: word(`drawing.${text}`) });
    made.addEventListener("click", work);
    return made;
  };
  const buttons = [act("delete", () => { change("", () => plan.shapes.splice(index, 1)); choosing(-1); $("plan-zone").focus(); })];
  if (!shape.points.length) buttons.unshift(act("corners", () => change("", () => { shape.points = SQUARE.map((point) => [...point]); })));
  item.append(make("div", { class: "row" }, make("label", {}, make("span", { text: word("drawing.name") }), name), ...buttons));
  if (name.readOnly) item.append(make("small", { class: "quiet", text: word("drawing.name_stays") }));
  return item;
}

// --- changes, each of which can be taken back

const snapshot = () => JSON.stringify({ shapes: plan.shapes, chosen });

function change(of, act) {
  if (!of || of !== tag) past.push(snapshot());
  [tag, future] = [of, []];
  act();
  render();
  check();
}

function step(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  ({ shapes: plan.shapes, chosen } = JSON.parse(from.pop()));
  tag = "";
  render();
  check();
}

function choosing(index) {
  chosen = index;
  render();
}

function add(kind, points) {
  const taken = new Set(plan.shapes.map((each) => each.name));
  let n = 1;
  while (taken.has(`${kind}-${n}`)) n += 1;
  change("", () => {
    plan.shapes.push({ kind, name: kind === "mask" ? "" : `${kind}-${n}`, points: points.map((point) => [...point]), place: null });
    chosen = plan.shapes.length - 1;
  });
  [placing, draft] = [null, []];
  render();
  $("plan").querySelector("[data-key='corner-0']")?.focus({ preventScroll: true });
}

function place(kind) {
  [placing, draft, chosen] = [kind, [], -1];
  render();
}

function finish() {
  if (placing && draft.length >= (placing === "line" ? 2 : 3)) add(placing, draft);
}

function move(shape, points) {
  // The whole shape stays within the picture.
  const shift = [0, 1].map((axis) => {
    const [low, high] = [Math.min(...points.map((p) => p[axis])), Math.max(...points.map((p) => p[axis]))];
    return low < 0 ? -low : high > 1 ? 1 - high : 0;
  });
  shape.points = points.map((point) => point.map((value, axis) => rounded(value + shift[axis])));
}

const rounded = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 1e4) / 1e4;

// --- finger and mouse

function where(event) {
  const frame = $("stage").getBoundingClientRect();
  return [rounded((event.clientX - frame.left) / frame.width), rounded((event.clientY - frame.top) / frame.height)];
}

const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function pressed(event) {
  if (!plan || event.button !== 0) return;
  event.preventDefault();
  $("stage").setPointerCapture(event.pointerId);
  const [from, key, shape] = [where(event), event.target.dataset.key ?? "", Number(event.target.dataset.shape ?? -1)];
  if (placing) {
    drag = { what: "draw", from };
    return;
  }
  const [kind, n] = key.split("-");
  if (kind === "corner") drag = { what: "corner", from, corner: Number(n), before: snapshot() };
  else if (kind === "between") {
    const before = snapshot();
    plan.shapes[chosen].points.splice(Number(n) + 1, 0, from);
    drag = { what: "corner", from, corner: Number(n) + 1, before, moved: true };
  } else if (kind === "grip" || shape >= 0) {
    if (shape >= 0) chosen = shape;
    drag = { what: "shape", from, points: plan.shapes[chosen].points, before: snapshot() };
  } else chosen = -1;
  render();
  if (kind) $("plan").querySelector(`[data-key="${drag?.what === "corner" ? `corner-${drag.corner}` : key}"]`)?.focus({ preventScroll: true });
}

function moved(event) {
  if (!drag) return;
  const to = where(event);
  if (drag.what === "draw") {
    if (drag.box || (draft.length === 0 && far(drag.from, to) >= NEAR)) draft = box(drag, to);
  } else if (drag.what === "corner") {
    plan.shapes[chosen].points[drag.corner] = to;
  } else {
    move(plan.shapes[chosen], drag.points.map(([x, y]) => [x + to[0] - drag.from[0], y + to[1] - drag.from[1]]));
  }
  drag.moved ||= far(drag.from, to) > 0;
  render();
  check();
}

function box(dragged, to) {
  dragged.box = true;
  const [[x1, y1], [x2, y2]] = [dragged.from, to];
  return placing === "line" ? [[x1, y1], [x2, y2]] : [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
}

function released(event) {
  if (!drag) return;
  const [ended, to] = [drag, where(event)];
  drag = null;
  if (ended.what === "draw") {
    if (ended.box || (draft.length > 2 && far(draft[0], to) < NEAR)) finish();
    else {
      draft.push(to);
      if (placing === "line" && draft.length === 2) finish();
    }
  } else if (ended.moved) {
    past.push(ended.before);
    [tag, future] = ["", []];
  }
  render();
  check();
}

// --- keys

function typed(event) {
  const key = event.target.dataset?.key ?? "";
  const control = event.ctrlKey || event.metaKey;
  if (control && !event.altKey && event.key.toLowerCase() === "z") {
    event.preventDefault();
    if (event.shiftKey) step(future, past); else step(past, future);
  } else if (control && event.key.toLowerCase() === "y") {
    event.preventDefault();
    step(future, past);
  } else if (event.key === "Escape" && (placing || chosen >= 0)) {
    event.preventDefault();
    const back = chosen;
    [placing, draft] = [null, []];
    choosing(-1);
    ($("plan").querySelector(`[data-key="shape-${back}"]`) ?? $("plan-zone")).focus();
  } else if (chosen >= 0 && /^(corner|between|grip)/.test(key)) onHandle(event, key);
}

function onHandle(event, key) {
  const shape = plan.shapes[chosen];
  const [kind, n] = [key.split("-")[0], Number(key.split("-")[1])];
  const size = event.shiftKey ? 0.05 : event.altKey ? 0.002 : 0.01;
  const way = STEPS[event.key];
  const focus = (name) => $("plan").querySelector(`[data-key="${name}"]`)?.focus({ preventScroll: true });
  if (way && kind !== "between") {
    const by = ([x, y]) => [x + size * way[0], y + size * way[1]];
    change(key + chosen, () => {
      if (kind === "grip") move(shape, shape.points.map(by));
      else shape.points[n] = by(shape.points[n]).map(rounded);
    });
    const [x, y] = kind === "grip" ? middle(shape.points) : shape.points[n];
    say(word("drawing.at", { x: percent(x), y: percent(y) }));
  } else if (["Enter", " ", "Insert", "+"].includes(event.key) && kind !== "grip" && shape.kind !== "line") {
    change("", () => shape.points.splice(n + 1, 0, middle([shape.points[n], shape.points[(n + 1) % shape.points.length]]).map(rounded)));
    focus(`corner-${n + 1}`);
    say(word("drawing.added", { n: n + 2 }));
  } else if (["Delete", "Backspace"].includes(event.key) && kind === "corner") {
    if (shape.kind === "line" || shape.points.length <= 3) say(word("drawing.least"));
    else {
      change("", () => shape.points.splice(n, 1));
      focus(`corner-${Math.min(n, shape.points.length - 1)}`);
      say(word("drawing.removed", { n: n + 1 }));
    }
  } else return;
  event.preventDefault();
}

// --- the device

function say(text) {
  $("plan-said").replaceChildren(text);
}

async function ask(address, body) {
  try {
    const answer = await call(address, body);
    if (answer.status === 401) location.reload();
    const said = await answer.json();
    return { good: answer.ok, body: said, text: answer.ok ? "" : sentence(said.text) };
  } catch {
    return { good: false, text: word("drawing.unreachable") };
  }
}

let waiting = null;
let asking = false;

// Once a moment while something changes; the answer to what has changed since is not shown.
function check() {
  if (!plan || waiting) return;
  waiting = setTimeout(async () => {
    waiting = null;
    if (!plan || asking) {
      if (asking) check();
      return;
    }
    asking = true;
    const sent = JSON.stringify(plan.shapes);
    const answer = await ask("/api/drawing/check", { camera: plan.camera, shapes: plan.shapes });
    asking = false;
    if (!plan || !answer.good) return;
    if (sent !== JSON.stringify(plan.shapes)) check();
    else if (JSON.stringify(found) !== JSON.stringify(answer.body)) {
      const wrong = answer.body.findings.length > found.findings.length;
      found = answer.body;
      if (!document.activeElement?.matches?.("#shapes input")) render();
      if (wrong) say(told(found.findings.at(-1)));
    }
  }, CHECK_AFTER_MS);
}

async function keep() {
  $("plan-keep").disabled = true;
  say(word("drawing.keeping"));
  const { camera, version, shapes } = plan;
  const answer = await ask("/api/drawing", { camera, version, shapes });
  if (!answer.good) {
    say(answer.text);
    $("plan-keep").disabled = false;
    return;
  }
  timers.forEach(clearInterval);
  say(word("drawing.starting"));
  const until = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < until) {
    await new Promise((done) => setTimeout(done, 1000));
    const now = await ask(`/api/drawing?camera=${encodeURIComponent(camera)}`);
    if (now.good && now.body.in_use) {
      location.reload();
      return;
    }
  }
  say(word("drawing.not_used"));
}
