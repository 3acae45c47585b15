// Two sides of the project over each other: swipe between them, or let them blink; changed land with what it was and is.

import type { Map as GlMap } from "maplibre-gl";
import type { Change, MapStyle, PlanChanges, Settings } from "./contract";
import { element, fill, swatch } from "./elements";
import { addChanges, addLand, addLayers, addPlanChanges, OUTLINED, removePart } from "./layers";
import { changes, planChanges, Refused, styleOf } from "./server";
import { areaWords, wanWords } from "./units";

export type Mode = "swipe" | "blink";

export interface Comparison {
  left: string;
  right: string;
  mode: Mode;
  at: number;
  diff: boolean;
}

const LAND = "side-land";
const DIFF = "side-diff";
const BLINK_MS = 900;
const STORED = /^[a-z]{2,20}_plan_\d{1,4}$/;

export const isPlan = (word: string) => word === "plan" || word.endsWith("-plan") || STORED.test(word);

/** Words of the sides that can be compared: now, plan, a kept state and its plan. */
export function sides(style: MapStyle, settings: Settings): { word: string; label: string }[] {
  const { words } = settings;
  const found = [{ word: "now", label: words.landNow }];
  if (style.layers.some((l) => l.name === "plan_parcel")) found.push({ word: "plan", label: words.landPlan });
  for (const layer of style.layers) if (STORED.test(layer.name)) found.push({ word: layer.name, label: `${words.plans} · ${layer.title}` });
  for (const state of style.states) {
    found.push({ word: String(state.number), label: `${words.landOf} ${state.number} · ${state.what}` });
    found.push({ word: `${state.number}-plan`, label: `${words.planOf} ${state.number} · ${state.what}` });
  }
  return found;
}

export class Compare {
  private readonly over = element("div", { class: "compare-over" });
  private readonly slider = element("input", { type: "range", min: 0, max: 100, step: 1, class: "compare-slider", id: "compare-slider" });
  private readonly pause = element("button", { type: "button", class: "compare-pause", id: "compare-pause" });
  private other: GlMap | null = null;
  private timer = 0;
  private turnNumber = 0;
  state: Comparison | null = null;

  constructor(
    private readonly map: GlMap,
    private readonly style: MapStyle,
    private readonly settings: Settings,
    private readonly newMap: (container: HTMLElement) => GlMap,
    private readonly told: (content: HTMLElement) => void,
    private readonly failed: (fault: unknown) => void,
  ) {
    this.slider.setAttribute("aria-label", settings.words.swipeAt);
    this.slider.addEventListener("input", () => this.swipeTo(Number(this.slider.value)));
    this.pause.addEventListener("click", () => (this.timer ? this.stopBlink() : this.startBlink()));
  }

  async open(wanted: Comparison): Promise<void> {
    this.close();
    this.state = wanted;
    const turn = this.turnNumber;
    try {
      const [left, right, plans] = await Promise.all([this.side(wanted.left), this.side(wanted.right), this.plansDiffer(wanted)]);
      const drawDiff = (map: GlMap) => (plans ? addPlanChanges(map, DIFF, wanted.left, wanted.right, plans.kinds) : addChanges(map, DIFF, wanted.left, wanted.right));
      if (turn !== this.turnNumber) return; // another comparison was asked for meanwhile
      addLand(this.map, LAND, right.layer, right.plan, this.style.pictureZoom);
      const container = this.map.getContainer();
      container.append(this.over, this.slider, this.pause);
      this.over.dataset.ready = "";
      this.other = this.newMap(this.over);
      const other = this.other;
      this.map.on("move", this.follow);
      this.map.on("resize", this.resized);
      other.on("load", () => {
        if (other !== this.other) return;
        addLayers(other, { ...this.style, layers: this.style.layers.filter((l) => OUTLINED.has(l.kind) && l.kind !== "project_area") });
        addLand(other, LAND, left.layer, left.plan, this.style.pictureZoom);
        if (wanted.diff) drawDiff(other);
        this.follow();
      });
      other.on("idle", () => (this.over.dataset.ready = "true"));
      if (wanted.diff) drawDiff(this.map);
      this.setMode(wanted.mode);
      if (plans) return this.told(planChangeTable(plans, wanted, this.settings));
      const found = await changes(wanted.left, wanted.right);
      if (turn === this.turnNumber) this.told(changeTable(found, this.settings));
    } catch (fault) {
      if (turn !== this.turnNumber) return;
      this.close();
      this.failed(fault);
    }
  }

