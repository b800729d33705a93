// The first run: eight steps, each kept as it is filled in, with what is there, what it says, and doctor's check.

import { at, fieldOf, put, showFaults } from "./fields.js";
import { networkCameras } from "./network_cameras.js";
import { call, load, make, number, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const KEEP_AFTER_MS = 350;
const LIVE_EVERY_MS = 1200;
const MOST_MISSED = 4;
const STEPS = ["place", "camera", "sensors", "zones", "broker", "homeassistant", "password", "done"];
// What each step asks for, and what it has besides.
const ASKED = {
  place: { first: [["device", "site"], ["device", "id"]], more: [["site", "country"], ["site", "latitude"], ["site", "longitude"]] },
  camera: { first: [["camera", "source"]], more: [["camera", "rotate"], ["camera", "flip"], ["camera", "fps"]] },
  sensors: { first: [["sensors", 0, "uri"]], more: [["sensors", 0, "temp_offset_k"], ["sensors", 0, "humidity_offset_pct"], ["sensors", 0, "every_s"]] },
  zones: { first: [["zones", 0, "name"]], more: [["zones", 0, "met"]] },
  broker: { first: [["mqtt", "host"], ["mqtt", "username"], ["mqtt", "password_file"]], more: [["mqtt", "port"], ["mqtt", "tls"], ["mqtt", "ca_file"]] },
  homeassistant: { first: [["homeassistant", "enabled"]], more: [["homeassistant", "prefix"]] },
  password: { first: [["web", "token_file"]], more: [["web", "host"], ["web", "port"], ["web", "title"], ["web", "language"]] },
  done: { first: [], more: [] },
};
const TABLES = { device: "place", site: "place", camera: "camera", sensors: "sensors", zones: "zones", mqtt: "broker", homeassistant: "homeassistant", web: "password" };

let form = null;
let step = "place";
let faults = [];
let keeping = null;
let liveTimer = null;
let missed = 0;
let sending = Promise.resolve();
let moving = false;

async function ask(address, body) {
  const answer = await call(address, body);
  if (answer.status === 401) location.assign("/login");
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(), { said: told.text });
  return told;
}

function textsOf(found) {
  return {
    title: (table, name, english = name) => found[table]?.[name]?.[0] ?? english,
    meaning: (table, name, english = "") => found[table]?.[name]?.[1] ?? english,
  };
}

function say(...parts) {
  $("state").replaceChildren(...parts);
}

function touched() {
  clearTimeout(keeping);
  keeping = setTimeout(keep, KEEP_AFTER_MS);
}

// Sends what was filled in, one after the other; true once the device has it.
function keep() {
  clearTimeout(keeping);
  keeping = null;
  sending = sending.then(send);
  return sending;
}

async function send() {
  if (form.values.sensors?.[0] && !form.values.sensors[0].uri) delete form.values.sensors;
  const secrets = [...form.secrets].map(([path, text]) => ({ path: JSON.parse(path), text }));
  try {
    const told = await ask("/api/setup/draft", { step, values: form.values, secrets });
    for (const { path, text } of secrets) {
      put(form.values, path, at(told.values, path));
      if (form.secrets.get(JSON.stringify(path)) === text) form.secrets.delete(JSON.stringify(path));
    }
    faults = told.faults;
    say();
  } catch (error) {
    say(word("setup.failed"), " ", sentence(error.said ?? error.message));
    return false;
  }
  showSteps();
  showFaults($("main"), faults.filter(({ path }) => TABLES[path[0]] === step));
  return true;
}

