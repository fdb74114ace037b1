import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { describe as told } from "../../dev/undo-corpora/print.ts";
import { walkFolder } from "../../dev/undo-corpora/walk.ts";

const corpus = fileURLToPath(new URL("../../../shared/corpora/horizon", import.meta.url));
const present = existsSync(corpus);

describe.skipIf(!present)(`published migrations${present ? "" : " (skipped: no corpora beside the checkout)"}`, () => {
  test("the first 12 of horizon, rolled back to zero over rows and undone one by one, are equal at each level", {
    timeout: 600_000,
  }, async () => {
    const counted = await walkFolder(inject("postgresUrl"), corpus, {
      corpus: "horizon",
      oldest: 12,
      limit: 12,
      rows: 3,
      seed: 1,
      progress: () => {},
    });
    expect(told(counted)).toEqual([]);
    expect(counted.walked.flatMap(({ down }) => down.refusal ?? [])).toEqual([]);
    expect(counted.chains).toEqual([12]);
    expect(counted.walked.reduce((sum, { down }) => sum + down.rowsArchived, 0)).toBeGreaterThan(30);
  });
});
