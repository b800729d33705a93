// Fields of a form, made from what the device says of its settings: a control each, with what it means and what is wrong.

import { make, sentence, word } from "./words.js";

let count = 0;
const key = (path) => JSON.stringify(path);

export function at(values, path) {
  return path.reduce((part, step) => part?.[step], values);
}

// Puts a value at a path, making the tables on the way; undefined takes it out.
export function put(values, path, value) {
  let part = values;
  for (const [n, step] of path.slice(0, -1).entries()) part = part[step] ??= typeof path[n + 1] === "number" ? [] : {};
  const last = path[path.length - 1];
  if (value !== undefined) part[last] = value;
  else if (Array.isArray(part)) part.splice(last, 1);
  else delete part[last];
}

function comma() {
  return (1.5).toLocaleString(document.documentElement.lang)[1];
}

// A text as the number that it is in this language; what is none goes to the device as it is, which says so.
function numberOf(text) {
  const plain = comma() === "," && !text.includes(".") ? text.replace(",", ".") : text;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : text;
}

function said(value) {
  if (value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length)) return word("settings.nothing_given");
  if (typeof value === "boolean") return word(value ? "settings.yes" : "settings.no");
  if (typeof value === "number") return String(value).replace(".", comma());
  return typeof value === "string" ? value : JSON.stringify(value);
}

// `form`: {texts, values, changed(path), touched(), secrets: Map, again(path)}.
export function group(form, { name, title, fields, several }) {
  if (!several) return make("div", {}, ...fields.map((field) => fieldOf(form, field, [name, field.name])));
  return list(form, { name, fields, title: form.texts.title(name, name, title) }, [name]);
}

export function fieldOf(form, field, path) {
  if (field.kind === "table") return tableOf(form, field, path);
  if (field.kind === "tables") return list(form, { ...field, title: form.texts.title(field.table, field.name, field.title) }, path);
  const id = `field-${++count}`;
  const title = form.texts.title(field.table, field.name, field.title);
  const meaning = form.texts.meaning(field.table, field.name, field.meaning);
  const heading = make("span", {}, field.unit ? `${title} (${field.unit})` : title, " ", make("code", { class: "name", text: field.name }));
  const control = controlOf(form, field, path, id);
  const help = make("p", { class: "quiet", id: `${id}-help` }, ...meaning ? [meaning, " "] : [], make("em", { text: limits(field) }));
  const problem = make("p", { class: "problem", id: `${id}-problem`, role: "alert" });
  const labelled = field.kind === "switch" ? make("label", { class: "tick" }, control, heading) : null;
  const element = make(
    "div", { class: "field", "data-kind": field.kind, "data-path": key(path), "data-text": `${title} ${meaning} ${path.join(".")}`.toLowerCase() },
    ...labelled ? [labelled] : control.tagName === "FIELDSET" ? [control] : [make("label", { for: id }, heading), control],
    help, problem,
  );
  if (control.tagName === "FIELDSET") control.prepend(make("legend", {}, heading));
  if (field.secret) element.append(secretOf(form, path, id, title));
  return element;
}

function limits(field) {
  const parts = [];
  for (const bound of ["low", "above", "high", "below"]) {
    if (field[bound] !== null) parts.push(word(`settings.bounds.${bound}`, { n: said(field[bound]) }));
  }
  if (field.choices.length && field.kind === "number") parts.push(word("settings.or", { words: field.choices.join(", ") }));
  if (field.kind === "texts") parts.push(word("settings.a_line"));
  if (field.kind === "numbers") parts.push(word("settings.numbers"));
  const joined = parts.join(", ");
  const text = joined.charAt(0).toUpperCase() + joined.slice(1);
  const more = field.required ? word("settings.must") : field.kind === "switch" ? "" : word("settings.default", { value: said(field.default) });
  return [text && (/[.]$/.test(text) ? text : `${text}.`), more].filter(Boolean).join(" ");
}

function controlOf(form, field, path, id) {
  const held = at(form.values, path);
  const common = { id, "aria-describedby": `${id}-help ${id}-problem`, ...field.required ? { "aria-required": "true" } : {} };
  const change = (value) => { put(form.values, path, value); form.touched(path); };
  if (field.kind === "switch") {
    const control = make("input", { type: "checkbox", ...common });
    control.checked = held ?? field.default;
    control.addEventListener("change", () => change(control.checked));
    return control;
  }
  if (field.kind === "choice") {
    const usual = make("option", { value: "", text: word("settings.usual", { value: said(field.default) }) });
    const options = field.choices.map((each) => make("option", { value: key(each), text: each === "" ? word("settings.nothing_given") : String(each) }));
    const control = make("select", common, usual, ...options);
    control.value = held === undefined ? "" : key(held);
    control.addEventListener("change", () => change(control.value ? JSON.parse(control.value) : undefined));
    return control;
  }
  if (field.kind === "choices") {
    const chosen = () => [...control.querySelectorAll("input:checked")].map((each) => each.value);
    const ticks = field.choices.map((each) => {
      const tick = make("input", { type: "checkbox", value: each });
      tick.checked = (held ?? field.default ?? []).includes(each);
      return make("label", { class: "tick" }, tick, String(each));
    });
    const control = make("fieldset", { "aria-describedby": common["aria-describedby"] }, ...ticks);
    control.addEventListener("change", () => change(chosen().length ? chosen() : undefined));
    return control;
  }
  const many = field.kind === "texts" || field.kind === "numbers";
  const numeric = field.kind === "whole" || field.kind === "number";
  const control = make(many ? "textarea" : "input", {
    ...common, spellcheck: "false", autocapitalize: "off", autocomplete: "off",
    ...numeric && field.kind === "whole" ? { inputmode: "numeric" } : {}, ...many ? { rows: "3" } : {},
  });
  if (held !== undefined) {
    control.value = field.kind === "texts" && Array.isArray(held) ? held.join("\n")
      : typeof held === "number" ? said(held) : typeof held === "string" ? held : JSON.stringify(held);
  }
  control.addEventListener("input", () => {
    const text = control.value.trim();
    if (!text) change(field.required ? "" : undefined);
    else if (field.kind === "texts") change(text.split("\n").map((each) => each.trim()).filter(Boolean));
    else if (field.kind === "numbers") change(parsed(text));
    else change(numeric ? numberOf(text) : control.value);
  });
  return control;
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return text; }
}

