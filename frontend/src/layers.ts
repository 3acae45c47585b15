// Layers of the project as MapLibre draws them: vectors from near, a picture of the classes from afar, one visibility switch.

import type { AddLayerObject, DataDrivenPropertyValueSpecification, Map as GlMap } from "maplibre-gl";
import type { ClassSymbol, MapStyle, PlanChanges, ShownLayer } from "./contract";
import { hatchImage } from "./hatches";

const PT = 1.33;
export const OUTLINED = new Set(["basic_farmland", "eco_redline", "urban_boundary", "village", "project_area"]);
export const FIRST_SHOWN = new Set(["landuse_patch", "basic_farmland", "eco_redline", "urban_boundary", "village"]);

export function addLayers(map: GlMap, style: MapStyle): void {
  for (const layer of [...style.layers].sort((a, b) => drawOrder(a) - drawOrder(b))) addLayer(map, layer, style.pictureZoom);
}

/** Layers that came, went or changed since the map was made; the others stay as they are. */
export function refresh(map: GlMap, old: MapStyle, fresh: MapStyle): void {
  const version = new Map(fresh.layers.map((l) => [l.name, l.version]));
  const gone = old.layers.filter((l) => version.get(l.name) !== l.version);
  for (const layer of gone) removePart(map, layer.name);
  const kept = new Set(old.layers.filter((l) => !gone.includes(l)).map((l) => l.name));
  const added = fresh.layers.filter((l) => !kept.has(l.name));
  addLayers(map, { ...fresh, layers: added });
  const above = map.getLayersOrder().find((n) => OUTLINED.has(n.split("|")[0]));
  if (above) for (const layer of added.filter((l) => !OUTLINED.has(l.kind))) for (const part of partsOf(map, layer.name)) map.moveLayer(part, above);
}

export function show(map: GlMap, layer: ShownLayer, visible: boolean): void {
  for (const part of partsOf(map, layer.name)) map.setLayoutProperty(part, "visibility", visible ? "visible" : "none");
}

/** Land use and plans lie below, lines of control and villages above. */
function drawOrder(layer: ShownLayer): number {
  if (layer.kind === "landuse_patch") return 0;
  if (layer.kind === "village") return 90;
  return OUTLINED.has(layer.kind) ? 50 + layer.rank : 10 + layer.rank;
}

function partsOf(map: GlMap, name: string): string[] {
  return map.getLayersOrder().filter((id) => id.split("|")[0] === name);
}

function addLayer(map: GlMap, layer: ShownLayer, pictureZoom: number): void {
  const { name } = layer;
  const from = layer.picture ? pictureZoom + 1 : 4;
  map.addSource(name, { type: "vector", tiles: [tileAddress(layer, "mvt")], minzoom: from, maxzoom: 18, bounds: layer.box });
  const put = (part: string, options: Record<string, unknown>) =>
    map.addLayer({ id: `${name}|${part}`, source: name, "source-layer": name, minzoom: layer.picture ? from : 0, ...options } as AddLayerObject);
  if (layer.picture) {
    map.addSource(`${name}-picture`, { type: "raster", tiles: [tileAddress(layer, "png")], tileSize: 256, minzoom: 4, maxzoom: pictureZoom, bounds: layer.box });
    map.addLayer({ id: `${name}|picture`, type: "raster", source: `${name}-picture`, maxzoom: from, paint: { "raster-resampling": "nearest", "raster-opacity": 0.9, "raster-fade-duration": 0 } });
  }
  if (layer.geometry === 1) {
    put("circle", { type: "circle", paint: { "circle-radius": 5, "circle-color": layer.single.fill || layer.single.edge, "circle-stroke-color": "#fff", "circle-stroke-width": 1.5 } });
  } else if (layer.geometry === 2) {
    put("line", { type: "line", paint: { "line-color": colourBy(layer.symbols, layer, "edge", "c"), "line-width": 2 } });
  } else {
    addPolygons(map, layer, put);
  }
  if (layer.label) {
    put("label", {
      type: "symbol",
      layout: { "text-field": ["get", "n"], "text-size": 14, "text-font": ["qianmo"], "text-max-width": 8 },
      paint: { "text-color": "#1c2321", "text-halo-color": "#fff", "text-halo-width": 2 },
    });
  }
}

function addPolygons(map: GlMap, layer: ShownLayer, put: (part: string, options: Record<string, unknown>) => void): void {
  const outlined = OUTLINED.has(layer.kind);
  const { single } = layer;
  if (layer.column) put("fill", { type: "fill", paint: { "fill-color": colourBy(layer.symbols, layer, "fill", "c"), "fill-opacity": 0.9, "fill-antialias": false } });
  else if (single.fill) put("fill", { type: "fill", paint: { "fill-color": single.fill, "fill-opacity": outlined ? 0.25 : 0.7 } });
  if (!layer.column && single.hatch) {
    const image = `hatch-${layer.name}`;
    map.addImage(image, hatchImage(single.hatch, single.edge));
    put("hatch", { type: "fill", paint: { "fill-pattern": image, "fill-opacity": 0.8 } });
  }
  const width = outlined ? Math.max(1, single.width * 2 * PT) : 0.5;
  put("edge", { type: "line", ...(layer.picture && !outlined ? { minzoom: 14 } : {}), paint: { "line-color": outlined ? single.edge : "#77776f", "line-width": width } });
}

