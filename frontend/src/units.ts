// Areas in the unit the person chose, or in all three; lengths in metres and kilometres.

import type { Settings } from "./contract";

const SIZE = { mu: 10000 / 15, ha: 10000, m2: 1 } as const;
const DECIMALS = { mu: 2, ha: 4, m2: 2 } as const;

export function areaWords(areaM2: number, settings: Settings): string {
  const { unit } = settings;
  const number = (areaM2 / SIZE[unit]).toLocaleString("en-US", { minimumFractionDigits: DECIMALS[unit], maximumFractionDigits: DECIMALS[unit] });
  return `${number} ${settings.units[unit]}`;
}

export function areaInAll(areaM2: number, settings: Settings): string {
  return (["mu", "ha", "m2"] as const).map((unit) => areaWords(areaM2, { ...settings, unit })).join(" · ");
}

export function lengthWords(lengthM: number, settings: Settings): string {
  const number = (value: number, decimals: number) => value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return lengthM < 1000 ? `${number(lengthM, 2)} ${settings.words.metre}` : `${number(lengthM / 1000, 4)} ${settings.words.kilometre}`;
}

/** Money in ten thousand yuan, with its sign. */
export function wanWords(yuan: number, settings: Settings): string {
  const number = (yuan / 10000).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
  return `${number} ${settings.words.wan}`;
}
