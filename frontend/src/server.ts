// Questions to the server, all to the own origin.

import type { Change, ChosenPatch, FoundPlace, HandEdit, Here, FoundRow, MapStyle, Measure, PatchOption, PlanChanges, RasterStyle, RedLineReport, TriedEdits } from "./contract";

export class Refused extends Error {}

export const styleOf = (address: string) => asked<MapStyle>(address);
export const identify = (lon: number, lat: number) => asked<FoundRow[]>(`/api/identify?lon=${lon}&lat=${lat}`);
export const here = (lon: number, lat: number) => asked<Here>(`/api/here?lon=${lon}&lat=${lat}`);
export const search = (words: string) => asked<FoundPlace[]>(`/api/search?q=${encodeURIComponent(words)}`);

export const rasterStyle = (name: string) => asked<RasterStyle>(`/rasters/${encodeURIComponent(name)}.json`);
export const changes = (left: string, right: string, at?: [number, number]) => asked<Change[]>(`/api/changes?before=${left}&after=${right}${at ? `&lon=${at[0]}&lat=${at[1]}` : ""}`);
export const redLine = (geometry: unknown) => posted<RedLineReport>("/api/red-line", geometry);
export const planChanges = (left: string, right: string) => asked<PlanChanges>(`/api/plan-changes?before=${left}&after=${right}`);
export const planOptions = (choice: { plan: string; geometry?: unknown; patches?: string[] }) => sent<{ chosen: ChosenPatch[]; options: PatchOption[] }>("/api/plan-options", choice);
export const planCheck = (plan: string, edits: HandEdit[]) => sent<TriedEdits>("/api/plan-check", { plan, edits });
export const planEdit = (plan: string, edits: HandEdit[], title: string, generation: number) => sent<{ name: string; title: string; generation: number }>("/api/plan-edit", { plan, edits, title, generation });
export const lineShape = (number: string) => asked<{ geometry: { type: string; coordinates: unknown }; properties: { title: string } }>(`/lines/${number}/shape.json`);
export const measure = (geometry: unknown) => posted<Measure>("/api/measure", geometry);

const posted = <T>(address: string, geometry: unknown) => sent<T>(address, { geometry });

function sent<T>(address: string, body: unknown): Promise<T> {
  return asked<T>(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
    body: JSON.stringify(body),
  });
}

/** Take the last change of the project back; refused where somebody changed it meanwhile. */
export async function undoLast(generation: number): Promise<void> {
  const answer = await fetch("/undo/", { method: "POST", headers: { "X-CSRFToken": cookie("csrftoken") }, body: new URLSearchParams({ generation: String(generation), way: "undo" }), redirect: "manual" });
  if (answer.type !== "opaqueredirect" && !answer.ok) throw new Refused(`HTTP ${answer.status}`);
}

async function asked<T>(address: string, options: RequestInit = {}): Promise<T> {
  const answer = await fetch(address, { ...options, headers: { Accept: "application/json", ...options.headers } });
  if (answer.ok) return (await answer.json()) as T;
  const fault = (await answer.json().catch(() => null)) as { error?: { found: string; cure: string; id: string } } | null;
  throw new Refused(fault?.error ? [fault.error.found, fault.error.cure, fault.error.id].filter(Boolean).join(" · ") : `HTTP ${answer.status}`);
}

function cookie(name: string): string {
  const field = (document.querySelector("#keep-line input[name=csrfmiddlewaretoken]") as HTMLInputElement | null)?.value;
  const found = document.cookie.split("; ").find((c) => c.startsWith(`${name}=`));
  return field ?? (found ? decodeURIComponent(found.slice(name.length + 1)) : "");
}
