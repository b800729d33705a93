// Cameras in the network, in the first run: looked for when somebody asks, then asked for their streams.

import { make, sentence, word } from "./words.js";

const WANTS = { login: "setup.network.login", refused: "setup.network.refused", silent: "setup.network.silent" };

// What the camera's step shows of it. `ask(address, body)` asks the device, `take(uri)` makes one its camera.
export function networkCameras(ask, take) {
  const said = make("p", { class: "quiet", role: "status" });
  const list = make("ul", { class: "doors" });
  const button = make("button", { type: "button", class: "button small plain", id: "search-network", text: word("setup.network.search") });
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = word("setup.network.searching");
    try {
      const found = await ask("/api/setup/network-cameras", {});
      said.textContent = word(found.length ? "setup.network.found" : "setup.network.none", { n: found.length });
      list.replaceChildren(...found.map((camera) => doorOf(camera, ask, take)));
    } catch (error) {
      said.replaceChildren(word("setup.failed"), " ", sentence(error.said ?? error.message));
    }
    button.disabled = false;
  });
  return make("div", { class: "network" }, make("h3", { text: word("setup.network.heading") }), make("p", { class: "quiet", text: word("setup.network.about") }), button, said, list);
}

function doorOf({ host, name }, ask, take) {
  const id = `login-${host.replaceAll(/[.:]/g, "-")}`;
  const input = (kind, type, autocomplete) => make("input", { type, id: `${id}-${kind}`, "aria-describedby": `${id}-said`, autocomplete, autocapitalize: "off", spellcheck: "false" });
  const [user, password] = [input("user", "text", "username"), input("password", "password", "current-password")];
  const said = make("p", { class: "quiet", id: `${id}-said`, role: "status" });
  const streams = make("ul", { class: "doors" });
  const button = make("button", { class: "button small", text: word("setup.network.ask"), "aria-label": `${word("setup.network.ask")}: ${name} ${host}` });
  const form = make(
    "form", { class: "login-of", "aria-label": `${name} ${host}` },
    make("label", { for: user.id, text: word("setup.network.user") }), user,
    make("label", { for: password.id, text: word("setup.network.password") }), password, button,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = word("setup.network.asking");
    const login = [user.value, password.value];
    try {
      const told = await ask("/api/setup/streams", { host, user: login[0], password: login[1] });
      for (const each of [user, password]) each.setAttribute("aria-invalid", String(told.state === "refused"));
      said.textContent = told.state === "good" ? word(told.streams.length ? "setup.network.streams" : "setup.network.no_stream", { n: told.streams.length }) : word(WANTS[told.state]);
      streams.replaceChildren(...told.streams.map((stream) => streamOf(stream, login, take)));
    } catch (error) {
      said.replaceChildren(word("setup.failed"), " ", sentence(error.said ?? error.message));
    }
    button.disabled = false;
  });
  return make("li", { class: "network-camera" }, make("strong", { text: name }), make("code", { class: "name", text: host }), form, said, streams);
}

function streamOf({ uri, note }, [user, password], take) {
  const shown = make("span", {}, note, " ", make("code", { class: "name", text: uri }));
  if (uri.includes("…")) return make("li", {}, shown, make("span", { class: "quiet", text: word("setup.network.typed") }));
  const button = make("button", { type: "button", class: "button small", text: word("setup.use"), "aria-label": `${word("setup.use")}: ${note} ${uri}` });
  const login = user ? `${encodeURIComponent(user)}:${encodeURIComponent(password)}@` : "";
  button.addEventListener("click", () => take(uri.replace("://", `://${login}`)));
  return make("li", {}, shown, button);
}
