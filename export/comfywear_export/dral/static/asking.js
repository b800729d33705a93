// One question at a time: y, n, s, u or the buttons. The next question comes with the answer to the last.

const $ = (id) => document.getElementById(id);
const KEYS = { y: "same", n: "different", s: "skipped" };

let open = null; // the question that is shown
let busy = false;

async function call(address, body) {
  if (busy) return;
  busy = true;
  try {
    const given = body === undefined ? {} : {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    };
    const answer = await fetch(address, given);
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 409) { // answered elsewhere: show what is open now
      busy = false;
      await call("/api/question");
      problem(said.text);
      return;
    }
    if (!answer.ok) throw new Error(said.text || `The program said ${answer.status}.`);
    problem("");
    if (said.finished) bye(); else show(said);
  } catch (error) {
    problem(error instanceof TypeError ? "The program does not answer. Is it still running? Nothing was counted." : error.message);
  } finally {
    busy = false;
  }
}

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

function show(state) {
  open = state.question;
  const { same, different, skipped } = state.answers;
  $("counts").textContent = `${same} the same · ${different} not · ${skipped} skipped`;
  $("undo").disabled = same + different + skipped === 0;
  $("end-undo").hidden = $("undo").disabled;
  $("ask").hidden = !open;
  $("end").hidden = Boolean(open);
  if (!open) {
    $("end-said").textContent = `${same + different + skipped} questions were answered: ${$("counts").textContent}.`;
    $("end-heading").focus();
    return;
  }
  const [left, right] = open.names;
  picture("left", open.query, left);
  picture("right", open.item, right);
  $("where").textContent = `Picture ${open.query + 1} of ${state.queries}, question ${open.number} about it`;
  $("progress").max = state.queries;
  $("progress").value = state.query;
  $("seen").hidden = open.same.length === 0;
  $("seen-pictures").replaceChildren(...open.same.slice(0, 8).map((row) => {
    const image = document.createElement("img");
    image.src = `/picture/${row}.jpg`;
    image.alt = `picture ${row + 1}`;
    return image;
  }));
  $("say").textContent = `Are ${left} and ${right} the same person?`;
}

function picture(side, row, name) {
  $(side).src = `/picture/${row}.jpg`;
  $(side).alt = `${side === "left" ? "The person asked about" : "The other person"}: ${name}`;
  $(`${side}-name`).textContent = name;
}

function answer(verdict) {
  if (open) call("/api/answer", { query: open.query, item: open.item, answer: verdict });
}

function bye() {
  open = null;
  for (const id of ["ask", "end", "finish"]) $(id).hidden = true;
  $("bye").hidden = false;
  $("bye-heading").focus();
}

for (const button of document.querySelectorAll("[data-answer]")) {
  button.addEventListener("click", () => answer(button.dataset.answer));
}
for (const id of ["undo", "end-undo"]) $(id).addEventListener("click", () => call("/api/undo", {}));
for (const id of ["finish", "end-finish"]) $(id).addEventListener("click", () => call("/api/finish", {}));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !$("bye").hidden) return;
  const key = event.key.toLowerCase();
  if (KEYS[key]) answer(KEYS[key]);
  else if (key === "u" && !$("undo").disabled) call("/api/undo", {});
});
call("/api/question");
