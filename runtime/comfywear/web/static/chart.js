// The chart of a day, a week or a month: temperature, humidity, expected feeling and votes over one time axis, and the same as a table.

import { degrees, sensation } from "./room.js";
import { clock, counted, make, moment, number, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const SPACE = "http://www.w3.org/2000/svg";
const GAP = 38, TOP = 26, LEFT = 46, RIGHT = 14, BOTTOM = 28;
// What stands above and below the chart on the screen, about; the panels share the rest.
const AROUND = 400;
// By span: points further apart than `broken` are not joined (the device was off, or did not know); a row of the table
// is so long.
const SPANS = {
  day: { broken: 300, row: 1800, time: clock },
  week: { broken: 2700, row: 6 * 3600, time: (unix) => moment(unix, true) },
  month: { broken: 3 * 3600, row: 24 * 3600, time: (unix) => moment(unix, true) },
};

let panel = 118;
let shown = null;
let span = "day";

export function renderDay(day, wanted = span) {
  shown = day;
  span = wanted;
  const nothing = !day.time_ok || (!day.points.length && !day.votes.length);
  if (nothing) {
    const why = word(day.time_ok ? "day.empty" : "day.clock");
    $("chart").replaceChildren(make("p", { class: "empty", text: why }));
  } else drawChart(fitted(day));
  $("readout").textContent = nothing ? "" : word("day.readout_hint");
  $("day-table").setAttribute("aria-label", word("day.table"));
  $("day-table").replaceChildren(table(day));
}

export function resized() {
  if (shown) renderDay(shown);
}

// The first day is drawn from its first point on, and no less than an hour of it.
function fitted(day) {
  const first = Math.min(...[...day.points, ...day.votes].map((each) => each.unix_s));
  return { ...day, since_s: Math.max(day.since_s, Math.min(first - 300, day.until_s - 3600)) };
}

function drawChart(day) {
  const width = Math.max(300, $("chart").clientWidth - 2 * parseFloat(getComputedStyle($("chart")).paddingLeft));
  panel = Math.max(76, Math.min(150, (innerHeight - AROUND - TOP - BOTTOM - 3 * GAP) / 4));
  const height = TOP + 4 * panel + 3 * GAP + BOTTOM;
  const x = (unix) => LEFT + ((unix - day.since_s) / (day.until_s - day.since_s)) * (width - LEFT - RIGHT);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(day) });
  const top = (index) => TOP + index * (panel + GAP);
  hours(svg, day, x, width, height);
  curvePanel(svg, day, x, width, top(0), "temperature", "air_temp_c", ...range(day, "air_temp_c", 4), true);
  curvePanel(svg, day, x, width, top(1), "humidity", "humidity_pct", ...range(day, "humidity_pct", 20), true);
  curvePanel(svg, day, x, width, top(2), "expected", "expected_vote", -3, 3, false);
  votesPanel(svg, day, x, width, top(3));
  const cursor = draw("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, visibility: "hidden" }, svg);
  svg.addEventListener("pointermove", (event) => read(event, svg, cursor, day, x, width));
  svg.addEventListener("pointerdown", (event) => read(event, svg, cursor, day, x, width));
  $("chart").replaceChildren(svg);
}

function hours(svg, day, x, width, height) {
  const long = day.until_s - day.since_s > 2 * 86400;
  if (long) { days(svg, day, x, width, height); return; }
  const step = day.until_s - day.since_s < 8 * 3600 ? 1 : width < 520 ? 6 : 3;
  const first = new Date(day.since_s * 1000);
  first.setMinutes(0, 0, 0);
  for (let at = first; at.getTime() / 1000 <= day.until_s; at.setHours(at.getHours() + 1)) {
    const unix = at.getTime() / 1000;
    if (unix < day.since_s || at.getHours() % step) continue;
    draw("line", { class: "grid-line", x1: x(unix), x2: x(unix), y1: TOP, y2: height - BOTTOM }, svg);
    if (x(unix) < LEFT + 14 || x(unix) > width - 24) continue;
    label(svg, x(unix), height - 8, clock(unix), "middle");
  }
}

// A line at each midnight; as many of them named as there is room for.
function days(svg, day, x, width, height) {
  const at = new Date(day.since_s * 1000);
  at.setHours(24, 0, 0, 0);
  const each = Math.ceil((56 * (day.until_s - day.since_s)) / 86400 / (width - LEFT - RIGHT));
  for (let index = 0; at.getTime() / 1000 <= day.until_s; index += 1, at.setDate(at.getDate() + 1)) {
    const unix = at.getTime() / 1000;
    draw("line", { class: "grid-line", x1: x(unix), x2: x(unix), y1: TOP, y2: height - BOTTOM }, svg);
    if (index % each === 0 && x(unix) > LEFT + 14 && x(unix) < width - 24) label(svg, x(unix), height - 8, moment(unix), "middle");
  }
}

