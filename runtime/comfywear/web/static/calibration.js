// Calibrating sensors: wait until they are at rest, compare with a reference, find the board's warmth and the lag.

import { call, make, number, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const EVERY_MS = 2000;
const STARTS_WITHIN_MS = 90000;
const UNITS = { air_temp_c: ["°C", "K"], humidity_pct: ["%", "%"] };

let now = null; // what /api/calibration says
let sensor = 0;
let quantity = "air_temp_c";
let first = null; // the first of two points
let stepAt = null; // when the step began
let timer = null;
let found = null; // {points} or {self_heating}: what can be kept

export async function openCalibration() {
  const panel = $("calibration");
  panel.hidden = false;
  panel.replaceChildren(make("p", { id: "cal-said", class: "quiet", role: "status" }));
  clearInterval(timer);
  const answer = await ask("/api/calibration");
  if (!answer.good) {
    say(answer.text);
    return;
  }
  now = answer.body;
  [first, stepAt, found] = [null, null, null];
  build();
  show();
  timer = setInterval(refresh, EVERY_MS);
  $("cal-sensor").focus({ preventScroll: true });
}

function build() {
  const field = (name, element) => make("label", {}, make("span", { text: word(`calibration.${name}`) }), element);
  const choice = (id, options, act) => {
    const made = make("select", { id }, ...options.map(([value, text]) => make("option", { value, text })));
    made.addEventListener("change", act);
    return made;
  };
  const button = (id, name, act) => {
    const made = make("button", { type: "button", class: "button small plain", id, text: word(`calibration.${name}`) });
    made.addEventListener("click", act);
    return made;
  };
  const entry = (id, value) => make("input", { id, inputmode: "decimal", autocomplete: "off", value, size: 8 });
  const sensors = now.sensors.map((each) => [each.sensor, `${each.sensor + 1}: ${each.source}`]);
  const others = () => [["", word("calibration.typed")], ...sensors];
  const part = (name, ...children) => make("fieldset", {}, make("legend", { text: word(`calibration.${name}`) }), ...children);
  $("calibration").replaceChildren(
    make("h2", { text: word("calibration.heading") }),
    make(
      "div", { class: "choices" },
      field("sensor", choice("cal-sensor", sensors, chosen)),
      field("quantity", choice("cal-quantity", Object.keys(UNITS).map((name) => [name, word(`calibration.${name}`)]), chosen)),
    ),
    make("p", { id: "cal-now" }), make("p", { id: "cal-kept", class: "quiet" }),
    part(
      "points", make("p", { class: "quiet", text: word("calibration.points_help") }),
      make("div", { class: "choices" }, field("reference", choice("cal-beside", others(), show)), field("value", entry("cal-value", "")), field("uncertainty", entry("cal-u", number(0.2)))),
      make("p", { id: "cal-beside-now", class: "quiet" }),
      make("div", { class: "row" }, button("cal-first", "first", takeFirst), button("cal-compare", "compare", compare)), make("p", { id: "cal-first-said", class: "quiet" }),
    ),
    part(
      "heat", make("p", { class: "quiet", text: word("calibration.heat_help") }),
      make("div", { class: "choices" }, field("reference", choice("cal-heat-beside", [["", word("calibration.none")], ...sensors], show))),
      make("p", { id: "cal-heat-now", class: "quiet" }), make("div", { class: "row" }, button("cal-heat", "find", heat)),
    ),
    part(
      "response", make("p", { class: "quiet", text: word("calibration.response_help") }),
      make("div", { class: "row" }, button("cal-step", "step", () => { stepAt = performance.now(); say(word("calibration.step_begun")); }), button("cal-response", "find", response)),
    ),
    make("p", { id: "cal-found", class: "lead", role: "status" }),
    make("p", { class: "row" }, button("cal-keep", "keep", keep), button("cal-leave", "leave", leave), make("span", { id: "cal-said", class: "quiet", role: "status" })),
  );
}

function chosen() {
  sensor = Number($("cal-sensor").value);
  quantity = $("cal-quantity").value;
  [first, found] = [null, null];
  $("cal-found").textContent = "";
  $("cal-u").value = number(quantity === "air_temp_c" ? 0.2 : 2);
  show();
}

function leave() {
  clearInterval(timer);
  $("calibration").hidden = true;
  $("calibrate").focus();
}

// --- what is there

const said = (place) => now.sensors[place].quantities.find((each) => each.quantity === quantity);
const shown = (value, digits = 2) => `${number(value, digits)} ${UNITS[quantity][0]}`;
const parse = (text) => Number(text.trim().replace(",", ".") || NaN);

function told(each) {
  const [, unit] = UNITS[quantity];
  if (each.state === "silent") return word("calibration.states.silent");
  if (each.state === "few") return word("calibration.states.few", { value: shown(each.value), wait: number(each.wait_s, 0) });
  return word(`calibration.states.${each.state}`, {
    value: shown(each.value), u: `${number(each.value_u, 2)} ${unit}`, drift: `${number(each.drift_per_min, 2)} ${unit}`,
  });
}

function show() {
  if (!now || !$("cal-now")) return;
  const own = said(sensor);
  const place = $("cal-beside").value;
  const beside = place === "" ? null : said(Number(place));
  const all = now.sensors[sensor];
  $("cal-now").textContent = told(own);
  $("cal-now").dataset.state = own.state;
  const [offset, gain] = quantity === "air_temp_c" ? [all.temp_offset_k, all.temp_gain] : [all.humidity_offset_pct, all.humidity_gain];
  $("cal-kept").textContent = word("calibration.settings", { offset: number(offset, 2), unit: UNITS[quantity][1], gain: number(gain, 3) })
    + (all.self_heating_gain === null ? "" : ` ${word("calibration.less", { k: number(all.warmed_k, 2) })}`);
  $("cal-beside-now").textContent = beside ? told(beside) : "";
  $("cal-value").disabled = $("cal-u").disabled = beside !== null;
  $("cal-heat-now").textContent = now.board_temp_c === null
    ? word("calibration.no_board") : word("calibration.board", { board: number(now.board_temp_c, 0), minutes: all.minutes });
  $("cal-compare").disabled = $("cal-first").disabled = own.state !== "steady" || (beside !== null && beside.state !== "steady");
  $("cal-first-said").textContent = first ? word("calibration.first_is", { said: shown(first.sensor), true: shown(first.reference) }) : "";
  $("cal-keep").hidden = !found;
}

async function refresh() {
  if ($("view-about").hidden) return;
  const answer = await ask("/api/calibration");
  if (!answer.good) return;
  now = answer.body;
  show();
}

// --- what is found

function point() {
  const own = said(sensor);
  const place = $("cal-beside").value;
  if (place !== "") {
    const beside = said(Number(place));
    return { sensor: own.value, sensor_u: own.value_u, reference: beside.corrected, reference_u: beside.value_u };
  }
  const [reference, u] = [parse($("cal-value").value), parse($("cal-u").value)];
  if (!Number.isFinite(reference) || !Number.isFinite(u) || u < 0) {
    say(word("calibration.no_value"));
    $("cal-value").focus();
    return null;
  }
  return { sensor: own.value, sensor_u: own.value_u, reference, reference_u: u };
}

function takeFirst() {
  first = point();
  if (first) say(word("calibration.first_taken"));
  show();
}

async function compare() {
  const here = point();
  if (!here) return;
  const body = { sensor, quantity, points: first ? [first, here] : [here] };
  const answer = await find("/api/calibration/points", body);
  if (!answer) return;
  const unit = UNITS[quantity][1];
  $("cal-found").textContent = word(first ? "calibration.found_two" : "calibration.found_one", {
    offset: `${number(answer.offset, 2)} ${unit}`, offset_u: `${number(2 * answer.offset_u, 2)} ${unit}`,
    gain: number(answer.gain, 3), gain_u: number(2 * answer.gain_u, 3), value_u: `${number(2 * answer.value_u, 2)} ${unit}`,
  });
}

async function heat() {
  const beside = $("cal-heat-beside").value;
  const answer = await find("/api/calibration/self-heating", { sensor, reference: beside === "" ? null : Number(beside) });
  if (!answer) return;
  $("cal-found").textContent = word("calibration.found_heat", {
    part: number(100 * answer.gain, 1), k: number(answer.correction_k, 2), u: number(2 * answer.correction_u_k, 2),
    most: number(answer.most_k, 1), span: number(answer.span_k, 0), minutes: number(answer.minutes, 0),
  });
}

async function response() {
  if (stepAt === null) {
    say(word("calibration.no_step"));
    return;
  }
  const answer = await find("/api/calibration/response", { sensor, quantity, since_s: (performance.now() - stepAt) / 1000 }, false);
  if (!answer) return;
  $("cal-found").textContent = word("calibration.found_response", {
    tau: number(answer.time_constant_s, 0), u: number(2 * answer.time_constant_u_s, 0), settles: number(answer.settles_s / 60, 0),
  });
}

async function find(address, body, keepable = true) {
  const answer = await ask(address, body);
  found = answer.good && keepable ? { [address.endsWith("points") ? "points" : "self_heating"]: body } : null;
  say(answer.good ? "" : answer.text);
  if (!answer.good) $("cal-found").textContent = "";
  show();
  return answer.good ? answer.body : null;
}

async function keep() {
  say(word("drawing.keeping"));
  const answer = await ask("/api/calibration", { ...found, version: now.version });
  if (!answer.good) {
    say(answer.text);
    return;
  }
  found = null;
  clearInterval(timer);
  show();
  say(word("drawing.starting"));
  const until = Date.now() + STARTS_WITHIN_MS;
  while (Date.now() < until) {
    await new Promise((done) => setTimeout(done, 1000));
    const begun = await ask("/api/calibration");
    if (begun.good && begun.body.in_use) {
      now = begun.body;
      show();
      timer = setInterval(refresh, EVERY_MS);
      say(word("calibration.kept"));
      return;
    }
  }
  say(word("drawing.not_used"));
}

function say(text) {
  $("cal-said").replaceChildren(text);
}

async function ask(address, body) {
  try {
    const answer = await call(address, body);
    if (answer.status === 401) location.reload();
    const text = await answer.json();
    return { good: answer.ok, body: text, text: answer.ok ? "" : sentence(text.text) };
  } catch {
    return { good: false, text: word("drawing.unreachable") };
  }
}
