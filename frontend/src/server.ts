// Questions to the server, all to the own origin.

import type { FoundPlace, FoundRow, MapStyle, RedLineReport } from "./contract";

export class Refused extends Error {}

export const styleOf = (address: string) => asked<MapStyle>(address);
export const identify = (lon: number, lat: number) => asked<FoundRow[]>(`/api/identify?lon=${lon}&lat=${lat}`);
export const search = (words: string) => asked<FoundPlace[]>(`/api/search?q=${encodeURIComponent(words)}`);

export function redLine(geometry: unknown): Promise<RedLineReport> {
  return asked<RedLineReport>("/api/red-line", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": cookie("csrftoken") },
    body: JSON.stringify({ geometry }),
  });
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
