// The one map of the desk (一张图).

import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
// The build of MapLibre without inline workers: the policy of the desk forbids scripts made at run time.
import maplibregl from "maplibre-gl/dist/maplibre-gl-csp.js";
import workerUrl from "maplibre-gl/dist/maplibre-gl-csp-worker.js?url";
import type { Map as GlMap } from "maplibre-gl";
import type { FoundPlace, MapStyle, Settings, ShownLayer, ShownRaster } from "./contract";
import { draw, prepareDrawing, showGeometry, showOutline, type Corner } from "./drawing";
import { Compare, changeTable, compareForm, sides, type Comparison } from "./compare";
import { element, fill } from "./elements";
import { addLayers, FIRST_SHOWN, refresh, show } from "./layers";
import { hereList, layerList, placeList, reportTable, rowList, whyBelow } from "./panels";
import { HandEditing } from "./variants";
import { rasterList, showRaster } from "./rasters";
import { changes, here, identify, lineShape, measure, redLine, search, styleOf } from "./server";
import { read, written } from "./share";
import { areaInAll, lengthWords } from "./units";

const FONTS = '"Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif';

const root = document.getElementById("desk-map") as HTMLElement;
const settings = JSON.parse((document.getElementById("desk-settings") as HTMLElement).textContent ?? "{}") as Settings;
const { words } = settings;

const canvas = element("div", { class: "canvas", role: "region", "aria-label": words.layers });
const answers = element("div", { class: "answers", role: "region", "aria-live": "polite", "aria-label": words.here, tabindex: 0 });
const list = element("div", { class: "list", tabindex: 0, role: "region", "aria-label": words.layers });
const side = element("div", { class: "side" });
root.append(side, canvas);

void start();

async function start(): Promise<void> {
  maplibregl.setWorkerUrl(workerUrl);
  let style: MapStyle;
  try {
    style = await styleOf(root.dataset.style as string);
  } catch (fault) {
    return failed(fault);
  }
  styleNow = style;
  let map: GlMap;
  try {
    map = newMap(canvas, true);
  } catch {
    fill(canvas, element("p", { class: "fault", role: "alert" }, words.noWebgl));
    fill(side, sideContent(null, style));
    return;
  }
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 140 }), "bottom-right");
  map.touchZoomRotate.disableRotation();
  const asked = read(location.hash);
  const box = wholeBox(style.layers);
  if (asked.view) map.jumpTo({ center: [asked.view[0], asked.view[1]], zoom: asked.view[2] });
  else if (box) map.fitBounds(box, { padding: 30, duration: 0 });
  map.on("load", () => {
    addLayers(map, style);
    if (asked.layers) for (const name of (shown.clear(), asked.layers)) if (style.layers.some((l) => l.name === name)) shown.add(name);
    if (!asked.layers) for (const layer of style.layers) if (FIRST_SHOWN.has(layer.kind)) shown.add(layer.name);
    for (const name of asked.rasters ?? []) if (style.rasters.some((r) => r.name === name)) rastersShown.add(name);
    for (const layer of style.layers) show(map, layer, shown.has(layer.name));
    prepareDrawing(map);
    compare = new Compare(map, style, settings, (container) => newMap(container, false), (told) => fill(compareTold, told), failed);
    if (settings.mayEdit && style.layers.some((l) => l.kind === "plan_parcel")) editing = new HandEditing(map, style, settings, (plan) => planShown(map, style, plan), (is) => (drawing = is), (from, name) => variantKept(map, style, from, name), failed);
    fill(side, sideContent(map, style));
    if (shown.size < (asked.layers ?? []).length || rastersShown.size < (asked.rasters ?? []).length) fill(answers, element("p", { role: "status", class: "note" }, words.lost));
    if (asked.compare) openCompare(style, asked.compare);
    goToHash(map);
    root.dataset.ready = "true";
  });
  map.on("click", (event) => {
    if (drawing) return;
    if (editing?.on) void editing.at(event.lngLat.lng, event.lngLat.lat);
    else void ask(event.lngLat.lng, event.lngLat.lat);
  });
  map.on("idle", () => (root.dataset.idle = "true"));
  window.addEventListener("beforeprint", () => printed(map));
  window.addEventListener("afterprint", () => canvas.querySelector(".print-picture")?.remove());
  window.addEventListener("hashchange", () => goToHash(map));
  window.addEventListener("keydown", (event) => {
    if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
      event.preventDefault();
      (document.getElementById("map-search") as HTMLInputElement | null)?.focus();
    }
  });
}

