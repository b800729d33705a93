// A device made of a backup again: uploaded, looked at, asked what to keep, restored, and said how it ended.

import { call, make, sentence, word } from "./words.js";

const LOOK_EVERY_MS = 1000;
const ENDS_WITHIN_MS = 600000;

export function showRestore() {
  const said = make("p", { class: "quiet", role: "status", id: "restore-said" });
  const file = make("input", { type: "file", id: "restore-file", accept: ".comfywear,.zip,application/zip" });
  const asked = make("div", { id: "restore-asked" });
  const say = (...parts) => said.replaceChildren(...parts);
  file.addEventListener("change", async () => {
    asked.replaceChildren();
    if (!file.files.length) return;
    file.disabled = true;
    say(word("restore.uploading"));
    const answer = await ask("/api/restore/upload", file.files[0]);
    file.disabled = false;
    file.value = "";
    say(...(answer.good ? [word("restore.nothing_yet")] : [word("restore.refused"), " ", answer.text]));
    if (answer.good) asked.replaceChildren(question(answer.body, say, asked));
  });
  const body = make(
    "div", {}, make("p", { class: "quiet", text: word("restore.lead") }),
    make("label", {}, word("restore.file"), file), asked, said,
  );
  const details = make("details", { class: "card", id: "restore" }, make("summary", { text: word("restore.heading") }), body);
  document.getElementById("backup").append(details);
  details.addEventListener("toggle", async () => {
    if (!details.open || said.textContent) return;
    const before = await ask("/api/restore");
    if (before.good && before.body.state !== "none") say(...ended(before.body));
  });
}

// What the backup would change, and what whoever restores it must say.
function question(found, say, asked) {
  const other = found.device !== found.here;
  const takes = make("input", { type: "checkbox", id: "restore-settings" });
  takes.checked = !found.unwanted;
  takes.disabled = Boolean(found.unwanted);
  const secret = make("input", { type: "password", id: "restore-passphrase", autocomplete: "off" });
  const places = ["place", "own"].map((kind) => {
    const choice = make("input", { type: "radio", name: "restore-place", value: kind, id: `restore-${kind}` });
    return make("label", { class: "tick" }, choice, word(`restore.${kind}`, { there: found.device, here: found.here }));
  });
  const place = make("fieldset", {}, make("legend", { text: word("restore.other", { there: found.device, here: found.here }) }), ...places);
  const passphrase = make("label", {}, word("restore.passphrase"), secret);
  const button = make("button", { type: "submit", class: "button small", text: word("restore.restore") });
  const unwanted = found.unwanted ? [make("li", { text: `${word("restore.unwanted")} ` })] : [];
  unwanted[0]?.append(sentence(found.unwanted));
  const form = make(
    "form", {}, make("ul", {}, ...changes(found).map((text) => make("li", { text })), ...unwanted),
    make("label", { class: "tick" }, takes, word("restore.settings")), place, passphrase, make("p", { class: "row" }, button),
  );
  const show = () => {
    place.hidden = !(other && takes.checked);
    passphrase.hidden = !(found.locked && takes.checked);
  };
  takes.addEventListener("change", show);
  show();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = form.querySelector("[name=restore-place]:checked");
    if (!place.hidden && !chosen) {
      say(word("restore.choose"));
      return;
    }
    button.disabled = true;
    const answer = await ask("/api/restore", {
      upload: found.upload,
      settings: takes.checked,
      passphrase: passphrase.hidden ? null : secret.value || null,
      takes_place: place.hidden ? null : chosen.value === "place",
    });
    secret.value = "";
    button.disabled = false;
    if (!answer.good) {
      say(word("restore.refused"), " ", answer.text);
      return;
    }
    asked.replaceChildren();
    say(word("restore.running"));
    say(...await outcome());
  });
  return form;
}

function changes(found) {
  const votes = { n: found.votes, here: found.votes_here ?? "?" };
  const names = Object.values(found.names).join(", ");
  const day = found.made ? new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(found.made)) : word("restore.unknown_day");
  return [
    word("restore.made", { device: `${found.site}/${found.device}`, day, version: found.version }),
    word("restore.votes", votes),
    names ? word("restore.names", { names }) : word("restore.no_names"),
    found.settings.length ? word("restore.tables", { tables: found.settings.join(", ") }) : found.unwanted ? "" : word("restore.same"),
  ].filter(Boolean);
}

async function outcome() {
  const until = Date.now() + ENDS_WITHIN_MS;
  while (Date.now() < until) {
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    const now = await ask("/api/restore");
    if (now.status === 401) location.reload();
    if (now.good && ["done", "failed"].includes(now.body.state)) return ended(now.body);
  }
  return [word("restore.silent")];
}

function ended(body) {
  if (body.state === "running") return [word("restore.running")];
  const aside = body.aside ? [" ", word("restore.aside", { folder: body.aside })] : [];
  return [word(`restore.${body.state}`), " ", sentence(body.text), ...aside];
}

async function ask(address, body) {
  try {
    const answer = await (body instanceof Blob ? call(address, "", { headers: { "Content-Type": "application/zip" }, body }) : call(address, body));
    const said = await answer.json();
    return { good: answer.ok, status: answer.status, body: said, text: answer.ok ? "" : sentence(said.text) };
  } catch {
    return { good: false, status: 0, text: word("restore.no_answer") };
  }
}
