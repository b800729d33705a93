// Before anything is drawn: the appearance that was chosen here, and presses that come before the page's scripts.
// The last of them counts: whoever sees no answer presses again.

(() => {
  const root = document.documentElement;
  let last = null; // {level, at}
  try {
    const theme = localStorage.getItem("comfywear.theme");
    if (theme && theme !== "auto") root.dataset.theme = theme;
  } catch { /* a private window forgets */ }
  if (location.hash && location.hash !== "#vote") root.dataset.elsewhere = "yes";

  function hear(event) {
    const faces = document.getElementById("faces");
    if (!faces?.offsetParent || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const level = event.type === "click" ? event.target.closest?.("#faces button")?.dataset.level : event.key;
    if (!/^[1-5]$/.test(level)) return;
    last = { level: Number(level), at: Date.now() };
    for (const button of faces.children) button.classList.toggle("pressed", button.dataset.level === level);
  }
  addEventListener("click", hear);
  addEventListener("keydown", hear);

  // From here on the page hears by itself; returns what was pressed until now.
  window.takeEarlyPress = () => {
    removeEventListener("click", hear);
    removeEventListener("keydown", hear);
    return last;
  };
})();
