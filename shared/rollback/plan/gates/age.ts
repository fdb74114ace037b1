import { plural } from "../../../words.ts";

const hour = 3_600_000;

/** `40 seconds`, `3 hours`, `12 days`: one unit, rounded down. */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 120_000) return plural(Math.floor(ms / 1000), "second");
  if (ms < 2 * hour) return plural(Math.floor(ms / 60_000), "minute");
  if (ms < 48 * hour) return plural(Math.floor(ms / hour), "hour");
  return plural(Math.floor(ms / (24 * hour)), "day");
}

/** Milliseconds from an ISO time to another. */
export function since(from: string, now: string): number {
  return Date.parse(now) - Date.parse(from);
}

export const hours = (count: number): number => count * hour;
export const days = (count: number): number => count * 24 * hour;
