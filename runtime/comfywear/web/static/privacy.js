// Whether the cameras may look: a badge while none may, and switches for whoever may switch them.

import { make, word } from "./words.js";

const $ = (id) => document.getElementById(id);

let shown = "";

// `cameras`: what the device says of each; `may`: whether whoever looks may switch them.
export function showPrivacy(cameras, may) {
  $("private-badge").hidden = cameras.length === 0 || !cameras.every((each) => each.private);
  const state = JSON.stringify([cameras, may, word("privacy.one")]);
  if (state === shown) return;
  shown = state;
  const focused = document.activeElement?.dataset?.privacy;
  $("privacy").replaceChildren(...cameras.map((each) => switchOf(each, cameras.length > 1, may)));
  if (focused) $("privacy").querySelector(`[data-privacy="${focused}"]`)?.focus({ preventScroll: true });
}

function switchOf({ camera, private: on, held }, several, may) {
  const text = several ? word("privacy.several", { camera }) : word("privacy.one");
  const button = make(
    "button", { type: "button", class: "switch", role: "switch", "aria-checked": String(on), "data-privacy": camera },
    make("span", { class: "knob", "aria-hidden": "true" }), make("span", { text }),
  );
  button.disabled = !may || held;
  const said = make("p", { class: "quiet", role: "status", text: held ? word("privacy.held") : "" });
  button.addEventListener("click", async () => {
    try {
      const answer = await fetch("/api/privacy", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ on: !on, camera }),
      });
      if (answer.status === 401) location.reload();
      said.textContent = answer.ok ? "" : word("privacy.failed");
    } catch {
      said.textContent = word("privacy.failed");
    }
  });
  return make("div", {}, button, said);
}
