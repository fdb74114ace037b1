import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronMatches, latestDue, parseCron } from "../../drills/cron.ts";
import { isBelayError } from "../../shared/errors.ts";

const at = (text: string) => new Date(`${text}Z`);
const matches = (cron: string, time: string) => cronMatches(parseCron(cron), at(time));

describe("a cron expression", () => {
  it.each([
    ["* * * * *", "2026-11-20T21:04", true],
    ["0 3 * * *", "2026-11-20T03:00", true],
    ["0 3 * * *", "2026-11-20T03:01", false],
    ["*/15 * * * *", "2026-11-20T03:45", true],
    ["*/15 * * * *", "2026-11-20T03:50", false],
    ["5/20 * * * *", "2026-11-20T03:45", true],
    ["5/20 * * * *", "2026-11-20T03:40", false],
    ["0 8-18/2 * * 1-5", "2026-11-20T10:00", true],
    ["0 8-18/2 * * 1-5", "2026-11-20T11:00", false],
    ["0 8-18/2 * * 1-5", "2026-11-21T10:00", false],
    ["0 0 1,15 * *", "2026-11-15T00:00", true],
    ["0 0 * NOV Fri", "2026-11-20T00:00", true],
    ["0 0 * dec fri", "2026-11-20T00:00", false],
    ["0 0 * * 7", "2026-11-22T00:00", true],
    ["0 0 * * 0", "2026-11-22T00:00", true],
    ["0 0 * * 5-7", "2026-11-22T00:00", true],
    ["0 0 29 2 *", "2028-02-29T00:00", true],
  ])("%s at %s: %s", (cron, time, expected) => {
    expect(matches(cron, time)).toBe(expected);
  });

  it("with day of month and weekday both given needs only one of them, as in POSIX crontab", () => {
    expect(matches("0 0 13 * fri", "2026-11-13T00:00")).toBe(true);
    expect(matches("0 0 13 * fri", "2026-11-20T00:00")).toBe(true);
    expect(matches("0 0 13 * fri", "2026-12-13T00:00")).toBe(true);
    expect(matches("0 0 13 * fri", "2026-11-19T00:00")).toBe(false);
  });

  it("with a weekday and a stepped day needs both", () => {
    expect(matches("0 0 */2 * fri", "2026-11-20T00:00")).toBe(false);
    expect(matches("0 0 */2 * fri", "2026-11-27T00:00")).toBe(true);
  });

  it.each([
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "a * * * *",
    "1,,2 * * * *",
    "-1 * * * *",
    "* * * foo *",
    "@daily",
  ])("%j is refused by name", (cron) => {
    expect(() => parseCron(cron)).toThrow(/cron expression/);
  });

  it("any text is parsed or refused with `usage`", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.stringMatching(/^[0-9*/,a-z-]{1,8}$/), { minLength: 5, maxLength: 5 }).map((f) => f.join(" ")),
        ),
        (text) => {
          try {
            const cron = parseCron(text);
            return cron.minutes.size > 0 && cron.weekdays.size > 0;
          } catch (error) {
            return isBelayError(error, "usage");
          }
        },
      ),
    );
  });
});

describe("the latest due minute", () => {
  const nightly = parseCron("0 3 * * *");

  it("is this minute when it matches, whatever the second", () => {
    expect(latestDue(nightly, at("2026-11-20T02:00:00"), at("2026-11-20T03:00:59"))).toEqual(at("2026-11-20T03:00:00"));
  });

  it("is an earlier minute that was missed", () => {
    expect(latestDue(nightly, at("2026-11-20T02:30:00"), at("2026-11-20T03:29:10"))).toEqual(at("2026-11-20T03:00:00"));
  });

  it("is none when the minute lies at or before the beginning", () => {
    expect(latestDue(nightly, at("2026-11-20T03:00:00"), at("2026-11-20T03:29:10"))).toBeNull();
  });
});
