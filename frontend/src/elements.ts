// Small pieces of the page, made without markup strings, so that no text of the data can become markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void)>;

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
  return made;
}

export function fill(box: Element, ...children: Child[]): void {
  box.replaceChildren(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
}

const SVG = "http://www.w3.org/2000/svg";

/** A colour box of the legend; the hatch of the printed sheet is drawn over the colour. */
export function swatch(colour: string, edge: string, hatch: string): SVGSVGElement {
  const box = document.createElementNS(SVG, "svg");
  box.setAttribute("width", "22");
  box.setAttribute("height", "14");
  box.setAttribute("aria-hidden", "true");
  const add = (tag: string, attributes: Record<string, string>) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    box.append(made);
  };
  add("rect", { x: "0.5", y: "0.5", width: "21", height: "13", fill: colour || "none", stroke: edge || "#8c8c86", "stroke-width": colour ? "1" : "2" });
  const lines = { "/": "M2 13L14 1M9 13L21 1", "\\": "M2 1L14 13M9 1L21 13", "-": "M1 5H21M1 10H21", "|": "M6 1V13M11 1V13M16 1V13", x: "M2 13L14 1M2 1L14 13", "+": "M11 1V13M1 7H21" };
  for (const [mark, path] of Object.entries(lines)) if (hatch.includes(mark)) add("path", { d: path, stroke: edge || "#555", "stroke-width": "0.8", fill: "none" });
  return box;
}
