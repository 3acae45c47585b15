// Layers of the project as MapLibre draws them: vectors from near, a picture of the classes from afar, one visibility switch.

import type { AddLayerObject, DataDrivenPropertyValueSpecification, Map as GlMap } from "maplibre-gl";
import type { MapStyle, ShownLayer } from "./contract";
import { hatchImage } from "./hatches";

const PT = 1.33;
const OUTLINED = new Set(["basic_farmland", "eco_redline", "urban_boundary", "village", "project_area"]);
export const FIRST_SHOWN = new Set(["landuse_patch", "basic_farmland", "eco_redline", "urban_boundary", "village"]);

export function addLayers(map: GlMap, style: MapStyle): void {
  for (const layer of [...style.layers].sort((a, b) => drawOrder(a) - drawOrder(b))) addLayer(map, layer, style.pictureZoom);
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
  const address = (ending: string) => `${location.origin}/tiles/${layer.version}/${encodeURIComponent(name)}/{z}/{x}/{y}.${ending}`;
  const from = layer.picture ? pictureZoom + 1 : 4;
  map.addSource(name, { type: "vector", tiles: [address("mvt")], minzoom: from, maxzoom: 18, bounds: layer.box });
  const put = (part: string, options: Record<string, unknown>) =>
    map.addLayer({ id: `${name}|${part}`, source: name, "source-layer": name, minzoom: layer.picture ? from : 0, ...options } as AddLayerObject);
  if (layer.picture) {
    map.addSource(`${name}-picture`, { type: "raster", tiles: [address("png")], tileSize: 256, minzoom: 4, maxzoom: pictureZoom, bounds: layer.box });
    map.addLayer({ id: `${name}|picture`, type: "raster", source: `${name}-picture`, maxzoom: from, paint: { "raster-resampling": "nearest", "raster-opacity": 0.9, "raster-fade-duration": 0 } });
  }
  if (layer.geometry === 1) {
    put("circle", { type: "circle", paint: { "circle-radius": 5, "circle-color": layer.single.fill || layer.single.edge, "circle-stroke-color": "#fff", "circle-stroke-width": 1.5 } });
  } else if (layer.geometry === 2) {
    put("line", { type: "line", paint: { "line-color": colourBy(layer, "edge"), "line-width": 2 } });
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
  if (layer.column) put("fill", { type: "fill", paint: { "fill-color": colourBy(layer, "fill"), "fill-opacity": 0.9, "fill-antialias": false } });
  else if (single.fill) put("fill", { type: "fill", paint: { "fill-color": single.fill, "fill-opacity": outlined ? 0.25 : 0.7 } });
  if (!layer.column && single.hatch) {
    const image = `hatch-${layer.name}`;
    map.addImage(image, hatchImage(single.hatch, single.edge));
    put("hatch", { type: "fill", paint: { "fill-pattern": image, "fill-opacity": 0.8 } });
  }
  const width = outlined ? Math.max(1, single.width * 2 * PT) : 0.5;
  put("edge", { type: "line", ...(layer.picture && !outlined ? { minzoom: 14 } : {}), paint: { "line-color": outlined ? single.edge : "#77776f", "line-width": width } });
}

function colourBy(layer: ShownLayer, part: "fill" | "edge"): DataDrivenPropertyValueSpecification<string> {
  const pairs = layer.symbols.flatMap((s) => [s.value, s[part] || "#d9d9d9"]);
  const other = layer.single[part] || "#d9d9d9";
  return pairs.length ? (["match", ["get", "c"], ...pairs, other] as unknown as DataDrivenPropertyValueSpecification<string>) : other;
}