/** Classes of land of one side of a comparison: present use, or what the plan aims at. Drawn below the lines of control. */
export function addLand(map: GlMap, id: string, layer: ShownLayer, plan: boolean, pictureZoom: number): void {
  const from = layer.picture ? pictureZoom + 1 : 4;
  const above = map.getLayersOrder().find((n) => n.startsWith("basic_farmland|") || n.startsWith("eco_redline|") || n.startsWith("urban_boundary|") || n.startsWith("village|"));
  map.addSource(id, { type: "vector", tiles: [tileAddress(layer, "mvt")], minzoom: from, maxzoom: 18, bounds: layer.box });
  if (layer.picture) {
    map.addSource(`${id}-picture`, { type: "raster", tiles: [tileAddress(layer, plan ? "png?after=1" : "png")], tileSize: 256, minzoom: 4, maxzoom: pictureZoom, bounds: layer.box });
    map.addLayer({ id: `${id}|picture`, type: "raster", source: `${id}-picture`, maxzoom: from, paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 } }, above);
  }
  const colour = plan ? colourBy(layer.afterSymbols, layer, "fill", "a") : colourBy(layer.symbols, layer, "fill", "c");
  const paint = { "fill-color": colour, "fill-antialias": false };
  map.addLayer({ id: `${id}|fill`, type: "fill", source: id, "source-layer": layer.name, minzoom: layer.picture ? from : 0, paint }, above);
  map.addLayer({ id: `${id}|edge`, type: "line", source: id, "source-layer": layer.name, minzoom: 14, paint: { "line-color": "#77776f", "line-width": 0.5 } }, above);
}

/** Patches whose class differs between the two sides. */
export function addChanges(map: GlMap, id: string, left: string, right: string): void {
  map.addSource(id, { type: "vector", tiles: [`${location.origin}/tiles/changes/${left}/${right}/{z}/{x}/{y}.mvt`], minzoom: 6, maxzoom: 18 });
  map.addLayer({ id: `${id}|fill`, type: "fill", source: id, "source-layer": "changes", paint: { "fill-color": "#d0021b", "fill-opacity": 0.18 } });
  map.addLayer({ id: `${id}|edge`, type: "line", source: id, "source-layer": "changes", paint: { "line-color": "#d0021b", "line-width": 2 } });
}

/** Patches on which two plans differ, each kind in its colour under its hatch, so that a print in grey tells them apart. */
export function addPlanChanges(map: GlMap, id: string, left: string, right: string, kinds: PlanChanges["kinds"]): void {
  map.addSource(id, { type: "vector", tiles: [`${location.origin}/tiles/plans/${left}/${right}/{z}/{x}/{y}.mvt`], minzoom: 6, maxzoom: 18 });
  const source = { source: id, "source-layer": "plan_changes" };
  for (const kind of kinds) {
    const image = `plan-change-${kind.code}`;
    if (!map.hasImage(image)) map.addImage(image, hatchImage(kind.hatch, kind.edge));
    const filter = ["==", ["get", "c"], kind.code] as never;
    map.addLayer({ id: `${id}|fill-${kind.code}`, type: "fill", ...source, filter, paint: { "fill-color": kind.fill, "fill-opacity": 0.35 } });
    map.addLayer({ id: `${id}|hatch-${kind.code}`, type: "fill", ...source, filter, paint: { "fill-pattern": image, "fill-opacity": 0.9 } });
    map.addLayer({ id: `${id}|edge-${kind.code}`, type: "line", ...source, filter, paint: { "line-color": kind.edge, "line-width": 1.5 } });
  }
}

export function removePart(map: GlMap, id: string): void {
  for (const part of partsOf(map, id)) map.removeLayer(part);
  for (const source of [id, `${id}-picture`]) if (map.getSource(source)) map.removeSource(source);
}

function tileAddress(layer: ShownLayer, ending: string): string {
  return `${location.origin}/tiles/${layer.version}/${encodeURIComponent(layer.name)}/{z}/{x}/{y}.${ending}`;
}

function colourBy(symbols: ClassSymbol[], layer: ShownLayer, part: "fill" | "edge", property: "c" | "a"): DataDrivenPropertyValueSpecification<string> {
  const pairs = symbols.flatMap((s) => [s.value, s[part] || "#d9d9d9"]);
  const other = layer.single[part] || "#d9d9d9";
  return pairs.length ? (["match", ["get", property], ...pairs, other] as unknown as DataDrivenPropertyValueSpecification<string>) : other;
}
