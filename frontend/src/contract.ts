// What the server tells the map: the shapes of map/style.json, of the settings in the page, and of the answers of /api.

export interface ClassSymbol {
  value: string;
  label: string;
  fill: string;
  edge: string;
  hatch: string;
}

export interface ShownLayer {
  name: string;
  title: string;
  subject: string;
  rank: number;
  kind: string;
  geometry: 1 | 2 | 3;
  version: string;
  picture: boolean;
  column: string;
  label: string;
  symbols: ClassSymbol[];
  single: { label: string; fill: string; edge: string; width: number; hatch: string };
  box: [number, number, number, number];
  synthetic: boolean;
  vintage: string;
  source: string;
}

export interface MapStyle {
  layers: ShownLayer[];
  pictureZoom: number;
}

export type UnitName = "mu" | "ha" | "m2";

export interface Settings {
  language: "zh" | "en";
  unit: UnitName;
  mayOverlay: boolean;
  words: Record<string, string>;
  units: Record<UnitName, string>;
}

export interface FoundValue {
  name: string;
  zh: string;
  value: unknown;
  unit: string;
  meaning: string;
}

export interface FoundRow {
  layer: string;
  layer_zh: string;
  row: number;
  key: string;
  synthetic: boolean;
  values: FoundValue[];
}

export interface FoundPlace {
  layer: string;
  layer_zh: string;
  row: number;
  key: string;
  text: string;
  lon: number;
  lat: number;
  box: [number, number, number, number];
}

export interface Covered {
  layer: string;
  layer_zh: string;
  rows: number;
  area_m2: number;
  groups: { value: string; label: string; rows: number; area_m2: number }[];
  synthetic: boolean;
}

export interface RedLineReport {
  area_m2: number;
  vertices: number;
  layers: Covered[];
}
