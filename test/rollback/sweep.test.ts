import { describe, expect, test } from "vitest";
import { debianUrl, describeWithDebian } from "../support/debian.ts";
import { hasCorpus, sweep } from "./sweep.ts";

const present = hasCorpus("horizon");

describe.skipIf(!present)(`published migrations${present ? "" : " (skipped: no corpora beside the checkout)"}`, () => {
  describeWithDebian("every sixteenth of horizon, on rows", () => {
    test("rolls back and comes back equal, twice; what is refused is refused rightly", {
      timeout: 600_000,
    }, async () => {
      const outcomes = await sweep("horizon", { server: debianUrl(), from: 4, every: 16 });
      expect(outcomes.length).toBe(5);
      expect(outcomes.flatMap(({ migration, wrong }) => wrong.map((what) => `${migration}: ${what}`))).toEqual([]);
      expect(outcomes.filter(({ refusal }) => refusal?.right === false)).toEqual([]);
      expect(outcomes.filter(({ refusal }) => refusal === null).length).toBeGreaterThanOrEqual(3);
      expect(outcomes.reduce((sum, { destroyed }) => sum + destroyed, 0)).toBeGreaterThan(0);
    });
  });
});
