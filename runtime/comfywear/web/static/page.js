// The page's beginning: what was chosen on this screen, the views, and what the device says while it lasts.

import { answered, learnt, startVoting } from "./vote.js";
import { call, load, make, number, sentence, spoken, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const VIEWS = ["vote", "room", "day", "sketch", "about"];
const SKETCH_EVERY_MS = 1000;
const DAY_EVERY_MS = 60000;

const views = {}; // what the other views are drawn by, once a face can be pressed
let start = null; // {title, zones, languages, signed_in, role}
let zone = null;
let now = null;
let source = null;
let sketchOn = kept("sketch") !== "off";
let sketchTimer = null;
let dayTimer = null;
let span = ["week", "month"].find((each) => each === kept("span")) ?? "day";

function kept(name) {
  try { return localStorage.getItem(`comfywear.${name}`); } catch { return null; }
}

function keep(name, value) {
  try { localStorage.setItem(`comfywear.${name}`, value); } catch { /* a private window forgets */ }
}

async function get(address) {
  const answer = await call(address);
  if (answer.status === 401) location.assign("/login");
  if (!answer.ok) throw new Error(address);
  return answer.json();
}

// --- what was chosen on this screen

function place() {
  const found = kept("place");
  if (found) return found;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(3)), (b) => b.toString(16).padStart(2, "0")).join("");
  keep("place", made);
  return made;
}

function showTheme() {
  const theme = kept("theme") ?? "auto";
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $("theme-choice").value = theme;
}

