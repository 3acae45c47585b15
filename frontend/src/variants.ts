// A plan changed by hand: choose patches, set a measure, see at once which limit breaks and by how much, keep it as a new plan.

import type { GeoJSONSource, Map as GlMap } from "maplibre-gl";
import type { ChosenPatch, HandEdit, MapStyle, PatchOption, Settings, TriedEdits } from "./contract";
import { draw, showOutline } from "./drawing";
import { element, fill } from "./elements";
import { planCheck, planEdit, planOptions, undoLast } from "./server";
import { areaWords, wanWords } from "./units";

const SOURCE = "hand-choice";

interface SetEdit extends HandEdit {
  label: string;
  shapes: unknown[];
}

export class HandEditing {
  private readonly box = element("div", { class: "hand-edit" });
  private readonly choiceBox = element("div", { role: "status" });
  private readonly setBox = element("div");
  private readonly triedBox = element("div", { class: "tried", role: "region", "aria-live": "polite" });
  private chosen = new Map<string, ChosenPatch>();
  private options: PatchOption[] = [];
  private edits: SetEdit[] = [];
  private turn = 0;
  private plan = "";
  on = false;

  constructor(
    private readonly map: GlMap,
    private readonly style: MapStyle,
    private readonly settings: Settings,
    private readonly shown: (plan: string) => void,
    private readonly drawn: (is: boolean) => void,
    private readonly kept: (from: string, name: string) => Promise<void>,
    private readonly failed: (fault: unknown) => void,
  ) {
    map.addSource(SOURCE, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({ id: `${SOURCE}|set`, type: "fill", source: SOURCE, filter: ["==", ["get", "set"], true], paint: { "fill-color": "#0b66c3", "fill-opacity": 0.25 } });
    map.addLayer({ id: `${SOURCE}|fill`, type: "fill", source: SOURCE, filter: ["!=", ["get", "set"], true], paint: { "fill-color": "#ffcc00", "fill-opacity": 0.45 } });
    map.addLayer({ id: `${SOURCE}|edge`, type: "line", source: SOURCE, paint: { "line-color": "#0b3f78", "line-width": 2.5 } });
  }

  plans(): { name: string; title: string }[] {
    return this.style.layers.filter((l) => l.kind === "plan_parcel").map(({ name, title }) => ({ name, title }));
  }

  /** The panel; `plan` is chosen first where it is there. */
  open(plan: string): HTMLElement {
    const { words } = this.settings;
    const plans = this.plans();
    this.on = true;
    this.plan = plans.some((p) => p.name === plan) ? plan : (plans[0]?.name ?? "");
    const select = element("select", { id: "edit-plan" }, ...plans.map((p) => element("option", { value: p.name, selected: p.name === this.plan }, p.title)));
    select.addEventListener("change", () => {
      this.plan = select.value;
      this.shown(this.plan);
      this.forget();
    });
    const lasso = element("button", { type: "button", id: "edit-lasso", click: () => void this.byOutline() }, words.lasso);
    const clear = element("button", { type: "button", id: "edit-clear", click: () => { this.chosen.clear(); void this.choiceChanged(); } }, words.clearChoice);
    const byId = element("input", { type: "text", id: "edit-id", maxlength: 60, autocomplete: "off", placeholder: words.patchId });
    const add = element("form", { class: "inline-form", submit: ((event: Event) => { event.preventDefault(); void this.byId(byId.value.trim()); byId.value = ""; }) as never },
      element("label", { for: "edit-id" }, words.patchId), byId, element("button", {}, "+"));
    fill(this.box, element("p", { class: "field" }, element("label", { for: "edit-plan" }, words.planToEdit), " ", select), element("p", { class: "note" }, words.pick), element("p", {}, lasso, " ", clear), add, this.choiceBox, this.setBox, this.triedBox);
    this.forget();
    this.shown(this.plan);
    return this.box;
  }

  close(): void {
    this.on = false;
    this.forget();
  }

  /** A click on the map: the patch there joins the choice, or leaves it. */
  async at(lon: number, lat: number): Promise<void> {
    await this.found({ geometry: { type: "Point", coordinates: [lon, lat] } }, true);
  }

  private async byId(patch: string): Promise<void> {
    if (patch) await this.found({ patches: [patch] }, false);
  }

  private async byOutline(): Promise<void> {
    this.drawn(true);
    const corners = await draw(this.map);
    setTimeout(() => this.drawn(false), 350);
    showOutline(this.map, [], false);
    if (corners) await this.found({ geometry: { type: "Polygon", coordinates: [[...corners, corners[0]]] } }, false);
  }

  private async found(choice: { geometry?: unknown; patches?: string[] }, turns: boolean): Promise<void> {
    try {
      const { chosen } = await planOptions({ plan: this.plan, ...choice });
      for (const patch of chosen) {
        if (turns && this.chosen.has(patch.patch)) this.chosen.delete(patch.patch);
        else this.chosen.set(patch.patch, patch);
      }
      await this.choiceChanged();
    } catch (fault) {
      this.failed(fault);
    }
  }

  private async choiceChanged(): Promise<void> {
    this.show();
    const turn = ++this.turn;
    try {
      this.options = this.chosen.size ? (await planOptions({ plan: this.plan, patches: [...this.chosen.keys()] })).options : [];
    } catch (fault) {
      return this.failed(fault);
    }
    if (turn !== this.turn) return;
    this.choiceTold();
  }

  private choiceTold(): void {
    const { words, language } = this.settings;
    const all = [...this.chosen.values()];
    const area = all.reduce((sum, p) => sum + p.area_m2, 0);
    const name = (o: { measure_zh: string; measure_en: string; target_zh: string; target_class: string }) =>
      `${language === "zh" ? o.measure_zh : o.measure_en}${o.target_class ? ` → ${language === "zh" ? o.target_zh : ""} ${o.target_class}` : ""}`;
    const rows = all.slice(0, 6).map((p) => element("li", {}, element("span", { class: "code" }, p.patch), ` ${language === "zh" ? p.class_zh : p.class_code}: ${name({ ...p, target_class: p.measure === "keep" ? "" : p.target_class })}, ${areaWords(p.area_m2, this.settings)}`));
    if (all.length > 6) rows.push(element("li", {}, `+ ${all.length - 6} ${words.moreBelow}`));
    fill(this.choiceBox, element("p", { id: "edit-chosen" }, `${all.length} ${words.chosenPatches}${all.length ? ` · ${areaWords(area, this.settings)}` : ""}`), all.length ? element("ul", { class: "chosen-list" }, ...rows) : null);
    if (!all.length) return fill(this.setBox);
    const can = this.options.filter((o) => o.patches > 0);
    const cannot = this.options.filter((o) => o.patches === 0);
    const select = element("select", { id: "edit-measure" }, ...can.map((o, n) => element("option", { value: n }, `${name(o)}${o.patches < all.length ? ` (${o.patches}/${all.length})` : ""}`)));
    const part = element("p", { class: "note" });
    const told = () => {
      const o = can[Number(select.value)];
      part.hidden = !o || o.patches === all.length;
      if (o) part.textContent = `${o.patches} / ${all.length} ${words.mayTake}`;
    };
    select.addEventListener("change", told);
    told();
    const set = element("button", { type: "button", id: "edit-set", class: "strong", click: () => void this.set(can[Number(select.value)], name(can[Number(select.value)])) }, words.addEdit);
    const why = cannot.length ? element("details", {}, element("summary", {}, words.ruledOut), element("ul", {}, ...cannot.map((o) => element("li", {}, `${name(o)}${o.rules ? `: ${o.rules}` : ""}`)))) : null;
    fill(this.setBox, element("p", { class: "field" }, element("label", { for: "edit-measure" }, words.setTo), " ", select, " ", set), part, why);
  }

  /** Set a measure on those of the chosen patches that may take it. */
  private async set(option: PatchOption, label: string): Promise<void> {
    let patches = [...this.chosen.keys()];
    try {
      if (option.patches < patches.length) {
        const each = await Promise.all(patches.map(async (p) => ((await planOptions({ plan: this.plan, patches: [p] })).options.some((o) => o.patches && o.measure === option.measure && o.target_class === option.target_class) ? p : "")));
        patches = each.filter(Boolean);
      }
    } catch (fault) {
      return this.failed(fault);
    }
    const shapes = patches.map((p) => this.chosen.get(p)?.shape);
    const others = this.edits.map((e) => ({ ...e, patches: e.patches.filter((p) => !patches.includes(p)) })).filter((e) => e.patches.length);
    this.edits = [...others, { patches, measure: option.measure, target_class: option.target_class, label, shapes }];
    this.chosen.clear();
    await this.choiceChanged();
    await this.tried();
  }

  private async tried(): Promise<void> {
    const { words } = this.settings;
    this.show();
    if (!this.edits.length) return fill(this.triedBox);
    const turn = ++this.turn;
    const sent = this.edits.map(({ patches, measure, target_class }) => ({ patches, measure, target_class }));
    try {
      const found = await planCheck(this.plan, sent);
      if (turn !== this.turn) return;
      const list = this.edits.map((e) => element("li", {}, `${e.label}: ${e.patches.length}`));
      const back = element("button", { type: "button", id: "edit-back", click: () => { this.edits.pop(); void this.tried(); } }, words.takeBack);
      const title = element("input", { type: "text", id: "edit-title", maxlength: 40 });
      const keep = element("form", { class: "keep", submit: ((event: Event) => { event.preventDefault(); void this.keep(sent, title.value); }) as never },
        element("label", { for: "edit-title" }, words.variantTitle), title, element("button", { class: "strong", id: "edit-keep" }, words.keepVariant));
      fill(this.triedBox, element("h3", {}, words.edits), element("ul", { id: "edit-list" }, ...list), back, triedTable(found, this.settings), keep);
    } catch (fault) {
      this.edits.pop();
      this.failed(fault);
    }
  }

  private async keep(sent: HandEdit[], title: string): Promise<void> {
    const { words } = this.settings;
    try {
      const made = await planEdit(this.plan, sent, title, this.style.generation);
      const from = this.plan;
      this.style.generation = made.generation;
      this.edits = [];
      this.chosen.clear();
      await this.kept(from, made.name);
      const back = element("button", { type: "button", id: "edit-undo", click: () => void this.undo(made.generation, made.name) }, words.undoEdit);
      fill(this.choiceBox);
      fill(this.setBox);
      fill(this.triedBox, element("p", { class: "note", id: "edit-kept" }, `${made.title}: ${words.kept} ${words.handMade}`), element("p", {}, element("a", { class: "button", href: `/plans/${made.name}/` }, words.open), " ", back));
      this.show();
    } catch (fault) {
      this.failed(fault);
    }
  }

  private async undo(generation: number, name: string): Promise<void> {
    try {
      await undoLast(generation);
      await this.kept(name, "");
      fill(this.triedBox, element("p", { class: "note", id: "edit-undone" }, this.settings.words.takenBack));
    } catch (fault) {
      this.failed(fault);
    }
  }

  private forget(): void {
    this.chosen.clear();
    this.edits = [];
    this.turn++;
    for (const box of [this.choiceBox, this.setBox, this.triedBox]) fill(box);
    this.show();
  }

  private show(): void {
    const features = [
      ...this.edits.flatMap((e) => e.shapes.map((geometry) => ({ type: "Feature", properties: { set: true }, geometry }))),
      ...[...this.chosen.values()].map((p) => ({ type: "Feature", properties: { set: false }, geometry: p.shape })),
    ];
    (this.map.getSource(SOURCE) as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features } as never);
  }
}