  /** The left side over a picture of the right one, up to where the swipe stands. */
  drawOn(pen: CanvasRenderingContext2D, width: number, height: number): void {
    if (!this.other || !this.state || this.over.style.visibility === "hidden") return;
    this.other.redraw();
    const at = this.state.mode === "swipe" ? Math.round((width * this.state.at) / 100) : width;
    if (at > 0) pen.drawImage(this.other.getCanvas(), 0, 0, at, height, 0, 0, at, height);
    pen.fillStyle = "#1c2321";
    if (at < width) pen.fillRect(at - 1, 0, 3, height);
  }

  close(): void {
    this.turnNumber++;
    this.stopBlink();
    this.map.off("move", this.follow);
    this.map.off("resize", this.resized);
    this.other?.remove();
    this.other = null;
    for (const id of [LAND, DIFF]) removePart(this.map, id);
    for (const part of [this.over, this.slider, this.pause]) part.remove();
    this.over.replaceChildren();
    this.state = null;
  }

  setMode(mode: Mode): void {
    if (!this.state) return;
    this.state.mode = mode;
    this.slider.hidden = mode !== "swipe";
    this.pause.hidden = mode !== "blink";
    this.over.style.visibility = "visible";
    if (mode === "swipe") {
      this.stopBlink();
      this.swipeTo(this.state.at);
    } else {
      this.over.style.clipPath = "none";
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.stopBlink();
      else this.startBlink();
    }
  }

  private readonly follow = () => this.other?.jumpTo({ center: this.map.getCenter(), zoom: this.map.getZoom() });
  private readonly resized = () => this.other?.resize();

  private swipeTo(at: number): void {
    if (!this.state) return;
    this.state.at = at;
    this.slider.value = String(at);
    this.over.style.clipPath = `inset(0 ${100 - at}% 0 0)`;
    this.slider.style.setProperty("--at", `${at}%`);
  }

  private startBlink(): void {
    this.stopBlink();
    this.pause.textContent = this.settings.words.pause;
    this.timer = window.setInterval(() => this.turn(), BLINK_MS);
  }

  /** Paused, the same button shows the other side on each press of the arrow keys. */
  private stopBlink(): void {
    window.clearInterval(this.timer);
    this.timer = 0;
    this.pause.textContent = this.settings.words.goOn;
    this.pause.onkeydown = (event) => {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.turn();
    };
  }

  private turn(): void {
    this.over.style.visibility = this.over.style.visibility === "hidden" ? "visible" : "hidden";
  }

  /** Of two plans of the same patches, what they do differently; of other sides nothing, and then land is compared. */
  private async plansDiffer(wanted: Comparison): Promise<PlanChanges | null> {
    if (!isPlan(wanted.left) || !isPlan(wanted.right)) return null;
    try {
      return await planChanges(wanted.left, wanted.right);
    } catch (fault) {
      if (fault instanceof Refused) return null;
      throw fault;
    }
  }

  private async side(word: string) {
    const plan = isPlan(word);
    const number = /^\d+/.exec(word)?.[0];
    const style = number ? await styleOf(`/map/style.json?at=${number}`) : this.style;
    const layer = style.layers.find((l) => l.name === (STORED.test(word) ? word : plan ? "plan_parcel" : "landuse_patch"));
    if (!layer) throw new Error(this.settings.words.nothing);
    return { plan, layer };
  }
}

