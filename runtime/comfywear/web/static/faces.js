// Five faces, drawn here; the words beside them say the same.

const SPACE = "http://www.w3.org/2000/svg";
const MOUTHS = {
  1: "M30 72 Q50 46 70 72",
  2: "M32 69 Q50 57 68 69",
  3: "M33 65 L67 65",
  4: "M31 61 Q50 76 69 61",
  5: "M27 57 Q50 92 73 57 Z",
};
const BROWS = { 1: "M25 36 L39 28 M75 36 L61 28", 2: "M27 34 L39 31 M73 34 L61 31" };

export function draw(tag, attributes, parent) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

export function face(level) {
  const svg = draw("svg", { viewBox: "0 0 100 100", "aria-hidden": "true", focusable: "false" });
  draw("circle", { cx: 50, cy: 50, r: 48, class: "disc" }, svg);
  if (level === 5) {
    draw("path", { d: "M30 44 Q36 35 42 44 M58 44 Q64 35 70 44", class: "line" }, svg);
  } else {
    draw("ellipse", { cx: 35, cy: 44, rx: 4.6, ry: 6, class: "eye" }, svg);
    draw("ellipse", { cx: 65, cy: 44, rx: 4.6, ry: 6, class: "eye" }, svg);
  }
  if (BROWS[level]) draw("path", { d: BROWS[level], class: "line" }, svg);
  const mouth = draw("path", { d: MOUTHS[level], class: level === 5 ? "line eye" : "line" }, svg);
  if (level === 5) mouth.setAttribute("stroke-linejoin", "round");
  return svg;
}

export function show(element, level) {
  for (const each of [1, 2, 3, 4, 5]) element.classList.toggle(`level-${each}`, each === level);
  element.replaceChildren(face(level));
}
