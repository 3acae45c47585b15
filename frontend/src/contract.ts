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
  afterSymbols: ClassSymbol[];
  single: { label: string; fill: string; edge: string; width: number; hatch: string };
  box: [number, number, number, number];
  synthetic: boolean;
  vintage: string;
  source: string;
  secrecy: string;
  stored: string;
  rows: number;
}

export interface ShownRaster {
  name: string;
  title: string;
  subject: string;
  version: string;
  synthetic: boolean;
  vintage: string;
}

export interface RasterStyle {
  box: [number, number, number, number];
  zoom: number;
  how: string;
  legend: { value: number; colour: string }[];
}

export interface KeptState {
  number: number;
  what: string;
  time: string;
}

export interface MapStyle {
  layers: ShownLayer[];
  rasters: ShownRaster[];
  pictureZoom: number;
  generation: number;
  states: KeptState[];
}

export interface Change {
  before: string;
  before_zh: string;
  after: string;
  after_zh: string;
  rows: number;
  area_m2: number;
}

export interface PlanChanges {
  patches: number;
  area_m2: number;
  cost_change_yuan: number;
  kinds: { code: string; zh: string; en: string; fill: string; edge: string; hatch: string; rows: number; area_m2: number }[];
  measures: { measure: string; zh: string; patches_before: number; area_before_m2: number; patches_after: number; area_after_m2: number }[];
}

export interface Here {
  patch: string;
  history: { number: number; what: string; time: string; user: string; class_code: string; class_zh: string; area_m2: number | null; measure_zh: string; target_class: string }[];
  projects: { project: string; name: string; state: string; state_zh: string; state_en: string }[];
  alarms: { kind: string; zh: string; en: string; when: string }[];
}

export interface ChosenPatch {
  patch: string;
  village: string;
  class_code: string;
  class_zh: string;
  measure: string;
  measure_zh: string;
  measure_en: string;
  target_class: string;
  target_zh: string;
  area_m2: number;
  shape: unknown;
}

export interface PatchOption {
  measure: string;
  measure_zh: string;
  measure_en: string;
  target_class: string;
  target_zh: string;
  patches: number;
  rules: string;
}

export interface HandEdit {
  patches: string[];
  measure: string;
  target_class: string;
}

export interface CheckedLimit {
  id: string;
  rule_id: string;
  zh: string;
  relation: string;
  bound: number;
  unit: string;
  value_before: number;
  value: number;
  over_before: number;
  over: number;
}

export interface TriedEdits {
  patches: number;
  area_m2: number;
  cost_change_yuan: number;
  objective: number;
  objective_before: number;
  statement: string;
  least_block_unchecked: boolean;
  limits: CheckedLimit[];
}

export interface Measure {
  length_m: number;
  area_m2: number;
  crosses: boolean;
}

export type UnitName = "mu" | "ha" | "m2";

export interface Settings {
  language: "zh" | "en";
  unit: UnitName;
  mayOverlay: boolean;
  mayRun: boolean;
  mayEdit: boolean;
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
  notation: "" | "degrees" | "dms" | "zone" | "plain";
  order: "" | "lon" | "lat" | "east" | "north";
  system: string;
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
