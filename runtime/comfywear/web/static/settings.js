// The settings in the browser: a form of all fields, checked by the device while it is filled in, saved and tried.

import { group, showFaults } from "./fields.js";
import { call, load, make, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const CHECK_AFTER_MS = 350;
const ASK_EVERY_MS = 1000;
const PATIENCE_MS = 120000;
const MOVES = [["web", "host"], ["web", "port"], ["web", "enabled"], ["web", "token_file"]];

let form = null;
let held = "";
let faults = [];
let timer = null;
let asked = 0;
let busy = false;

function kept(name) {
  try { return localStorage.getItem(`comfywear.${name}`); } catch { return null; }
}

async function ask(address, body) {
  const answer = await call(address, body);
  if (answer.status === 401) location.assign("/login?next=%2Fsettings");
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(), { said: told.text });
  return told;
}

function textsOf(found) {
  return {
    title: (table, name, english = name) => found[table]?.[name === table ? "" : name]?.[0] ?? english,
    meaning: (table, name, english = "") => found[table]?.[name === table ? "" : name]?.[1] ?? english,
  };
}

function draft() {
  const secrets = [...form.secrets].map(([path, text]) => ({ path: JSON.parse(path), text }));
  return { version: form.version, values: form.values, secrets };
}

function changes() {
  const before = JSON.parse(held);
  return [...$("groups").querySelectorAll(".field")].filter((element) => {
    const path = JSON.parse(element.dataset.path);
    const was = path.reduce((part, step) => part?.[step], before);
    const is = path.reduce((part, step) => part?.[step], form.values);
    const changed = JSON.stringify(was) !== JSON.stringify(is) || form.secrets.has(element.dataset.path);
    element.classList.toggle("changed", changed);
    return changed;
  }).length || Number(JSON.stringify(form.values) !== held || form.secrets.size > 0);
}

function touched() {
  clearTimeout(timer);
  timer = setTimeout(check, CHECK_AFTER_MS);
  showState();
}

async function check() {
  const mine = ++asked;
  let found;
  try {
    found = await ask("/api/settings/check", draft());
  } catch (error) {
    $("state").replaceChildren(sentence(error.said ?? error.message));
    return;
  }
  if (mine !== asked) return;
  faults = found;
  showState();
}

function showState() {
  const n = changes();
  const lost = showFaults($("groups"), faults);
  for (const details of $("groups").children) {
    const wrong = faults.filter(({ path }) => path[0] === details.dataset.group).length;
    const changed = details.querySelectorAll(".field.changed").length;
    details.querySelector(".bad").textContent = wrong ? word("settings.faulty", { n: wrong }) : "";
    details.querySelector(".bad").hidden = !wrong;
    details.querySelector(".new").textContent = changed ? word("settings.changed", { n: changed }) : "";
    details.querySelector(".new").hidden = !changed;
  }
  $("undo").hidden = !n || busy;
  $("save").disabled = busy || !n || faults.length > 0 || form.barred !== null;
  if (busy) return;
  const moves = MOVES.some((path) => JSON.stringify(at(JSON.parse(held), path)) !== JSON.stringify(at(form.values, path)));
  $("state").replaceChildren(
    word(!n ? "settings.ready" : faults.length ? "settings.wrong" : "settings.right", { n: faults.length || n }),
    ...n && moves && !faults.length ? [" ", word("settings.moves")] : [], ...lost.flatMap(({ text }) => [" ", sentence(text)]),
  );
}

const at = (values, path) => path.reduce((part, step) => part?.[step], values);

function render() {
  const open = new Set([...$("groups").querySelectorAll("details[open]")].map((each) => each.dataset.group));
  $("groups").replaceChildren(...form.groups.map((each) => {
    const details = make(
      "details", { class: "card", "data-group": each.name, "data-path": JSON.stringify([each.name]) },
      make("summary", {}, form.texts.title(each.name, each.name, each.title), make("span", { class: "count new", hidden: "" }), make("span", { class: "count bad", hidden: "" })),
      make("p", { class: "quiet", text: form.texts.meaning(each.name, each.name, each.meaning) }),
      make("p", { class: "problem" }),
      group(form, each),
    );
    details.open = open.has(each.name);
    return details;
  }));
  for (const control of $("groups").querySelectorAll("input, select, textarea, button")) control.disabled = form.barred !== null;
  search();
  showState();
}