/** Legend of a difference with counts and areas, the sums by measure, and the way to all tables. */
export function planChangeTable(found: PlanChanges, wanted: Comparison, settings: Settings): HTMLElement {
  const { words } = settings;
  const address = (word: string) => (word === "plan" ? "plan_parcel" : word);
  const tables = element("a", { class: "button", href: `/plans/${address(wanted.left)}/to/${address(wanted.right)}/`, id: "plan-tables" }, words.excelAll);
  if (!found.patches) return element("div", {}, element("p", {}, words.unchanged), tables);
  const head = (...labels: string[]) => element("thead", {}, element("tr", {}, ...labels.map((w) => element("th", { scope: "col" }, w))));
  const row = (label: Node | string, ...cells: string[]) => element("tr", {}, element("th", { scope: "row" }, label), ...cells.map((c) => element("td", { class: "number" }, c)));
  const kinds = found.kinds.map((k) => row(element("span", {}, swatch(k.fill, k.edge, k.hatch), ` ${settings.language === "zh" ? k.zh : k.en}`), String(k.rows), areaWords(k.area_m2, settings)));
  const whole = row(words.together, String(found.patches), areaWords(found.area_m2, settings));
  whole.className = "whole";
  const measures = found.measures.map((m) => row(settings.language === "zh" ? m.zh : m.measure.replaceAll("_", " "), `${m.patches_before} → ${m.patches_after}`, `${areaWords(m.area_before_m2, settings)} → ${areaWords(m.area_after_m2, settings)}`));
  return element("div", {},
    element("table", { class: "changed plan-kinds" }, head(words.kindOfChange, words.rows, words.area), element("tbody", {}, ...kinds, whole)),
    element("p", {}, `${words.costChange}: ${wanWords(found.cost_change_yuan, settings)}`),
    element("details", {}, element("summary", {}, words.measureWord), element("table", { class: "changed" }, head(words.measureWord, `${words.leaves} → ${words.enters}`, words.area), element("tbody", {}, ...measures))),
    element("details", { class: "why" }, element("summary", {}, words.why), element("p", {}, words.whyPlans)),
    element("p", {}, tables));
}

export function changeTable(rows: Change[], settings: Settings): HTMLElement {
  const { words } = settings;
  if (!rows.length) return element("p", {}, words.unchanged);
  const name = (code: string, zh: string) => (code ? `${settings.language === "zh" ? zh : ""}${settings.language === "zh" ? `(${code})` : `${code} ${zh}`}` : words.none);
  const line = (c: Change) =>
    element("tr", {}, element("th", { scope: "row" }, `${name(c.before, c.before_zh)} → ${name(c.after, c.after_zh)}`), element("td", { class: "number" }, String(c.rows)), element("td", { class: "number" }, areaWords(c.area_m2, settings)));
  const head = element("tr", {}, ...[words.changed, words.rows, words.area].map((w) => element("th", { scope: "col" }, w)));
  return element("table", { class: "changed" }, element("thead", {}, head), element("tbody", {}, ...rows.map(line)), element("caption", { class: "why" }, words.whyChanges));
}

export function compareForm(style: MapStyle, settings: Settings, start: Comparison, go: (wanted: Comparison) => void, mode: (mode: Mode) => void): HTMLElement {
  const { words } = settings;
  const choices = sides(style, settings);
  const choose = (id: string, label: string, value: string) => {
    const select = element("select", { id }, ...choices.map((c) => element("option", { value: c.word, selected: c.word === value }, c.label)));
    return { select, row: element("p", { class: "field" }, element("label", { for: id }, label), " ", select) };
  };
  const left = choose("compare-left", words.left, start.left);
  const right = choose("compare-right", words.right, start.right);
  const diff = element("input", { type: "checkbox", id: "compare-diff" });
  diff.checked = start.diff;
  const now = { ...start };
  const again = () => go({ ...now, left: left.select.value, right: right.select.value, diff: diff.checked });
  const buttons = (["swipe", "blink"] as const).map((m) => {
    const button = element("button", { type: "button", id: `compare-${m}`, "aria-pressed": String(start.mode === m) }, words[m]);
    button.addEventListener("click", () => {
      now.mode = m;
      for (const b of buttons) b.setAttribute("aria-pressed", String(b === button));
      mode(m);
    });
    return button;
  });
  for (const input of [left.select, right.select, diff]) input.addEventListener("change", again);
  const box = element("div", { class: "compare-form" });
  fill(box, left.row, right.row, element("p", {}, ...buttons), element("p", {}, diff, " ", element("label", { for: "compare-diff" }, words.showChanges)));
  return box;
}
