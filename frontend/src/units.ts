// Areas in the unit the person chose.

import type { Settings } from "./contract";

const SIZE = { mu: 10000 / 15, ha: 10000, m2: 1 } as const;
const DECIMALS = { mu: 2, ha: 4, m2: 2 } as const;

export function areaWords(areaM2: number, settings: Settings): string {
  const { unit } = settings;
  const number = (areaM2 / SIZE[unit]).toLocaleString("en-US", { minimumFractionDigits: DECIMALS[unit], maximumFractionDigits: DECIMALS[unit] });
  return `${number} ${settings.units[unit]}`;
}
