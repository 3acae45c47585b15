// The state of the map as the part of an address behind #: where it stands, what is shown, what is compared. Rights are those
// of who opens it: the server names only layers the person may see, and what is not among them is left out and said.

import type { Comparison, Mode } from "./compare";

export interface MapState {
  view?: [number, number, number];
  layers?: string[];
  rasters?: string[];
  compare?: Comparison;
}

export function written(state: MapState): string {
  const parts: string[] = [];
  if (state.view) parts.push(`view=${state.view[0].toFixed(6)},${state.view[1].toFixed(6)},${state.view[2].toFixed(2)}`);
  if (state.layers) parts.push(`layers=${state.layers.map(encodeURIComponent).join(",")}`);
  if (state.rasters?.length) parts.push(`rasters=${state.rasters.map(encodeURIComponent).join(",")}`);
  const c = state.compare;
  if (c) parts.push(`compare=${[c.left, c.right, c.mode, Math.round(c.at), c.diff ? 1 : 0].join(",")}`);
  return `#${parts.join("&")}`;
}

export function read(hash: string): MapState {
  const given = new Map(hash.replace(/^#/, "").split("&").map((part) => [part.split("=")[0], part.slice(part.indexOf("=") + 1)]));
  const state: MapState = {};
  const view = (given.get("view") ?? "").split(",").map(Number);
  if (view.length === 3 && view.every(Number.isFinite) && Math.abs(view[0]) <= 180 && Math.abs(view[1]) <= 85) state.view = view as [number, number, number];
  const names = (key: string) => (given.has(key) ? (given.get(key) as string).split(",").filter(Boolean).map(safely) : undefined);
  state.layers = names("layers");
  state.rasters = names("rasters");
  const found = /^(now|plan|\d{1,8}(?:-plan)?|[a-z]{2,20}_plan_\d{1,4}),(now|plan|\d{1,8}(?:-plan)?|[a-z]{2,20}_plan_\d{1,4}),(swipe|blink),(\d{1,3}),([01])$/.exec(given.get("compare") ?? "");
  if (found) state.compare = { left: found[1], right: found[2], mode: found[3] as Mode, at: Math.min(100, Number(found[4])), diff: found[5] === "1" };
  return state;
}

function safely(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
