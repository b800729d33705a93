// The zones' own addresses, each with a code to photograph, to be printed and put up.

import { make, word } from "./words.js";

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export function showZoneCards(zones) {
  const cards = zones.map(({ name, title }) => {
    const address = `${location.origin}/?zone=${encodeURIComponent(name)}`;
    const code = make("img", { src: `/api/qr.svg?zone=${encodeURIComponent(name)}`, alt: "", width: 164, height: 164, loading: "lazy" });
    return make("figure", {}, code, make("figcaption", {}, make("strong", { text: title }), make("br"), make("a", { href: address, text: address })));
  });
  const button = make("button", { type: "button", class: "button small", text: word("kiosk.print") });
  button.addEventListener("click", () => print());
  const lead = word(LOCAL.test(location.hostname) ? "kiosk.local" : "kiosk.lead");
  const open = document.querySelector("#kiosk details")?.open ?? false;
  const details = make(
    "details", { class: "card" }, make("summary", { text: word("kiosk.heading") }),
    make("p", { class: "quiet", text: lead }), make("div", { class: "codes" }, ...cards), make("p", { class: "row" }, button),
  );
  details.open = open;
  document.getElementById("kiosk").replaceChildren(details);
}