function dark() {
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

function chooseTheme(theme) {
  keep("theme", theme);
  showTheme();
}

function language() {
  const known = Object.keys(start.languages);
  return [kept("language"), document.documentElement.lang, "en"].find((code) => known.includes(code));
}

async function speak(code) {
  await load(code);
  showWords(code);
}

function showWords(code) {
  $("language").value = code;
  $("theme").setAttribute("aria-label", word("theme_button"));
  $("theme").title = word("theme_button");
  if (now) render();
  route();
}

function title(name) {
  return start.zones.find((each) => each.name === name)?.title ?? name;
}

function chooseZone(name) {
  zone = name;
  keep("zone", name);
  $("zone").value = name;
  const address = new URL(location.href);
  address.searchParams.set("zone", name);
  history.replaceState(null, "", address);
  listen();
  route();
}

// --- views

function route() {
  const wanted = location.hash.slice(1);
  const first = start.role === "read" ? "room" : "vote";
  const view = VIEWS.includes(wanted) && (wanted !== "vote" || first === "vote") ? wanted : first;
  for (const name of VIEWS) $(`view-${name}`).hidden = name !== view;
  delete document.documentElement.dataset.elsewhere;
  for (const link of $("nav").querySelectorAll("a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  clearInterval(dayTimer);
  clearTimeout(sketchTimer);
  document.title = view === first ? start.title : `${word(`nav.${view}`)} – ${start.title}`;
  if (view === "day") {
    loadDay();
    dayTimer = setInterval(loadDay, DAY_EVERY_MS);
  }
  if (view === "sketch") showSketch();
  if (view === "about") showAbout();
}

async function loadDay() {
  const wanted = span;
  $("day-heading").textContent = word(`day.headings.${span}`);
  for (const button of $("spans").children) button.setAttribute("aria-pressed", String(button.dataset.span === span));
  try {
    const day = await get(`/api/day?zone=${encodeURIComponent(zone)}&span=${wanted}`);
    if (wanted === span) views.renderDay(day, span);
  } catch { /* the banner says so */ }
}

// What is seldom wanted comes when it is: a phone that votes does without.
async function showAbout() {
  const { showZoneCards } = await import("./kiosk.js");
  showZoneCards(start.zones);
  if (start.role !== "admin") return;
  loadSettings();
  const [{ showAccess }, { showBackup }, { showRestore }] = await Promise.all(
    ["access", "backup", "restore"].map((name) => import(`./${name}.js`)),
  );
  showAccess(start.signed_in);
  showBackup();
  showRestore();
}

async function loadSettings() {
  if ($("settings").childElementCount) return;
  const tables = await get("/api/settings").catch(() => []);
  $("settings").replaceChildren(...tables.map((table) => {
    const rows = table.fields.map((field) => make(
      "tr", {},
      make("td", {}, field.title, make("small", { text: field.meaning })),
      make("td", { text: field.unit && field.value ? `${field.value} ${field.unit}` : field.value }),
    ));
    const inner = make("table", {}, make("tbody", {}, ...rows));
    return make("details", { class: "card" }, make("summary", { text: table.title }), make("p", { class: "quiet", text: table.meaning }), inner);
  }));
}

// --- the sketch: one picture a second while it is looked at

function showSketch() {
  clearTimeout(sketchTimer);
  const possible = now?.sketch === "on";
  $("sketch-switch").setAttribute("aria-checked", String(sketchOn));
  $("sketch-switch").hidden = !possible;
  $("sketch").alt = word("sketch.alt");
  if (!possible || !sketchOn) {
    $("sketch").hidden = true;
    $("sketch").removeAttribute("src");
    $("sketch-none").hidden = false;
    $("sketch-none").textContent = word(possible ? "sketch.off" : "sketch.disabled");
    views.showFinds(false);
    return;
  }
  const of = $("camera").value ? `camera=${encodeURIComponent($("camera").value)}&` : "";
  const scheme = dark() ? "dark" : "light";
  $("sketch").src = `/api/sketch.jpg?${of}scheme=${scheme}&t=${Date.now()}`;
}

function sketchCame(there) {
  if ($("view-sketch").hidden || !sketchOn) return;
  $("sketch").hidden = !there;
  $("sketch-none").hidden = there;
  $("sketch-none").textContent = there ? "" : word("sketch.none");
  views.showFinds(there);
  clearTimeout(sketchTimer);
  sketchTimer = setTimeout(showSketch, SKETCH_EVERY_MS);
}

// --- what the device says

function listen() {
  source?.close();
  source = new EventSource(spoken(`/api/events?zone=${encodeURIComponent(zone)}`));
  source.addEventListener("now", (event) => {
    $("offline").hidden = true;
    const before = now;
    now = JSON.parse(event.data);
    render();
    if (start.role !== "read") answered();
    if (before?.votes !== now.votes && !$("view-day").hidden) loadDay();
    if (before?.sketch !== now.sketch && !$("view-sketch").hidden) showSketch();
  });
  source.onerror = () => {
    $("offline").hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

function render() {
  const chips = start.zones.length > 1 ? [] : [title(zone)];
  if (now.air.air_temp_c !== null) chips.push(`${number(now.air.air_temp_c)} °C`);
  if (now.air.humidity_pct !== null) chips.push(`${number(now.air.humidity_pct, 0)} %`);
  $("chips").replaceChildren(...chips.map((text) => make("span", { text })));
  $("why").hidden = !now.question;
  $("why").replaceChildren(...(now.question ? [word("vote.asks"), " ", sentence(now.question)] : []));
  $("here").hidden = !now.showing;
  $("here").textContent = now.showing ? word("here", { device: now.showing }) : "";
  if (now.learnt) learnt(now.learnt);
  views.showPrivacy(now.cameras, start.role === "admin");
  views.renderRoom(now, title(zone));
}

// A link to a zone that there is none of: nobody votes for another one by it.
async function sayUnknown(name) {
  await load(language());
  const links = start.zones.map((each) => make("a", { href: `/?zone=${encodeURIComponent(each.name)}`, text: each.title }));
  $("unknown-zone").replaceChildren(word("unknown_zone", { zone: name }), ...links.flatMap((link) => [" ", link]));
  $("unknown-zone").hidden = false;
  $("main").hidden = true;
  $("nav").hidden = true;
  document.documentElement.dataset.ready = "yes";
}

async function begin() {
  showTheme();
  try {
    start = JSON.parse($("begins")?.dataset.start ?? "null") ?? await get("/api/start");
  } catch {
    $("offline").hidden = false;
    $("offline").textContent ||= "…";
    setTimeout(begin, 3000);
    return;
  }
  $("title").textContent = start.title;
  $("zone").replaceChildren(...start.zones.map((each) => make("option", { value: each.name, text: each.title })));
  $("zone-choice").hidden = start.zones.length < 2;
  $("language").replaceChildren(
    ...Object.entries(start.languages).map(([code, name]) => make("option", { value: code, text: name, lang: code })),
  );
  $("logout").hidden = !start.signed_in;
  $("nav").querySelector("[href='#vote']").hidden = start.role === "read";
  $("on-device").hidden = start.role !== "admin";
  $("person").value = kept("person") ?? "";
  const known = start.zones.map((each) => each.name);
  const asked = new URL(location.href).searchParams.get("zone");
  if (asked !== null && !known.includes(asked)) {
    await sayUnknown(asked);
    return;
  }
  const wanted = [asked, kept("zone"), known[0]];
  zone = wanted.find((name) => known.includes(name));
  const code = language();
  await load(code);
  if (start.role !== "read") startVoting({ zone: () => zone, person: () => $("person").value.trim(), place: place() });
  Object.assign(views, ...await Promise.all(["finds", "chart", "privacy", "room"].map((name) => import(`./${name}.js`))));
  showWords(code);
  views.startFinds(start.role === "admin");
  $("zone").addEventListener("change", () => chooseZone($("zone").value));
  $("language").addEventListener("change", () => { keep("language", $("language").value); speak($("language").value).then(listen); });
  $("theme-choice").addEventListener("change", () => chooseTheme($("theme-choice").value));
  $("theme").addEventListener("click", () => {
    chooseTheme(dark() ? "light" : "dark");
  });
  for (const button of $("spans").children) {
    button.addEventListener("click", () => {
      span = button.dataset.span;
      keep("span", span);
      loadDay();
    });
  }
  $("person").addEventListener("change", () => keep("person", $("person").value.trim()));
  $("camera").replaceChildren(...start.cameras.map((name) => make("option", { value: name, text: name })));
  $("camera-choice").hidden = start.cameras.length < 2;
  if (start.cameras.includes(kept("camera"))) $("camera").value = kept("camera");
  $("camera").addEventListener("change", () => { keep("camera", $("camera").value); showSketch(); });
  $("sketch-switch").addEventListener("click", () => {
    sketchOn = !sketchOn;
    keep("sketch", sketchOn ? "on" : "off");
    showSketch();
  });
  $("sketch").addEventListener("load", () => sketchCame(true));
  $("sketch").addEventListener("error", () => $("sketch").hasAttribute("src") && sketchCame(false));
  $("draw").hidden = start.role !== "admin" || start.cameras.length === 0;
  $("draw").addEventListener("click", async () => (await import("./drawing.js")).openDrawing($("camera").value));
  $("calibrate").addEventListener("click", async () => (await import("./calibration.js")).openCalibration());
  addEventListener("hashchange", () => { route(); scrollTo(0, 0); $("main").focus({ preventScroll: true }); });
  addEventListener("resize", views.resized);
  if (kept("zone") !== null || new URL(location.href).searchParams.has("zone")) chooseZone(zone);
  else listen();
  document.documentElement.dataset.ready = "yes";
}

begin();