function search() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const details of $("groups").children) {
    const whole = details.querySelector("summary").textContent.toLowerCase();
    let there = 0;
    for (const field of details.querySelectorAll(".field")) {
      const hit = words.every((each) => field.dataset.text.includes(each) || whole.includes(each));
      field.hidden = !hit;
      there += hit;
    }
    details.hidden = words.length > 0 && !there && !words.every((each) => whole.includes(each));
    if (words.length && there) details.open = true;
    n += there;
  }
  $("found").textContent = !words.length ? "" : n ? word("settings.found", { n }) : word("settings.nothing");
}

async function begin(message = null) {
  const code = [kept("language"), document.documentElement.lang].find((each) => each && each !== "auto") ?? "en";
  const fields = await load(code, "settings").catch(() => load("en", "settings"));
  const told = await ask("/api/settings/form");
  form = { ...told, texts: textsOf(fields), secrets: new Map(), touched, again };
  held = JSON.stringify(form.values);
  faults = [];
  document.title = `${word("settings.heading")} – ${$("title").textContent}`;
  $("file").textContent = told.file;
  $("barred").hidden = told.barred === null;
  $("barred").replaceChildren(...told.barred === null ? [] : [sentence(told.barred)]);
  showOutcome(message ?? (told.outcome.state === "taken back" ? told.outcome : null));
  render();
  document.documentElement.dataset.ready = "yes";
  if (told.outcome.state === "tried") await follow();
}

function showOutcome(outcome) {
  $("outcome").hidden = outcome === null;
  if (outcome === null) return;
  $("outcome").classList.toggle("good", outcome.state === "kept");
  $("outcome").replaceChildren(word(outcome.state === "kept" ? "settings.kept" : "settings.taken_back"), ...outcome.why ? [" ", sentence(outcome.why)] : []);
}

function again(path) {
  render();
  const details = [...$("groups").children].find((each) => each.dataset.group === path[0]);
  details.open = true;
  const fields = details.querySelectorAll(".field input, .field select, .field textarea");
  const inside = [...fields].filter((each) => each.closest(".field").dataset.path.startsWith(JSON.stringify(path).slice(0, -1)));
  (inside.at(-1)?.closest("fieldset")?.querySelector("input, select, textarea") ?? details.querySelector("summary")).focus();
  touched();
}

async function save() {
  busy = true;
  showState();
  $("state").textContent = word("settings.saving");
  try {
    const saved = await ask("/api/settings", draft());
    faults = saved.faults;
    if (saved.changed) await follow();
  } catch (error) {
    busy = false;
    showState();
    $("state").replaceChildren(word("settings.failed"), " ", sentence(error.said ?? error.message));
    return;
  }
  busy = false;
  showState();
}

// Asks what became of it until that is known; while the device starts anew nobody answers.
async function follow() {
  busy = true;
  $("state").textContent = word("settings.tried");
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until) {
    await new Promise((done) => { setTimeout(done, ASK_EVERY_MS); });
    let outcome;
    try { outcome = await ask("/api/settings/outcome"); } catch { continue; }
    if (outcome.state === "tried") continue;
    busy = false;
    await begin(outcome);
    $("outcome").scrollIntoView({ block: "center" });
    return;
  }
  busy = false;
  $("state").textContent = word("settings.unreachable");
}

const theme = kept("theme") ?? "auto";
if (theme !== "auto") document.documentElement.dataset.theme = theme;
$("search").addEventListener("input", search);
$("undo").addEventListener("click", () => { form.values = JSON.parse(held); form.secrets.clear(); faults = []; render(); });
$("save").addEventListener("click", save);
addEventListener("beforeunload", (event) => { if (!busy && form && !$("undo").hidden) event.preventDefault(); });
begin();