/** Limits before and after: those that break first, with how far they lie beyond; then score and cost. No bound is ever told. */
export function triedTable(found: TriedEdits, settings: Settings): HTMLElement {
  const { words } = settings;
  const amount = (value: number, unit: string) =>
    unit === "m2" ? areaWords(value, settings) : unit === "yuan" ? wanWords(value, settings) : value.toLocaleString("en-US", { maximumFractionDigits: 4 });
  const broken = found.limits.filter((x) => x.over > 0);
  const rows = [...found.limits].sort((a, b) => Number(b.over > 0) - Number(a.over > 0)).map((x) =>
    element("tr", { class: x.over > 0 ? "over" : "" }, element("th", { scope: "row" }, x.zh, " ", element("span", { class: "code" }, x.rule_id)), element("td", { class: "number" }, amount(x.value_before, x.unit)), element("td", { class: "number" }, amount(x.value, x.unit)),
      element("td", { class: "number" }, `${x.relation} ${amount(x.bound, x.unit)}`), element("td", {}, x.over > 0 ? `${words.broken}: ${words.beyond} ${amount(x.over, x.unit)}` : words.holds)));
  const head = element("tr", {}, ...[words.checkLimits, words.before, words.after, words.bound, ""].map((w) => element(w ? "th" : "td", w ? { scope: "col" } : {}, w)));
  return element("div", {},
    element("p", { class: broken.length ? "fault" : "note", id: "edit-verdict", role: "status" }, broken.length ? broken.map((x) => `${words.broken}: ${x.zh}, ${words.beyond} ${amount(x.over, x.unit)}`).join("; ") : words.allHold),
    element("p", {}, `${words.score}: ${found.objective_before.toFixed(4)} → ${found.objective.toFixed(4)} · ${words.costChange}: ${wanWords(found.cost_change_yuan, settings)} · ${areaWords(found.area_m2, settings)}`),
    element("p", { class: "note" }, words.handMade), found.least_block_unchecked ? element("p", { class: "note" }, words.leastBlock) : null,
    element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": words.checkLimits }, element("table", { class: "changed limits" }, element("thead", {}, head), element("tbody", {}, ...rows))));
}
