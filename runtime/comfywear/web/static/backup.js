// A backup of the device, for who may do everything: made and downloaded at a press.

import { call, make, sentence, word } from "./words.js";

export function showBackup() {
  const secret = make("input", { type: "password", id: "passphrase", autocomplete: "new-password", "aria-describedby": "passphrase-help" });
  const said = make("p", { class: "quiet", role: "status" });
  const button = make("button", { type: "submit", class: "button small", text: word("backup.download") });
  const form = make(
    "form", {}, make("p", { class: "quiet", text: word("backup.lead") }),
    make("label", {}, word("backup.passphrase"), secret),
    make("p", { class: "quiet", id: "passphrase-help", text: word("backup.passphrase_help") }),
    make("p", { class: "row" }, button), said,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = word("backup.making");
    said.replaceChildren(...await download(secret.value));
    secret.value = "";
    button.disabled = false;
  });
  const details = make("details", { class: "card" }, make("summary", { text: word("backup.heading") }), form);
  document.getElementById("backup").replaceChildren(details);
}

async function download(passphrase) {
  try {
    const answer = await call("/api/backup", { passphrase: passphrase || null });
    if (answer.status === 401) location.reload();
    if (!answer.ok) return [word("backup.failed"), " ", sentence((await answer.json()).text)];
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))?.[1] ?? "comfywear.backup";
    const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    return [word("backup.made", { name })];
  } catch {
    return [word("backup.failed")];
  }
}