let drawing = false;
let compare: Compare | null = null;
let editing: HandEditing | null = null;
const shown = new Set<string>();
const rastersShown = new Set<string>();
const compareTold = element("div", { class: "compare-told", tabindex: 0, role: "region", "aria-live": "polite", "aria-label": words.changed });

let layerRows: (style: MapStyle) => HTMLElement = () => element("div");
let styleNow: MapStyle | null = null;

function newMap(container: HTMLElement, interactive: boolean): GlMap {
  return new maplibregl.Map({
    container,
    interactive,
    style: { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": "#eef1ee" } }] },
    localIdeographFontFamily: FONTS,
    attributionControl: false,
    maxZoom: 20,
    dragRotate: false,
    pitchWithRotate: false,
    locale: { "NavigationControl.ZoomIn": words.zoomIn, "NavigationControl.ZoomOut": words.zoomOut, "Map.Title": words.layers },
  });
}

function sideContent(map: GlMap | null, style: MapStyle): HTMLElement {
  const switched = (layer: ShownLayer, on: boolean) => {
    if (on) shown.add(layer.name);
    else shown.delete(layer.name);
    if (map) show(map, layer, on);
  };
  const switchedRaster = async (raster: ShownRaster, on: boolean) => {
    if (on) rastersShown.add(raster.name);
    else rastersShown.delete(raster.name);
    try {
      return map ? await showRaster(map, raster, on) : null;
    } catch (fault) {
      failed(fault);
      return null;
    }
  };
  layerRows = (style) => element("div", {}, layerList(style.layers, (name) => shown.has(name), switched, settings), rasterList(style.rasters, (name) => rastersShown.has(name), switchedRaster, settings));
  fill(list, layerRows(style));
  const input = element("input", { id: "map-search", type: "search", autocomplete: "off", placeholder: words.searchHint, maxlength: 100 });
  const form = element("form", { class: "search", role: "search", submit: ((event: Event) => { event.preventDefault(); void find(map, input.value); }) as never },
    element("label", { for: "map-search", class: "hidden" }, words.search), input, element("button", {}, words.search));
  const tools = element("div", { class: "map-tools" });
  const tool = (id: string, text: string, act: () => void) => tools.append(element("button", { type: "button", id, click: act }, text));
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", words.tools);
  if (map && settings.mayOverlay) tool("draw-line", words.draw, () => void overlay(map));
  if (settings.mayOverlay) tool("upload-line", words.uploadLine, uploadForm);
  if (map) {
    tool("measure-length", words.measureLength, () => void measured(map, 2));
    tool("measure-area", words.measureArea, () => void measured(map, 3));
    if (style.layers.some((l) => l.name === "landuse_patch") && sides(style, settings).length > 1) tool("compare", words.compare, () => openCompare(style, first(style)));
    if (editing) tool("edit-plans", words.editPlan, () => openEditing("plan_parcel"));
    if (settings.mayOverlay) tool("print", words.print, () => printForm(map));
    tool("share", words.share, () => share(map));
  }
  if (settings.mayRun) tools.append(element("a", { class: "button", href: "/undo/", id: "undo" }, words.undo));
  return element("div", { class: "side-inner" }, form, tools, answers, element("h2", {}, words.layers), list);
}

async function ask(lon: number, lat: number): Promise<void> {
  try {
    const on = compare?.state;
    const [rows, changed, known] = await Promise.all([identify(lon, lat), on ? changes(on.left, on.right, [lon, lat]) : null, here(lon, lat)]);
    fill(answers, title(words.here), element("p", { class: "code" }, `${lon.toFixed(6)}, ${lat.toFixed(6)}`), changed && changeTable(changed, settings), hereList(known, settings), rowList(rows, settings), rows.length ? whyBelow(words.whyValues, settings) : null);
  } catch (fault) {
    failed(fault);
  }
}

async function find(map: GlMap | null, asked: string): Promise<void> {
  if (!asked.trim()) return;
  try {
    const places = await search(asked);
    fill(answers, title(words.search), placeList(places, (p) => goTo(map, p), settings));
    if (places.length === 1) goTo(map, places[0]);
  } catch (fault) {
    failed(fault);
  }
}

function goTo(map: GlMap | null, place: FoundPlace): void {
  map?.fitBounds(place.box, { padding: 80, maxZoom: 17, duration: 0 });
  void ask(place.lon, place.lat);
}

async function overlay(map: GlMap): Promise<void> {
  drawing = true;
  fill(answers, title(words.draw), element("p", { role: "status" }, words.drawing));
  const corners = await draw(map);
  setTimeout(() => (drawing = false), 350);
  if (!corners) return fill(answers);
  try {
    const geometry = { type: "Polygon", coordinates: [[...corners, corners[0]] as Corner[]] };
    const report = await redLine(geometry);
    fill(answers, title(words.report, () => showOutline(map, [], false)), keepForm(geometry), reportTable(report, settings));
  } catch (fault) {
    failed(fault);
  }
}

/** A length or an area while it is drawn, asked of the server after each corner. */
async function measured(map: GlMap, least: 2 | 3): Promise<void> {
  drawing = true;
  const told = element("p", { id: "measured", class: "measured" });
  fill(answers, title(least === 2 ? words.measureLength : words.measureArea, () => showOutline(map, [], false)), element("p", { role: "status" }, words.drawing), told, whyBelow(words.whyMeasure, settings));
  let last = 0;
  const tell = async (corners: Corner[]) => {
    const turn = ++last;
    if (corners.length < least) return fill(told);
    try {
      const found = await measure(least === 3 ? { type: "Polygon", coordinates: [[...corners, corners[0]]] } : { type: "LineString", coordinates: corners });
      if (turn !== last) return;
      const area = found.crosses ? words.crosses : `${words.measured}: ${areaInAll(found.area_m2, settings)}`;
      fill(told, ...(least === 3 ? [area, element("br"), `${words.outline}: ${lengthWords(found.length_m, settings)}`] : [`${words.length}: ${lengthWords(found.length_m, settings)}`]));
    } catch (fault) {
      if (turn === last) failed(fault);
    }
  };
  const corners = await draw(map, { least, changed: (c) => void tell([...c]) });
  setTimeout(() => (drawing = false), 350);
  if (!corners) fill(answers);
}

function first(style: MapStyle): Comparison {
  const words = sides(style, settings).map((s) => s.word);
  return { left: words.includes("plan") ? "now" : words[1], right: words.includes("plan") ? "plan" : "now", mode: "swipe", at: 50, diff: true };
}

function openCompare(style: MapStyle, wanted: Comparison): void {
  const go = (next: Comparison) => void compare?.open({ ...next, at: compare.state?.at ?? next.at });
  fill(answers, title(words.compare, () => compare?.close()), compareForm(style, settings, wanted, go, (mode) => compare?.setMode(mode)), compareTold);
  fill(compareTold);
  go(wanted);
}

/** The map as one picture for the printer, which cannot print what the graphics card draws; of a swipe both sides. */
function printed(map: GlMap): void {
  map.redraw();
  const from = map.getCanvas();
  const picture = element("canvas", { class: "print-picture", width: from.width, height: from.height });
  const pen = picture.getContext("2d") as CanvasRenderingContext2D;
  pen.drawImage(from, 0, 0);
  compare?.drawOn(pen, from.width, from.height);
  canvas.querySelector(".print-picture")?.remove();
  canvas.append(picture);
}

function openEditing(plan: string): void {
  if (!editing) return;
  compare?.close();
  answers.classList.add("tall");
  fill(answers, title(words.editPlan, () => (editing?.close(), answers.classList.remove("tall"))), editing.open(plan), compareTold);
  fill(compareTold);
}

/** The plan that is changed is switched on, and the plan that was changed before it is switched off. */
function planShown(map: GlMap, style: MapStyle, plan: string): void {
  for (const layer of style.layers.filter((l) => l.kind === "plan_parcel")) {
    if (layer.name === plan) shown.add(layer.name);
    else shown.delete(layer.name);
    show(map, layer, layer.name === plan);
  }
  fill(list, layerRows(style));
}

/** A plan was kept or taken back: its layer is drawn at once from live tiles, and what it changes is shown against the plan it came from. */
async function variantKept(map: GlMap, style: MapStyle, from: string, name: string): Promise<void> {
  const fresh = await styleOf(root.dataset.style as string);
  refresh(map, style, fresh);
  Object.assign(style, fresh);
  for (const layer of style.layers) show(map, layer, shown.has(layer.name));
  fill(list, layerRows(style));
  fill(compareTold);
  if (!name) return compare?.close();
  void compare?.open({ left: from === "plan_parcel" ? "plan" : from, right: name, mode: "swipe", at: 50, diff: true });
}

function uploadForm(): void {
  const token = (document.querySelector("#keep-line input[name=csrfmiddlewaretoken]") as HTMLInputElement).value;
  const files = element("input", { type: "file", id: "line-files", name: "files", multiple: true, required: true });
  const name = element("input", { type: "text", id: "line-name", name: "title", maxlength: 120 });
  fill(answers, title(words.uploadLine), element("form", { class: "keep", method: "post", action: "/lines/upload/", enctype: "multipart/form-data" },
    element("input", { type: "hidden", name: "csrfmiddlewaretoken", value: token }), element("label", { for: "line-name" }, words.title), name, element("label", { for: "line-files" }, words.files), files, element("button", { id: "line-upload" }, words.upload)));
  files.focus();
}

/** A kept red line by its number: its outline, and what lies under it. */
async function showLine(map: GlMap, number: string): Promise<void> {
  try {
    const { geometry, properties } = await lineShape(number);
    const corners: Corner[] = [];
    const gather = (part: unknown): void => {
      if (Array.isArray(part) && typeof part[0] === "number") corners.push([part[0] as number, part[1] as number]);
      else if (Array.isArray(part)) part.forEach(gather);
    };
    gather(geometry.coordinates);
    showGeometry(map, geometry);
    const most = (n: 0 | 1, pick: (...v: number[]) => number) => corners.map((c) => c[n]).reduce((a, b) => pick(a, b));
    map.fitBounds([most(0, Math.min), most(1, Math.min), most(0, Math.max), most(1, Math.max)], { padding: 60, maxZoom: 17, duration: 0 });
    const report = await redLine(geometry);
    fill(answers, title(properties.title, () => showOutline(map, [], false)), reportTable(report, settings));
  } catch (fault) {
    failed(fault);
  }
}

function printForm(map: GlMap): void {
  const paper = element("select", { id: "print-size" }, ...["A3", "A4"].map((s) => element("option", { value: s }, s)));
  const name = element("input", { type: "text", id: "print-title", maxlength: 60 });
  const block = (["number", "office", "drawn", "checked", "approved"] as const).map((key) => ({ key, input: element("input", { type: "text", id: `print-${key}`, maxlength: 40 }) }));
  const print = (event: Event) => {
    event.preventDefault();
    const form = document.getElementById("print-sheet") as HTMLFormElement;
    const box = map.getBounds();
    const values: Record<string, string | number> = { layers: [...shown].join(","), west: box.getWest(), south: box.getSouth(), east: box.getEast(), north: box.getNorth(), size: paper.value, title: name.value, ...Object.fromEntries(block.map((b) => [b.key, b.input.value])) };
    for (const [key, value] of Object.entries(values)) (form.elements.namedItem(key) as HTMLInputElement).value = String(value);
    form.submit();
  };
  fill(answers, title(words.print), element("form", { class: "keep", submit: print as never }, element("label", { for: "print-title" }, words.sheetTitle), name, element("label", { for: "print-size" }, words.paper), paper,
    element("details", { class: "title-block" }, element("summary", {}, words.titleBlock), ...block.map((b) => element("p", { class: "field" }, element("label", { for: `print-${b.key}` }, words[b.key]), b.input))), element("button", { id: "print-go" }, words.print)));
  name.focus();
}

function share(map: GlMap): void {
  const at = map.getCenter();
  const hash = written({ view: [at.lng, at.lat, map.getZoom()], layers: [...shown], rasters: [...rastersShown], compare: compare?.state ?? undefined });
  history.replaceState(null, "", hash);
  const field = element("input", { type: "text", id: "share-link", readonly: true, value: location.href });
  const told = element("p", { role: "status" });
  fill(answers, title(words.share), element("label", { for: "share-link" }, words.link), field, told);
  field.focus();
  field.select();
  navigator.clipboard?.writeText(location.href).then(() => fill(told, words.copied), () => undefined);
}

function keepForm(geometry: unknown): HTMLElement {
  const input = element("input", { type: "text", id: "line-title", maxlength: 120, required: true });
  const send = (address: string) => {
    const form = document.getElementById("keep-line") as HTMLFormElement;
    (form.elements.namedItem("shape") as HTMLInputElement).value = JSON.stringify(geometry);
    (form.elements.namedItem("title") as HTMLInputElement).value = input.value;
    form.action = address;
    form.submit();
  };
  const keep = (event: Event) => {
    event.preventDefault();
    send("/lines/");
  };
  const excel = element("button", { type: "button", id: "line-excel", click: (() => send("/lines/overlay.xlsx")) as never, title: words.excelUnkept, "aria-label": words.excelUnkept }, "Excel");
  return element("form", { class: "keep", submit: keep as never }, element("label", { for: "line-title" }, words.title), input, element("button", {}, words.keep), excel);
}

function title(text: string, closed: () => void = () => undefined): HTMLElement {
  const close = () => {
    fill(answers);
    closed();
  };
  return element("div", { class: "answers-title" }, element("h2", {}, text), element("button", { type: "button", click: close }, words.close));
}

function failed(fault: unknown): void {
  if (!side.hasChildNodes()) side.append(answers);
  fill(answers, element("p", { class: "fault", role: "alert" }, `${words.failed} ${fault instanceof Error ? fault.message : String(fault)}`));
}

/** An address such as #place=117.25,28.01,16 shows a place: links can be shared. */
function goToHash(map: GlMap): void {
  const line = /line=([0-9a-f-]{36})/.exec(location.hash);
  if (line) void showLine(map, line[1]);
  const plan = /edit=([a-z_0-9]+)/.exec(location.hash);
  if (plan && editing) openEditing(plan[1]);
  else if (plan) for (const l of styleNow?.layers ?? []) if (l.name === plan[1]) show(map, l, true);
  const found = /place=(-?[\d.]+),(-?[\d.]+)(?:,([\d.]+))?/.exec(location.hash);
  if (!found) return;
  const [lon, lat, zoom] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 16)];
  map.jumpTo({ center: [lon, lat], zoom });
  void ask(lon, lat);
}

function wholeBox(layers: ShownLayer[]): [number, number, number, number] | null {
  const chosen = layers.filter((l) => FIRST_SHOWN.has(l.kind));
  const boxes = (chosen.length ? chosen : layers).map((l) => l.box);
  if (!boxes.length) return null;
  const most = (n: number, pick: (...v: number[]) => number) => pick(...boxes.map((b) => b[n]));
  return [most(0, Math.min), most(1, Math.min), most(2, Math.max), most(3, Math.max)];
}
