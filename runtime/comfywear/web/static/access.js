// For who may do everything: who is signed in, each with a button that ends it, and what was changed.

import { call, make, moment, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);

export async function showAccess(passwords, said = "") {
  const [sessions, changes] = await Promise.all(["/api/sessions", "/api/audit"].map(get));
  $("access").replaceChildren(
    card("access.sessions", passwords ? list(sessions.map(signedIn)) : make("p", { class: "quiet", text: word("access.nobody") })),
    card("access.changes", changes.length ? table(changes) : make("p", { class: "quiet", text: word("access.unchanged") })),
  );
  $("access").firstChild.append(make("p", { class: "quiet", role: "status", id: "access-said", text: said }));
}

async function get(address) {
  try {
    const answer = await call(address);
    return answer.ok ? answer.json() : [];
  } catch {
    return []; // the banner says so
  }
}

function card(heading, inner) {
  return make("details", { class: "card" }, make("summary", { text: word(heading) }), inner);
}

function list(items) {
  return make("ul", { class: "plainlist corrections" }, ...items);
}

function signedIn(session) {
  const when = word("access.seen", { time: moment(session.seen_s, true), client: session.client });
  const who = [word(`access.roles.${session.role}`), ...(session.here ? [word("access.here")] : [])].join(", ");
  const button = make("button", { type: "button", class: "button small plain", text: word("access.end") });
  button.setAttribute("aria-label", `${word("access.end")}: ${who}, ${when}`);
  button.addEventListener("click", () => end(session));
  const text = make("span", {}, make("strong", { text: who }), when, make("br"), make("small", { class: "quiet", text: session.browser }));
  return make("li", {}, text, button);
}

async function end(session) {
  let said = word("access.failed");
  try {
    const answer = await call("/api/sessions/end", { session: session.id });
    if (answer.status === 401 || (answer.ok && session.here)) { location.reload(); return; }
    if (answer.ok) said = word("access.ended");
  } catch { /* said */ }
  await showAccess(true, said);
  $("access").firstChild.open = true;
  $("access").querySelector("summary").focus();
}

function table(changes) {
  const rows = changes.map((each) => make(
    "tr", {},
    make("td", { text: each.ts ? moment(Date.parse(each.ts) / 1000, true) : word("access.undated") }),
    make("td", {}, sentence(each.what), make("small", { class: "quiet", text: ` ${each.detail}` })),
    make("td", { text: each.origin }),
  ));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": word("access.changes") }, make("table", {}, make("tbody", {}, ...rows)));
}