// The buttons stay while what they say changes: one that is pressed just then is not taken away.
function showSteps() {
  if (!$("steps").childElementCount) {
    $("steps").append(...STEPS.map((name) => {
      const button = make("button", { type: "button", text: word(`setup.steps.${name}`), "data-step": name });
      button.addEventListener("click", () => go(name));
      return make("li", {}, button);
    }));
  }
  for (const button of $("steps").querySelectorAll("button")) {
    const { step: name } = button.dataset;
    const bad = faults.some(({ path }) => TABLES[path[0]] === name);
    button.classList.toggle("bad", bad);
    if (bad) button.setAttribute("aria-label", `${word(`setup.steps.${name}`)}: ${word("setup.states.fault")}`);
    else button.removeAttribute("aria-label");
    if (name === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
  }
  const current = $("steps").querySelector("[aria-current]");
  $("steps").scrollLeft = current.offsetLeft - $("steps").offsetLeft - 40;
}

function field(path) {
  const group = form.groups.find((each) => each.name === path[0]);
  const asked = group.fields.find((each) => each.name === path.at(-1));
  const element = fieldOf(form, asked, path);
  if (!asked.secret) return element;
  // Here the secret itself is asked for; which file it goes into matters to nobody yet.
  for (const part of element.querySelectorAll(":scope > label, :scope > input, :scope > .quiet")) part.hidden = true;
  if (at(form.values, path)) element.append(make("p", { class: "quiet", text: word("settings.secret_kept") }));
  return element;
}

async function go(name) {
  if (moving) return;
  moving = true;
  const before = step;
  step = name;
  // A secret that cannot be one is put right where it was typed.
  if (!await keep() && form.secrets.size) step = before;
  moving = false;
  if (step === before) return;
  render();
  $("heading").focus({ preventScroll: true });
  scrollTo(0, 0);
  if (step === "done") check();
}

function render() {
  clearTimeout(liveTimer);
  const place = STEPS.indexOf(step);
  $("count").textContent = word("setup.step", { n: place + 1, of: STEPS.length });
  $("heading").textContent = word(`setup.steps.${step}`);
  $("about").textContent = word(`setup.about.${step}`);
  document.title = `${word(`setup.steps.${step}`)} – ${word("setup.heading")}`;
  $("fields").replaceChildren(...ASKED[step].first.map(field));
  $("more-fields").replaceChildren(...ASKED[step].more.map(field));
  $("more").hidden = ASKED[step].more.length === 0;
  $("more").open = false;
  $("findings").replaceChildren();
  $("found").replaceChildren();
  $("live").replaceChildren();
  $("back").hidden = place === 0;
  $("next").textContent = word(step === "done" ? "setup.finish" : "setup.next");
  $("next").disabled = false;
  showSteps();
  showFaults($("main"), faults.filter(({ path }) => TABLES[path[0]] === step));
  if (step === "camera") { look("cameras", ["camera", "source"]); watchCamera(); }
  if (step === "sensors") { look("sensors", ["sensors", 0, "uri"]); watchSensors(); }
  if (step === "zones") $("live").replaceChildren(make("p", { class: "quiet", text: word("setup.draw") }));
}

// What is plugged in, each with a button that takes it.
async function look(kind, path) {
  const take = async (uri) => { put(form.values, path, uri); await keep(); render(); $("heading").focus(); };
  const found = await ask(`/api/setup/${kind}`).catch(() => []);
  if (ASKED[step].first[0][0] !== path[0]) return;
  const rows = found.map(({ uri, note }) => {
    const use = make("button", { type: "button", class: "button small", text: word("setup.use"), "aria-label": `${word("setup.use")}: ${note} ${uri}` });
    use.addEventListener("click", () => take(uri));
    return make("li", {}, make("span", {}, note, " ", make("code", { class: "name", text: uri })), use);
  });
  const again = make("button", { type: "button", class: "button small plain", text: word("setup.look_again") });
  again.addEventListener("click", () => look(kind, path));
  const body = rows.length ? make("ul", { class: "doors" }, ...rows) : make("p", { class: "quiet", text: word("setup.none_found") });
  $("found").replaceChildren(make("div", { class: "card" }, make("h2", { text: word("setup.found") }), body, again, ...kind === "cameras" ? [networkCameras(ask, take)] : []));
}

function watchCamera() {
  if (step !== "camera" || !at(form.values, ["camera", "source"])) {
    $("live").replaceChildren();
    liveTimer = setTimeout(() => step === "camera" && watchCamera(), LIVE_EVERY_MS);
    return;
  }
  const picture = new Image();
  picture.alt = word("sketch.alt");
  const show = (shown) => {
    if (step !== "camera") return;
    $("live").replaceChildren(make("div", { class: "card" }, make("h2", { text: word("setup.live") }), shown));
    liveTimer = setTimeout(watchCamera, LIVE_EVERY_MS);
  };
  picture.addEventListener("load", () => { missed = 0; show(picture); });
  picture.addEventListener("error", () => {
    missed += 1;
    const last = missed < MOST_MISSED && $("live").querySelector("img"); // one late picture is no camera that is gone
    show(last || make("p", { class: "quiet", text: word("setup.no_picture") }));
  });
  picture.src = `/api/setup/sketch.jpg?t=${Date.now()}`;
}

async function watchSensors() {
  const told = at(form.values, ["sensors", 0, "uri"]) ? await ask("/api/setup/readings").catch(() => []) : [];
  if (step !== "sensors") return;
  const parts = told.map((each, n) => {
    const values = [
      ...each.air_temp_c === null ? [] : [`${number(each.air_temp_c)} °C`], ...each.humidity_pct === null ? [] : [`${number(each.humidity_pct, 0)} %`],
    ].join(", ");
    const shown = make("p", {}, make("strong", { text: values }), ...each.said ? [" ", sentence(each.said)] : []);
    if (!each.fahrenheit) return shown;
    const button = make("button", { type: "button", class: "button small", id: "fahrenheit", text: word("setup.fahrenheit") });
    button.addEventListener("click", async () => {
      const path = ["sensors", n, "uri"];
      const uri = at(form.values, path);
      put(form.values, path, `${uri}${uri.includes("?") ? "&" : "?"}unit=F`);
      await keep();
      render();
    });
    return make("div", {}, shown, button);
  });
  const text = JSON.stringify(told);
  if ($("live").dataset.told !== text || !$("live").childElementCount) {
    $("live").dataset.told = text;
    $("live").replaceChildren(...parts.length ? [make("div", { class: "card" }, make("h2", { text: word("setup.says") }), ...parts)] : []);
  }
  liveTimer = setTimeout(watchSensors, LIVE_EVERY_MS);
}

async function check() {
  clearTimeout(liveTimer);
  const mine = step;
  $("check").disabled = true;
  say(word("setup.checking"));
  await keep();
  say(word("setup.checking"));
  let found = [];
  try {
    found = await ask("/api/setup/try", { step });
    say();
  } catch (error) {
    say(word("setup.failed"), " ", sentence(error.said ?? error.message));
  }
  $("check").disabled = false;
  if (mine !== step) return;
  $("findings").replaceChildren(...found.map((each) => make(
    "li", { class: each.state }, make("strong", {}, sentence(each.what), `: ${word(`setup.states.${each.state}`)}`), " ", sentence(each.said), ...each.do ? [make("p", { class: "quiet" }, sentence(each.do))] : [],
  )));
  if (step === "camera") watchCamera();
  if (step === "sensors") watchSensors();
}

async function next() {
  if (step !== "done") return go(STEPS[STEPS.indexOf(step) + 1]);
  if (!await keep()) return null;
  if (faults.length) {
    const steps = [...new Set(faults.map(({ path }) => word(`setup.steps.${TABLES[path[0]] ?? "place"}`)))];
    return say(word("setup.wrong", { steps: steps.join(", ") }));
  }
  $("next").disabled = true;
  say(word("setup.finishing"));
  try {
    await ask("/api/setup/finish", {});
  } catch (error) {
    $("next").disabled = false;
    return say(word("setup.failed"), " ", sentence(error.said ?? error.message));
  }
  $("check").hidden = $("back").hidden = $("next").hidden = true;
  return wait();
}

// The device ends this page and begins; its own page is at the same address.
async function wait() {
  for (;;) {
    await new Promise((done) => { setTimeout(done, 1000); });
    try {
      const answer = await fetch("/api/start");
      if (answer.ok || answer.status === 401) break;
    } catch { /* not yet */ }
  }
  say(word("setup.finished"), " ");
  $("state").append(make("a", { class: "button small", id: "open", href: "/", text: word("setup.open") }));
}

async function begin() {
  const told = await ask("/api/setup");
  const fields = await load(document.documentElement.lang, "settings");
  form = { ...told, texts: textsOf(fields), secrets: new Map(), touched, again: render };
  ({ step, faults } = told);
  render();
  document.documentElement.dataset.ready = "yes";
}

$("back").addEventListener("click", () => go(STEPS[STEPS.indexOf(step) - 1]));
$("check").addEventListener("click", check);
$("next").addEventListener("click", next);
begin();
