// The words of the chosen language, and how to put them into the page.

let found = {};

// The page comes with the words of the language that the device chose.
const served = {
  code: document.documentElement.lang,
  words: JSON.parse(document.getElementById("begins")?.dataset.words ?? "null"),
};
if (!served.words) served.code = null;

async function fetched(code) {
  const answer = await fetch(`/words/${code}.json`);
  if (!answer.ok) throw new Error(`no words for ${code}`);
  return answer.json();
}

// `more` names words that not every page needs; returns what comes with them.
export async function load(code, more = "") {
  found = { ...code === served.code ? served.words : await fetched(code) };
  const told = more ? await fetch(`/words/${more}/${code}.json`).then((each) => each.json()) : {};
  Object.assign(found, told.words);
  document.documentElement.lang = code;
  for (const element of document.querySelectorAll("[data-word]")) {
    const text = word(element.dataset.word);
    if (element.textContent !== text) element.textContent = text; // what came with the page is laid out already
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", word(element.dataset.label));
  }
  return told.fields ?? {};
}

// An address whose sentences come in this language.
export const spoken = (address) => `${address}${address.includes("?") ? "&" : "?"}texts=${document.documentElement.lang}`;

// Asks the device, or tells it something.
export function call(address, body, more = {}) {
  const told = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...more };
  return fetch(spoken(address), body === undefined ? more : told);
}

// word("thanks.said", {level: "…"}) → the words with their values.
export function word(name, values = {}) {
  const text = form(name.split(".").reduce((part, key) => part?.[key], found), values);
  if (typeof text !== "string") return text ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

// Of words in several forms the one for the number `n`.
function form(text, { n }) {
  if (!text?.other) return text;
  const rule = new Intl.PluralRules(document.documentElement.lang);
  return (Number(n) === 0 && text.zero) || (text[rule.select(Number(n))] ?? text.other);
}

export function number(value, digits = 1) {
  return new Intl.NumberFormat(document.documentElement.lang, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

export function clock(unix) {
  const language = document.documentElement.lang;
  const place = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
  const time = new Intl.DateTimeFormat(place, { hour: "2-digit", minute: "2-digit" });
  return time.format(new Date(unix * 1000));
}

// A day, and with `hour` the hour of it: "Tue 14", "Tue 14, 15:00".
export function moment(unix, hour = false) {
  const at = new Date(unix * 1000);
  const day = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", day: "numeric" }).format(at);
  return hour ? `${day}, ${clock(unix)}` : day;
}

export const counted = (n) => word("room.votes", { n });
export const garment = (kind) => word(`garments.${kind}`) || kind;
export const colour = (name) => word(`colours.${name}`) || name;

// A sentence of the device, which comes in pieces with their languages, or as plain English; each other language is marked.
export function sentence(said) {
  const [[language, first], ...more] = said.parts ?? [["en", said]];
  const begun = /^[a-z][a-z0-9+]*:\/\//.test(first) ? first : first.charAt(0).toUpperCase() + first.slice(1);
  const here = document.documentElement.lang;
  return make("span", {}, ...[[language, begun], ...more].map(([lang, text]) => lang === here ? text : make("span", { text, lang })));
}

// An element: make("p", {class: "quiet", text: "…"}, child, …)
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