function curvePanel(svg, day, x, width, top, kind, field, low, high, filled) {
  const y = (value) => top + panel - ((value - low) / (high - low)) * panel;
  label(svg, LEFT, top - 10, word(`day.${kind}`), "start", "name");
  for (const value of [low, (low + high) / 2, high]) {
    const zero = kind === "expected" && value === 0;
    draw("line", { class: zero ? "zero" : "grid-line", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }, svg);
    const digits = Number.isInteger((low + high) / 2) ? 0 : 1;
    const text = kind === "expected" ? `${value > 0 ? "+" : ""}${number(value, 0)}`.replace("-", "−") : number(value, digits);
    label(svg, LEFT - 8, y(value) + 4, text, "end");
  }
  if (kind === "expected") {
    for (const value of [-3, 0, 3]) {
      const at = y(value) + (value > 0 ? 16 : -6);
      label(svg, LEFT + 6, at, sensation(value), "start");
    }
  }
  for (const run of runs(day.points, field)) {
    const path = run.map((point) => `${x(point.unix_s).toFixed(1)} ${y(point[field]).toFixed(1)}`).join("L");
    if (run.length === 1) {
      const at = run[0];
      draw("circle", { class: `${kind} curve`, cx: x(at.unix_s), cy: y(at[field]), r: 1.5 }, svg);
      continue;
    }
    if (filled) {
      const [start, end] = [x(run[0].unix_s).toFixed(1), x(run.at(-1).unix_s).toFixed(1)];
      draw("path", { class: `area ${kind}`, d: `M${start} ${top + panel}L${path}L${end} ${top + panel}Z` }, svg);
    }
    draw("path", { class: `curve ${kind}`, d: `M${path}` }, svg);
  }
}

function votesPanel(svg, day, x, width, top) {
  const y = (level) => top + panel - 12 - ((level - 1) / 4) * (panel - 24);
  label(svg, LEFT, top - 10, word("day.votes"), "start", "name");
  for (const level of [1, 2, 3, 4, 5]) {
    draw("line", { class: "grid-line", x1: LEFT, x2: width - RIGHT, y1: y(level), y2: y(level) }, svg);
    label(svg, LEFT - 8, y(level) + 4, String(level), "end");
  }
  for (const vote of day.votes) {
    draw("circle", { class: `vote vote-${vote.level}`, cx: x(vote.unix_s), cy: y(vote.level), r: span === "day" ? 11 : 5 }, svg);
    if (span === "day") label(svg, x(vote.unix_s), y(vote.level) + 4.5, String(vote.level), "middle", "vote-text");
  }
}

function label(svg, x, y, text, anchor, kind = "") {
  draw("text", { x, y, "text-anchor": anchor, class: kind, "aria-hidden": "true" }, svg).textContent = text;
}

// Even bounds around the values, at least `least` apart.
function range(day, field, least) {
  const values = day.points.map((point) => point[field]).filter((value) => value !== null);
  if (!values.length) return field === "humidity_pct" ? [30, 70] : [18, 26];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const middle = (low + high) / 2;
  const half = Math.max(least / 2, (high - low) / 2);
  return [2 * Math.floor((middle - half) / 2), 2 * Math.ceil((middle + half) / 2)];
}

function runs(points, field) {
  const all = [];
  let last = null;
  for (const point of points) {
    if (point[field] === null) last = null;
    else {
      if (last === null || point.unix_s - last.unix_s > SPANS[span].broken) all.push([]);
      all.at(-1).push(point);
      last = point;
    }
  }
  return all;
}

function read(event, svg, cursor, day, x, width) {
  if (!day.points.length) return;
  const at = ((event.clientX - svg.getBoundingClientRect().left) / svg.getBoundingClientRect().width) * width;
  const nearest = day.points.reduce((a, b) => (Math.abs(x(b.unix_s) - at) < Math.abs(x(a.unix_s) - at) ? b : a));
  for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(nearest.unix_s));
  cursor.setAttribute("visibility", "visible");
  $("readout").textContent = word("day.readout", { time: SPANS[span].time(nearest.unix_s), values: values(nearest).join(" · ") });
}

function values(point) {
  const said = [];
  if (point.air_temp_c !== null) said.push(degrees(point.air_temp_c));
  if (point.humidity_pct !== null) said.push(`${number(point.humidity_pct, 0)} %`);
  if (point.expected_vote !== null) said.push(sensation(point.expected_vote));
  return said;
}

function summary(day) {
  const known = day.points.map((point) => point.air_temp_c).filter((value) => value !== null);
  const votes = counted(day.votes.length);
  const heading = word(`day.headings.${span}`);
  if (!known.length) return `${heading}: ${votes}`;
  const [low, high] = [Math.min(...known), Math.max(...known)].map((value) => number(value));
  return `${heading}: ${word("day.summary", { low, high, votes })}`;
}

// A row every half hour (of a week: six hours, of a month: a day): the means of it, and its votes.
function table(day) {
  const rows = new Map();
  const row = (unix) => {
    const zero = new Date(unix * 1000).setHours(0, 0, 0, 0) / 1000;
    const key = zero + Math.floor((unix - zero) / SPANS[span].row) * SPANS[span].row;
    if (!rows.has(key)) rows.set(key, { points: [], votes: [] });
    return rows.get(key);
  };
  const mean = (points, field) => {
    const known = points.map((point) => point[field]).filter((value) => value !== null);
    return known.length ? known.reduce((a, b) => a + b) / known.length : null;
  };
  for (const point of day.points) row(point.unix_s).points.push(point);
  for (const vote of day.votes) row(vote.unix_s).votes.push(vote.level);
  const heads = ["time", "temperature", "humidity", "expected", "votes"];
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col", text: word(`day.${name}`) })));
  const body = make("tbody");
  for (const [unix, { points, votes }] of [...rows].sort((a, b) => b[0] - a[0])) {
    const cell = (value, said) => make("td", { text: value === null || value === undefined ? "–" : said(value) });
    body.append(
      make(
        "tr", {}, make("th", { scope: "row", text: span === "month" ? moment(unix) : SPANS[span].time(unix) }),
        cell(mean(points, "air_temp_c"), (value) => number(value)),
        cell(mean(points, "humidity_pct"), (value) => number(value, 0)),
        cell(mean(points, "expected_vote"), (value) => sensation(value)),
        make("td", { text: votes.join(", ") || "–" }),
      ),
    );
  }
  return make("table", {}, make("thead", {}, head), body);
}

function draw(tag, attributes, parent) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}
