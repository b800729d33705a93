// Pressing: five faces, thanks, and undo for as long as the device allows.

import { dropVote, keepVote, newId, sendKept } from "./kept_votes.js";
import { call, sentence, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const THANKS_S = 10;
const PATIENCE_MS = 10000;
const UNDO_KEPT_S = 60;

let last = null; // {id, level, until}: what can still be undone
let ticking = null;
let closing = null;
let busy = false;
let state = null; // {zone(): string, person(): string, place: string}

export function startVoting(given) {
  state = given;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey;
    if (typing || event.repeat || $("view-vote").hidden) return;
    if (/^[1-5]$/.test(event.key)) press(Number(event.key));
    if (event.key === "Escape") close();
  });
  $("faces").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) press(Number(button.dataset.level));
  });
  $("done").addEventListener("click", close);
  $("undo").addEventListener("click", undo);
  $("strip-undo").addEventListener("click", undo);
  $("thanks").addEventListener("click", (event) => event.target === $("thanks") && close());
  const early = window.takeEarlyPress();
  if (early) press(early.level, early.at);
}

// The face of a level, as the page draws it on its button; the words beside it say the same.
export function showFace(element, level) {
  for (const each of [1, 2, 3, 4, 5]) element.classList.toggle(`level-${each}`, each === level);
  element.replaceChildren($("faces").querySelector(`[data-level="${level}"] svg`).cloneNode(true));
}

// The device answers: what was kept here goes to it.
export async function answered() {
  if (await sendKept(post)) announce(word("vote.sent_now"));
}

// What has been learnt may come a moment after the vote.
export function learnt(text) {
  $("thanks-learnt").replaceChildren(text ? sentence(text) : word("thanks.kept"));
}

async function post(address, body) {
  const answer = await call(address, body, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw Object.assign(new Error(), { status: answer.status });
  return answer.json();
}

async function press(level, at = Date.now()) {
  if (busy) return;
  busy = true;
  const button = $("faces").querySelector(`[data-level="${level}"]`);
  button.classList.add("pressed");
  const given = { zone: state.zone(), level, source: state.place, person: state.person(), id: newId() };
  try {
    const vote = await post("/api/vote", { ...given, age_s: (Date.now() - at) / 1000 });
    last = { id: vote.id, level, until: Date.now() + 1000 * vote.undo_s };
    thank(level, vote.learnt);
  } catch (error) {
    if (!error.status && keepVote(given)) {
      last = { id: given.id, level, until: Date.now() + 1000 * UNDO_KEPT_S };
      thank(level, "");
      $("thanks-learnt").textContent = word("vote.kept_here");
      announce(word("vote.kept_here"));
    } else say(word(error.status === 429 ? "vote.too_many" : error.status ? "vote.failed" : "vote.unreachable"), true);
  } finally {
    busy = false;
    button.classList.remove("pressed");
  }
}

function thank(level, text) {
  showFace($("thanks-face"), level);
  const said = word("thanks.said", { level: word("vote.levels")[level - 1] });
  $("thanks-said").textContent = said;
  learnt(text);
  $("thanks").hidden = false;
  $("faces").inert = true;
  $("strip").hidden = true;
  $("thanks-card").focus({ preventScroll: true });
  announce(`${word("thanks.heading")} ${said}. ${$("thanks-learnt").textContent}`);
  clearTimeout(closing);
  closing = setTimeout(close, 1000 * THANKS_S);
  clearInterval(ticking);
  ticking = setInterval(tick, 500);
  tick();
}

function tick() {
  const left = last ? Math.ceil((last.until - Date.now()) / 1000) : 0;
  if (left <= 0) {
    last = null;
    clearInterval(ticking);
    $("undo").hidden = true;
    $("strip").hidden = true;
    return;
  }
  $("undo").hidden = false;
  $("strip-undo").hidden = false;
  for (const id of ["undo", "strip-undo"]) $(id).textContent = word("thanks.undo", { seconds: left });
  $("strip-said").textContent = word("thanks.said", { level: word("vote.levels")[last.level - 1] });
}

function close() {
  clearTimeout(closing);
  if ($("thanks").hidden) return;
  const within = $("thanks").contains(document.activeElement);
  $("thanks").hidden = true;
  $("faces").inert = false;
  $("strip").hidden = last === null;
  if (within) $("faces").querySelector("button").focus({ preventScroll: true });
}

async function undo() {
  if (!last) return;
  let said = word("thanks.undone");
  try {
    if (!dropVote(last.id)) await post("/api/undo", { vote: last.id });
  } catch {
    said = word("thanks.undo_failed");
  }
  last = null;
  close();
  say(said, false);
}

// A line under the faces for a while, read aloud as well.
function say(text, problem) {
  clearInterval(ticking);
  $("strip").hidden = false;
  $("strip-said").textContent = text;
  $("strip-undo").hidden = true;
  announce(text);
  setTimeout(() => {
    $("strip").hidden = !last;
    if (last) ticking = setInterval(tick, 500);
  }, problem ? 8000 : 5000);
}

function announce(text) {
  $("say").textContent = text;
}
