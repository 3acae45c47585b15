// The panels beside the map: layers with legend, search, what lies here, red line.

import type { Covered, FoundPlace, FoundRow, FoundValue, Here, RedLineReport, Settings, ShownLayer } from "./contract";
import { element, swatch } from "./elements";
import { areaWords } from "./units";

export function layerList(layers: ShownLayer[], isShown: (name: string) => boolean, switched: (layer: ShownLayer, on: boolean) => void, settings: Settings): HTMLElement {
  const box = element("div");
  let subject = "";
  for (const layer of layers) {
    if (layer.subject !== subject) box.append(element("h3", {}, (subject = layer.subject)));
    const id = `layer-${layer.name}`;
    const input = element("input", { type: "checkbox", id, change: () => switched(layer, input.checked) });
    input.checked = isShown(layer.name);
    box.append(
      element("div", { class: "layer" }, input, " ", element("label", { for: id }, layer.column ? null : swatch(layer.single.fill, layer.single.edge, layer.single.hatch), " ", layer.title), synthetic(layer.synthetic, settings)),
    );
    const told = [`${settings.words.source}: ${layer.source}`, layer.vintage && `${settings.words.date}: ${layer.vintage}`, `${settings.words.stored}: ${layer.stored}`, `${settings.words.secrecy}: ${layer.secrecy}`, `${settings.words.rows}: ${layer.rows}`].filter(Boolean);
    box.append(element("details", { class: "legend about" }, element("summary", {}, settings.words.about), element("p", {}, told.join(" · ")), element("a", { href: `/layers/${encodeURIComponent(layer.name)}/` }, settings.words.open)));
    if (layer.column && layer.symbols.length) {
      const rows = layer.symbols.map((s) => element("li", {}, swatch(s.fill, s.edge, s.hatch), " ", s.label));
      box.append(element("details", { class: "legend", open: layer.kind === "landuse_patch" }, element("summary", {}, settings.words.legend), element("ul", {}, ...rows)));
    }
  }
  return box;
}

export function placeList(places: FoundPlace[], go: (place: FoundPlace) => void, settings: Settings): HTMLElement {
  if (!places.length) return element("p", {}, settings.words.nothing);
  const rows = places.map((p) => element("li", {}, element("button", { type: "button", click: () => go(p) }, element("strong", {}, p.text || p.key), element("span", { class: "code" }, ` ${p.notation ? readingWords(p, settings) : `${layerWord(p, settings)} ${p.key}`}`))));
  const list = element("ul", { class: "found" }, ...rows);
  const several = places.length > 1 && places.every((p) => p.notation);
  return several ? element("div", {}, element("p", { role: "status" }, settings.words.several), list) : list;
}

export function rowList(rows: FoundRow[], settings: Settings): HTMLElement {
  if (!rows.length) return element("p", {}, settings.words.nothing);
  return element("div", {}, ...rows.map((row) => oneRow(row, settings)));
}

/** History of the patch, projects of the library in its village, and its alarms. */
export function hereList(known: Here, settings: Settings): HTMLElement | null {
  const { words, language } = settings;
  const zh = language === "zh";
  const parts: HTMLElement[] = [];
  if (known.alarms.length) parts.push(element("details", { open: true }, element("summary", {}, element("strong", {}, words.alarmsHere)), element("ul", {}, ...known.alarms.map((a) => element("li", {}, `${zh ? a.zh : a.en}${a.when ? ` · ${a.when}` : ""}`)))));
  if (known.projects.length) parts.push(element("details", {}, element("summary", {}, element("strong", {}, words.projectsHere), ` ${known.projects.length}`), element("ul", {}, ...known.projects.map((p) => element("li", {}, element("a", { href: `/library/projects/${encodeURIComponent(p.project)}/` }, p.name), ` · ${zh ? p.state_zh : p.state_en}`)))));
  if (known.history.length) {
    const rows = known.history.map((h) => element("li", {}, `${words.state} ${h.number} · ${h.time.slice(0, 10)} · ${h.what}: ${zh ? h.class_zh : ""} ${h.class_code}${h.area_m2 ? `, ${areaWords(h.area_m2, settings)}` : ""}${h.measure_zh ? `, ${words.plan}: ${zh ? h.measure_zh : ""} → ${h.target_class}` : ""}`));
    parts.push(element("details", {}, element("summary", {}, element("strong", {}, words.history), ` ${known.history.length}`), element("ul", { class: "history-list" }, ...rows)));
  }
  return parts.length ? element("div", { class: "known-here" }, ...parts) : null;
}