function secretOf(form, path, id, title) {
  const input = make("input", { type: "password", id: `${id}-secret`, autocomplete: "new-password", "aria-describedby": `${id}-secret-help` });
  input.value = form.secrets.get(key(path)) ?? "";
  input.addEventListener("input", () => {
    if (input.value) form.secrets.set(key(path), input.value);
    else form.secrets.delete(key(path));
    form.touched(path);
  });
  return make(
    "div", { class: "secret" },
    make("label", { for: `${id}-secret` }, `${word("settings.secret")} (${title})`), input,
    make("p", { class: "quiet", id: `${id}-secret-help`, text: word("settings.secret_help") }),
  );
}

function tableOf(form, field, path) {
  const title = form.texts.title(field.table, field.name, field.title);
  const meaning = form.texts.meaning(field.table, field.name, field.meaning);
  const there = at(form.values, path) !== undefined;
  const button = make("button", { type: "button", class: "button small plain", text: `${word(there ? "settings.remove" : "settings.add")}: ${title}` });
  button.addEventListener("click", () => { put(form.values, path, there ? undefined : {}); form.again(path); });
  const inner = there ? field.fields.map((each) => fieldOf(form, each, [...path, each.name])) : [];
  return framed(title, meaning, path, [...inner, button]);
}

function list(form, field, path) {
  const held = at(form.values, path) ?? [];
  const parts = (Array.isArray(held) ? held : []).map((entry, n) => {
    const remove = make("button", { type: "button", class: "button small plain", text: word("settings.remove") });
    const heading = word("settings.entry", { title: field.title, n: n + 1 }) + (typeof entry?.name === "string" ? `: ${entry.name}` : "");
    remove.setAttribute("aria-label", `${word("settings.remove")}: ${heading}`);
    remove.addEventListener("click", () => {
      put(form.values, [...path, n], undefined);
      if (!held.length) put(form.values, path, undefined);
      for (const each of [...form.secrets.keys()]) if (each.startsWith(key(path).slice(0, -1))) form.secrets.delete(each);
      form.again(path);
    });
    return framed(heading, "", [...path, n], [...field.fields.map((each) => fieldOf(form, each, [...path, n, each.name])), remove]);
  });
  const add = make("button", { type: "button", class: "button small plain", text: `${word("settings.add")}: ${field.title}` });
  add.addEventListener("click", () => { put(form.values, [...path, held.length], {}); form.again(path); });
  const whole = [...parts, add];
  return path.length === 1 ? make("div", {}, ...whole) : framed(field.title, "", path, whole);
}

function framed(title, meaning, path, parts) {
  return make(
    "fieldset", { class: "field-set", "data-path": key(path) }, make("legend", { text: title }),
    ...meaning ? [make("p", { class: "quiet", text: meaning })] : [],
    make("p", { class: "problem", role: "alert" }), ...parts,
  );
}

// Shows each fault at its field, or at the nearest table around it; returns what found no place.
export function showFaults(root, faults) {
  const places = new Map([...root.querySelectorAll("[data-path]")].map((element) => [element.dataset.path, element]));
  const controls = ":scope > input, :scope > select, :scope > textarea, :scope > label > input";
  const wrong = new Map([...places.values()].map((element) => [element, []]));
  const elsewhere = faults.filter(({ path, text }) => {
    const depth = path.findLastIndex((_, n) => places.has(key(path.slice(0, n + 1)))) + 1;
    if (!depth) return true;
    wrong.get(places.get(key(path.slice(0, depth)))).push(sentence(text));
    return false;
  });
  for (const [element, said] of wrong) {
    const shown = element.querySelector(":scope > .problem");
    const control = element.querySelector(controls);
    if (said.length) control?.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
    // What was said already is not said again at the next letter.
    if (shown && shown.textContent !== said.map((each) => each.textContent).join(" ")) shown.replaceChildren(...said.flatMap((each, n) => (n ? [" ", each] : [each])));
  }
  return elsewhere;
}
