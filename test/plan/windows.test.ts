import { describe, expect, it } from "vitest";
import { type MaintenanceWindow, windowState } from "../../shared/rollback/plan/windows.ts";

const window = (days: string, from: string, to: string, timeZone = "Europe/Berlin"): MaintenanceWindow => ({
  timeZone,
  days: days.split(" ") as MaintenanceWindow["days"],
  from,
  to,
});
const at = (windows: readonly MaintenanceWindow[], now: string) => {
  const { open, changesAt } = windowState(windows, new Date(now));
  return [open === null ? "closed" : "open", changesAt?.toISOString().slice(0, 16) ?? null];
};

// Berlin: UTC+1, summer time (UTC+2) from 2026-03-29 01:00Z to 2026-10-25 01:00Z.
describe("a maintenance window", () => {
  it.each([
    ["a minute before it opens", window("tue", "22:00", "23:30"), "2026-01-13T20:59:59Z", "closed", "2026-01-13T21:00"],
    ["when it opens", window("tue", "22:00", "23:30"), "2026-01-13T21:00:00Z", "open", "2026-01-13T22:30"],
    ["in its last second", window("tue", "22:00", "23:30"), "2026-01-13T22:29:59Z", "open", "2026-01-13T22:30"],
    ["at its end", window("tue", "22:00", "23:30"), "2026-01-13T22:30:00Z", "closed", "2026-01-20T21:00"],
    [
      "in summer the same wall clock is an hour earlier",
      window("tue", "22:00", "23:30"),
      "2026-07-14T20:00:00Z",
      "open",
      "2026-07-14T21:30",
    ],
    [
      "over midnight, on the day after",
      window("tue", "22:00", "02:00"),
      "2026-01-14T00:30:00Z",
      "open",
      "2026-01-14T01:00",
    ],
    [
      "over midnight, not on the day before",
      window("tue", "22:00", "02:00"),
      "2026-01-13T00:30:00Z",
      "closed",
      "2026-01-13T21:00",
    ],
    ["over the week's end", window("sat", "23:00", "01:00"), "2026-01-17T23:30:00Z", "open", "2026-01-18T00:00"],
    ["to midnight", window("tue", "22:00", "24:00"), "2026-01-13T22:59:00Z", "open", "2026-01-13T23:00"],
    ["the whole of a day", window("wed", "00:00", "24:00", "UTC"), "2026-01-14T00:00:00Z", "open", "2026-01-15T00:00"],
    ["always", window("mon tue wed thu fri sat sun", "00:00", "24:00", "UTC"), "2026-01-14T00:00:00Z", "open", null],
    [
      "a zone at half an hour",
      window("wed", "00:00", "01:00", "Asia/Kolkata"),
      "2026-01-13T18:30:00Z",
      "open",
      "2026-01-13T19:30",
    ],
  ] as const)("%s", (_, one, now, state, changes) => {
    expect(at([one], now)).toEqual([state, changes]);
  });

  it("in the hour that summer time takes away does not open that day", () => {
    const one = window("sun", "02:15", "02:45");
    expect(at([one], "2026-03-29T00:59:00Z")).toEqual(["closed", "2026-04-05T00:15"]);
    expect(at([one], "2026-03-29T01:00:00Z")).toEqual(["closed", "2026-04-05T00:15"]);
  });

  it("that spans the hour taken away is an hour shorter", () => {
    const one = window("sun", "01:30", "03:30");
    expect(at([one], "2026-03-29T00:30:00Z")).toEqual(["open", "2026-03-29T01:30"]);
  });

  it("in the hour that comes twice opens twice", () => {
    const one = window("sun", "02:15", "02:45");
    expect(at([one], "2026-10-25T00:20:00Z")).toEqual(["open", "2026-10-25T00:45"]);
    expect(at([one], "2026-10-25T00:50:00Z")).toEqual(["closed", "2026-10-25T01:15"]);
    expect(at([one], "2026-10-25T01:20:00Z")).toEqual(["open", "2026-10-25T01:45"]);
  });

  it("is one of several", () => {
    const several = [window("tue", "22:00", "23:00"), window("tue", "23:00", "24:00")];
    expect(at(several, "2026-01-13T21:30:00Z")).toEqual(["open", "2026-01-13T23:00"]);
    expect(at([], "2026-01-13T21:30:00Z")).toEqual(["closed", null]);
  });
});
