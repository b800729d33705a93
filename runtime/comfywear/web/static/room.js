// The zone in plain words: air, people, what is expected, advice, what was learnt, what is recorded.

import { showFace } from "./vote.js";
import { clock, colour, counted, garment, make, number, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);

export function renderRoom(now, title) {
  $("room-heading").textContent = word("room.heading", { zone: title });
  $("room-lead").textContent = lead(now);
  $("air").replaceChildren(...air(now.air), ...weather(now.outdoors));
  $("expected").replaceChildren(...expected(now.comfort));
  $("people").replaceChildren(...people(now));
  $("advice").replaceChildren(...liked(now.liked), ...advice(now.comfort));
  $("learnt").replaceChildren(...learnt(now));
  for (const place of document.querySelectorAll(".recording")) place.replaceChildren(...recording(now.recording));
  $("recording-badge").hidden = !now.recording.active;
  $("troubles-card").hidden = now.troubles.length === 0;
  $("troubles").replaceChildren(...now.troubles.map(trouble));
}

export function degrees(value) {
  return `${number(value)} °C`;
}

export function sensation(vote) {
  return word("sensations")[Math.max(-3, Math.min(3, Math.round(vote))) + 3];
}

function lead(now) {
  const said = [];
  const temperature = now.air.air_temp_c === null ? null : degrees(now.air.air_temp_c);
  if (temperature !== null && now.air.humidity_pct !== null) {
    said.push(word("room.lead_air", { temperature, humidity: `${number(now.air.humidity_pct, 0)} %` }));
  } else if (temperature !== null) said.push(word("room.lead_temperature", { temperature }));
  const vote = now.comfort.expected_vote;
  said.push(vote === null ? word("room.lead_unknown") : word("room.lead_sensation", { sensation: sensation(vote) }));
  return said.join(" ");
}

function air(state) {
  const rows = [];
  const put = (name, value, digits, unit) => {
    if (value === null) return;
    const shown = make("dd", { text: number(value, digits) }, make("small", { text: ` ${unit}` }));
    rows.push(make("div", {}, make("dt", { text: word(name) }), shown));
  };
  put("room.temperature", state.air_temp_c, 1, "°C");
  put("room.humidity", state.humidity_pct, 0, "%");
  const parts = rows.length ? [make("dl", { class: "numbers" }, ...rows)] : [];
  if (!rows.length) parts.push(make("p", {}, word("room.no_air"), " ", sentence(state.reason ?? "")));
  if (state.simulated) parts.push(make("p", { class: "quiet", text: word("room.simulated") }));
  return parts;
}

// What adaptive comfort says follows from the weather of the last days; a device that knows none has no such lines.
function weather(outdoors) {
  if (!outdoors) return [];
  const parts = [];
  if (outdoors.air_temp_c === null) parts.push(make("p", {}, word("room.no_weather"), " ", sentence(outdoors.reason ?? "")));
  else parts.push(make("p", { text: word("room.outdoors", { temperature: degrees(outdoors.air_temp_c) }) }));
  if (outdoors.category !== null) {
    const bounds = { low: number(outdoors.low_c), high: degrees(outdoors.high_c) };
    const inside = outdoors.category !== "outside";
    const said = inside ? word("room.adaptive", { ...bounds, category: outdoors.category }) : word("room.adaptive_outside", bounds);
    parts.push(make("p", { class: "quiet", text: said }));
  }
  return parts;
}

function expected(comfort) {
  if (comfort.level === null) return [make("p", {}, sentence(comfort.reason ?? ""))];
  const picture = make("div", { class: "face" });
  showFace(picture, comfort.level);
  const words = word("vote.levels")[comfort.level - 1];
  const said = make("div", {}, make("strong", { text: word("room.expected_level", { level: comfort.level, words }) }));
  if (comfort.expected_vote !== null) said.append(sensation(comfort.expected_vote));
  const bar = make("div", { class: "bar", "aria-hidden": "true" });
  const key = make("ul", { class: "key" });
  for (const [wish, kind] of [["cooler", "cooler"], ["no change", "same"], ["warmer", "warmer"]]) {
    const share = comfort.preference[wish] ?? 0;
    const part = make("span", { class: kind });
    part.style.flexGrow = share;
    bar.append(part);
    key.append(make("li", {}, make("i", { class: kind }), `${word(`room.${wish}`)} ${number(100 * share, 0)} %`));
  }
  const wants = make("div", { class: "wants" }, make("div", { class: "quiet", text: word("room.wants") }), bar, key);
  return [make("div", { class: "with-face" }, picture, said), wants];
}

