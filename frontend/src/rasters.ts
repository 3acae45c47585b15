// Rasters of the project: relief, soil loss, movement. Each is asked for when it is first switched on.

import type { Map as GlMap } from "maplibre-gl";
import type { RasterStyle, Settings, ShownRaster } from "./contract";
import { element, fill, swatch } from "./elements";
import { rasterStyle } from "./server";

export async function showRaster(map: GlMap, raster: ShownRaster, on: boolean): Promise<RasterStyle | null> {
  const id = `raster~${raster.name}`;
  if (map.getLayer(id)) {
    map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
    return null;
  }
  if (!on) return null;
  const told = await rasterStyle(raster.name);
  if (map.getLayer(id)) return told;
  const above = map.getLayersOrder().find((n) => /^(basic_farmland|eco_redline|urban_boundary|village|red-line)\|/.test(n));
  const tiles = [`${location.origin}/rasters/${raster.version}/${encodeURIComponent(raster.name)}/{z}/{x}/{y}.png`];
  map.addSource(id, { type: "raster", tiles, tileSize: 256, maxzoom: told.zoom, bounds: told.box });
  map.addLayer({ id, type: "raster", source: id, paint: { "raster-opacity": 0.8, "raster-fade-duration": 0 } }, above);
  return told;
}

export function rasterList(rasters: ShownRaster[], isShown: (name: string) => boolean, switched: (raster: ShownRaster, on: boolean) => Promise<RasterStyle | null>, settings: Settings): HTMLElement | null {
  if (!rasters.length) return null;
  const rows = rasters.map((raster) => {
    const id = `raster-${raster.name}`;
    const legend = element("ul", { class: "raster-legend" });
    const change = async () => {
      const told = await switched(raster, input.checked);
      const range = told?.how === "shade" ? [told.legend[0], told.legend[told.legend.length - 1]].map((l) => number(l.value)).join(" – ") : "";
      if (range) fill(legend, element("li", {}, `${range} ${settings.words.metre}`));
      else if (told) fill(legend, ...told.legend.map((l) => element("li", {}, swatch(l.colour, "", ""), ` ${number(l.value)}`)));
      legend.hidden = !input.checked;
    };
    const input = element("input", { type: "checkbox", id, change: (() => void change()) as never });
    input.checked = isShown(raster.name);
    if (input.checked) void change();
    return element("div", { class: "layer" }, input, " ", element("label", { for: id }, raster.title), raster.synthetic ? element("span", { class: "synthetic" }, settings.words.synthetic) : null, legend);
  });
  return element("div", {}, element("h3", {}, settings.words.rasters), ...rows);
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 4 });
}
