// Draw one outline or line: a click adds a corner, a double click or Enter ends, Backspace takes one back, Esc stops.
// With the keyboard alone: the arrows move the map, the space bar sets a corner in its middle.

import type { GeoJSONSource, Map as GlMap, MapMouseEvent } from "maplibre-gl";

export type Corner = [number, number];
const SOURCE = "red-line";

export function prepareDrawing(map: GlMap): void {
  map.addSource(SOURCE, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({ id: `${SOURCE}|fill`, type: "fill", source: SOURCE, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#d0021b", "fill-opacity": 0.12 } });
  map.addLayer({ id: `${SOURCE}|edge`, type: "line", source: SOURCE, paint: { "line-color": "#d0021b", "line-width": 2.5 } });
  map.addLayer({ id: `${SOURCE}|corner`, type: "circle", source: SOURCE, filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 4, "circle-color": "#fff", "circle-stroke-color": "#d0021b", "circle-stroke-width": 2 } });
}

export function showOutline(map: GlMap, corners: Corner[], closed: boolean): void {
  const shape = closed ? { type: "Polygon", coordinates: [[...corners, corners[0]]] } : { type: "LineString", coordinates: corners };
  const points = closed ? [] : corners.map((c) => ({ type: "Point", coordinates: c }));
  const features = [...(corners.length > 1 ? [shape] : []), ...points].map((geometry) => ({ type: "Feature", properties: {}, geometry }));
  (map.getSource(SOURCE) as GeoJSONSource).setData({ type: "FeatureCollection", features } as never);
}

/** A polygon of the server as the red line. */
export function showGeometry(map: GlMap, geometry: unknown): void {
  (map.getSource(SOURCE) as GeoJSONSource).setData({ type: "Feature", properties: {}, geometry } as never);
}

export interface Drawing {
  /** Fewest corners: 3 closes an outline, 2 ends a line. */
  least: 2 | 3;
  changed?: (corners: Corner[]) => void;
}

/** Resolves with the corners, or with nothing where the person stopped. */
export function draw(map: GlMap, { least, changed }: Drawing = { least: 3 }): Promise<Corner[] | null> {
  const corners: Corner[] = [];
  map.doubleClickZoom.disable();
  map.getCanvas().style.cursor = "crosshair";
  map.getCanvas().focus();
  showOutline(map, corners, false);
  return new Promise((resolve) => {
    const end = (result: Corner[] | null) => {
      map.off("click", add);
      map.off("dblclick", close);
      window.removeEventListener("keydown", key, true);
      map.getCanvas().style.cursor = "";
      setTimeout(() => map.doubleClickZoom.enable(), 300);
      showOutline(map, result ?? [], result !== null && least === 3);
      resolve(result);
    };
    const moved = () => {
      showOutline(map, corners, false);
      changed?.(corners);
    };
    const put = (at: Corner) => {
      const last = corners[corners.length - 1];
      if (last && last[0] === at[0] && last[1] === at[1]) return;
      corners.push(at);
      moved();
    };
    const add = (event: MapMouseEvent) => put([event.lngLat.lng, event.lngLat.lat]);
    const close = (event?: MapMouseEvent) => {
      event?.preventDefault();
      if (corners.length >= least) end(corners);
    };
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") end(null);
      else if (event.key === "Enter") close();
      else if (event.key === "Backspace") {
        corners.pop();
        moved();
      } else if (event.key === " " && document.activeElement === map.getCanvas()) put(map.getCenter().toArray() as Corner);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    map.on("click", add);
    map.on("dblclick", close);
    window.addEventListener("keydown", key, true);
  });
}