function people(now) {
  return [...presence(now.presence), ...seen(now), ...now.lines.map(({ name, entered, left }) => (
    make("p", { class: "quiet", text: word("room.line", { line: name, entered, left }) })
  ))];
}

// Whether anybody is there, without the flicker of single pictures: "2 people are here, since 14:05".
function presence(state) {
  if (!state) return [];
  const what = word(`room.presence.${state.state}`, { n: state.count ?? 1 });
  const since = state.since ? word("room.presence.since", { what, time: clock(Date.parse(state.since) / 1000) }) : what;
  const shown = make("p", { class: "presence", "data-presence": state.state }, make("strong", { text: since }));
  return [shown, ...(state.reason && state.state === "unknown" ? [make("p", {}, sentence(state.reason))] : [])];
}

function seen(now) {
  if (now.people === null) return now.presence ? [] : [make("p", {}, word("room.unseen"), " ", sentence(now.unseen ?? ""))];
  if (!now.people.length) return [make("p", { text: word("room.nobody") })];
  const list = make("ul", { class: "plainlist" });
  now.people.forEach((person, index) => {
    const heading = make("strong", { text: word("room.person", { number: index + 1 }) });
    if (person.clo !== null) {
      heading.append(make("span", { class: "quiet", text: ` · ${word("room.clo", { clo: number(person.clo, 2) })}` }));
    }
    const worn = make("ul", { class: "worn" });
    for (const piece of person.garments) {
      const dot = make("span", { class: "dot", "aria-hidden": "true" });
      if (piece.rgb) dot.style.backgroundColor = `rgb(${piece.rgb.join(" ")})`;
      const kind = garment(piece.kind);
      const text = piece.colour ? word("room.coloured", { garment: kind, colour: colour(piece.colour) }) : kind;
      worn.append(make("li", {}, ...(piece.rgb ? [dot] : []), text));
    }
    const known = person.garments.length > 0;
    list.append(make("li", {}, heading, known ? worn : make("span", { text: word("room.nothing_worn") })));
  });
  return [list, ...(now.grey ? [make("p", { class: "quiet", text: word("room.grey") })] : [])];
}

// What does not work: its name in this language, for how long, where and why, and what to do.
function trouble(said) {
  const { name, about, reason, age, what } = said.values ?? {};
  if (!name) return make("li", {}, sentence(said));
  const details = make("div", { class: "quiet" }, ...(about ? [`${about}: `] : []), sentence(reason));
  const known = word("troubles")[name] ?? name;
  return make(
    "li", {}, make("strong", { text: `${known} (${age})` }), details, make("div", { class: "quiet" }, "→ ", sentence(what)),
  );
}

function liked({ preferred_c: best, low_80_c: low, high_80_c: high, setpoint_c: setpoint }) {
  if (best === null) return [];
  const fine = low !== null && high !== null && low <= best && best <= high;  // two yardsticks, which may differ
  const values = { best: degrees(best), low: number(low ?? 0), high: degrees(high ?? 0) };
  const parts = [make("strong", { text: word(fine ? "room.liked" : "room.liked_alone", values) })];
  if (setpoint !== null) {
    parts.push(make("span", { class: "quiet", text: ` · ${word("room.setpoint", { setpoint: degrees(setpoint) })}` }));
  }
  return [make("p", { class: "liked" }, ...parts)];
}

function advice({ advice: sentences, level }) {
  if (level === null) return [make("p", { text: word("room.advice_unknown") })];
  if (!sentences.length) return [make("p", { text: word("room.no_advice") })];
  const list = make("ul", { class: "plainlist" });
  for (const each of sentences) {
    const { what, kelvin, way, after, before } = each.values ?? {};
    const known = make("strong", {}, sentence(what ?? each));
    if (way) known.append(make("span", { class: "quiet", text: ` · ${word(`advice.${way}`, { k: number(kelvin) })}` }));
    list.append(make("li", {}, known, ...(what ? [make("span", { text: word("advice.gain", { after, before }) })] : [])));
  }
  return [list];
}

function learnt(now) {
  const count = make("p", { class: "quiet", text: counted(now.votes) });
  const said = now.learnt ? make("p", {}, sentence(now.learnt)) : make("p", { text: word("room.nothing_learnt") });
  return [said, count];
}

function recording(state) {
  const off = state.kept ? word("recording.kept", { n: state.kept }) : word("recording.none");
  const what = state.active ? word("recording.active", { n: state.kept }) : off;
  return [
    make("p", { class: state.active ? "state on" : "state" }, make("span", { text: what })),
    make("p", { class: "quiet", text: word("recording.votes") }),
    make("p", { class: "quiet", text: word("recording.minutes") }),
  ];
}
