// The one map of the desk (一张图).

import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
// The build of MapLibre without inline workers: the policy of the desk forbids scripts made at run time.
import maplibregl from "maplibre-gl/dist/maplibre-gl-csp.js";
import workerUrl from "maplibre-gl/dist/maplibre-gl-csp-worker.js?url";
import type { Map as GlMap } from "maplibre-gl";
import type { FoundPlace, MapStyle, Settings, ShownLayer } from "./contract";
import { draw, prepareDrawing, showOutline, type Corner } from "./drawing";
import { element, fill } from "./elements";
import { addLayers, FIRST_SHOWN, show } from "./layers";
import { layerList, placeList, reportTable, rowList } from "./panels";
import { identify, redLine, search, styleOf } from "./server";

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
  let map: GlMap;
  try {
    map = new maplibregl.Map({
      container: canvas,
      style: { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint: { "background-color": "#eef1ee" } }] },
      localIdeographFontFamily: FONTS,
      attributionControl: false,
      maxZoom: 20,
      dragRotate: false,
      pitchWithRotate: false,
      locale: { "NavigationControl.ZoomIn": words.zoomIn, "NavigationControl.ZoomOut": words.zoomOut, "Map.Title": words.layers },
    });
  } catch {
    fill(canvas, element("p", { class: "fault", role: "alert" }, words.noWebgl));
    fill(side, sideContent(null, style));
    return;
  }
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 140 }), "bottom-right");
  map.touchZoomRotate.disableRotation();
  const box = wholeBox(style.layers);
  if (box) map.fitBounds(box, { padding: 30, duration: 0 });
  map.on("load", () => {
    addLayers(map, style);
    for (const layer of style.layers) show(map, layer, FIRST_SHOWN.has(layer.kind));
    prepareDrawing(map);
    fill(side, sideContent(map, style));
    goToHash(map);
    root.dataset.ready = "true";
  });
  map.on("click", (event) => {
    if (!drawing) void ask(event.lngLat.lng, event.lngLat.lat);
  });
  map.on("idle", () => (root.dataset.idle = "true"));
  window.addEventListener("hashchange", () => goToHash(map));
  window.addEventListener("keydown", (event) => {
    if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
      event.preventDefault();
      (document.getElementById("map-search") as HTMLInputElement | null)?.focus();
    }
  });
}

let drawing = false;

function sideContent(map: GlMap | null, style: MapStyle): HTMLElement {
  const shown = new Set(style.layers.filter((l) => FIRST_SHOWN.has(l.kind)).map((l) => l.name));
  const switched = (layer: ShownLayer, on: boolean) => {
    if (on) shown.add(layer.name);
    else shown.delete(layer.name);
    if (map) show(map, layer, on);
  };
  fill(list, layerList(style.layers, (name) => shown.has(name), switched, settings));
  const input = element("input", { id: "map-search", type: "search", autocomplete: "off", placeholder: words.searchHint, maxlength: 100 });
  const form = element("form", { class: "search", role: "search", submit: ((event: Event) => { event.preventDefault(); void find(map, input.value); }) as never },
    element("label", { for: "map-search", class: "hidden" }, words.search), input, element("button", {}, words.search));
  const tools = element("div", { class: "map-tools" });
  if (map && settings.mayOverlay) tools.append(element("button", { type: "button", id: "draw-line", click: () => void overlay(map) }, words.draw));
  return element("div", { class: "side-inner" }, form, tools, answers, element("h2", {}, words.layers), list);
}

async function ask(lon: number, lat: number): Promise<void> {
  try {
    const rows = await identify(lon, lat);
    fill(answers, title(words.here), element("p", { class: "code" }, `${lon.toFixed(6)}, ${lat.toFixed(6)}`), rowList(rows, settings));
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

function keepForm(geometry: unknown): HTMLElement {
  const input = element("input", { type: "text", id: "line-title", maxlength: 120, required: true });
  const keep = (event: Event) => {
    event.preventDefault();
    const form = document.getElementById("keep-line") as HTMLFormElement;
    (form.elements.namedItem("shape") as HTMLInputElement).value = JSON.stringify(geometry);
    (form.elements.namedItem("title") as HTMLInputElement).value = input.value;
    form.submit();
  };
  return element("form", { class: "keep", submit: keep as never }, element("label", { for: "line-title" }, words.title), input, element("button", {}, words.keep));
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