/** Where figures come from, said below them. */
export function whyBelow(text: string, settings: Settings): HTMLElement {
  return element("details", { class: "why" }, element("summary", {}, settings.words.why), element("p", {}, text));
}

export function reportTable(report: RedLineReport, settings: Settings): HTMLElement {
  const { words } = settings;
  const head = element("tr", {}, ...[words.layer, words.rows, words.area].map((w) => element("th", { scope: "col" }, w)));
  const rows = report.layers.flatMap((layer) => coveredRows(layer, settings));
  return element("div", {}, element("p", {}, `${words.measured}: ${areaWords(report.area_m2, settings)}`), element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)), whyBelow(words.whyOverlay, settings));
}

/** How coordinates were read: notation, zone, and which number stands first. */
function readingWords(place: FoundPlace, { words }: Settings): string {
  const notations = { degrees: words.notationDegrees, dms: words.notationDms, zone: words.notationZone, plain: words.notationPlain, "": "" };
  const orders = { lon: words.orderLon, lat: words.orderLat, east: words.orderEast, north: words.orderNorth, "": "" };
  return [notations[place.notation], place.system ? `${words.zone} ${place.system}` : "", orders[place.order]].filter(Boolean).join(" · ");
}

function coveredRows(layer: Covered, settings: Settings): HTMLElement[] {
  const row = (kind: "th" | "td", text: string, count: number, areaM2: number, mark: Node | null) =>
    element("tr", { class: kind === "th" ? "whole" : "" }, element(kind, kind === "th" ? { scope: "row" } : {}, text, mark), element("td", { class: "number" }, String(count)), element("td", { class: "number" }, areaWords(areaM2, settings)));
  return [row("th", layerWord(layer, settings), layer.rows, layer.area_m2, synthetic(layer.synthetic, settings)), ...layer.groups.map((g) => row("td", g.label, g.rows, g.area_m2, null))];
}

function oneRow(row: FoundRow, settings: Settings): HTMLElement {
  const list = element("dl", { class: "facts-list" });
  for (const value of row.values) {
    list.append(element("dt", {}, settings.language === "zh" ? value.zh : value.name), element("dd", {}, valueWords(value, settings), value.meaning ? element("span", { class: "meaning" }, ` ${value.meaning}`) : null));
  }
  const page = `/layers/${encodeURIComponent(row.layer)}/${encodeURIComponent(row.key)}/`;
  const title = element("summary", {}, element("strong", {}, layerWord(row, settings)), ` ${row.key} `, synthetic(row.synthetic, settings));
  return element("details", { open: !/_plan_\d+$/.test(row.layer) }, title, list, element("a", { href: page }, settings.words.open));
}

function valueWords(value: FoundValue, settings: Settings): string {
  if (value.unit === "m2" && typeof value.value === "number") return areaWords(value.value, settings);
  const unit = settings.words[`unit-${value.unit}`] ?? value.unit;
  return `${value.value}${unit ? ` ${unit}` : ""}`;
}

/** A layer in the language of the page; in English by its name, as the legend has it. */
function layerWord({ layer, layer_zh }: { layer: string; layer_zh: string }, { language }: Settings): string {
  return language === "zh" ? layer_zh : layer.replaceAll("_", " ");
}

function synthetic(is: boolean, settings: Settings): HTMLElement | null {
  return is ? element("span", { class: "synthetic" }, settings.words.synthetic) : null;
}
