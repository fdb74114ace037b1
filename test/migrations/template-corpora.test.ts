import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCorpus } from "../../dev/template-corpora/corpus.ts";
import { proposeForCorpus } from "../../dev/template-corpora/propose.ts";
import { debianPrograms } from "../../servers/debian.ts";
import { serverUrl } from "../support/postgres.ts";

const corpora = join(import.meta.dirname, "../../../shared/corpora");
const here = existsSync(corpora);

/** `npm run template:corpora` does all of them. */
const samples = {
  horizon: {
    "0009_create_asset_stats_table": "proved",
    "0034_remove_unused": "proved",
    "0036_drop_participant_id": "column_order",
    "0052_liquidity_pools": "column_order",
    "0056_tx_preconditions_and_account_fields": "proved",
    "0059_trade_aggregation_autovac": "proved",
    "0070_remove_deprecated_fields_from_exp_asset_stats": "column_order",
  },
  // Columns that were renamed, and one in whose place another came.
  openmeter: { "0009_billing_profile": "column_order" },
} as const;

describe.skipIf(!here)(
  here ? "rollbacks proposed for published migrations" : "proposed rollbacks (skipped: ../shared/corpora is not there)",
  () => {
    it.each(Object.entries(samples))("of %s end as before, by stock pg_dump too", async (corpus, wanted) => {
      const outcomes = await proposeForCorpus(readCorpus(join(corpora, corpus)), {
        server: await serverUrl(15),
        prefix: `template_${process.pid}_${corpus}`,
        programs: debianPrograms(15),
        wanted: ({ name }) => Object.hasOwn(wanted, name),
        report: () => {},
      });
      expect(Object.fromEntries(outcomes.map(({ migration, state }) => [migration, state]))).toEqual(wanted);
      for (const { state, stock, reasons } of outcomes) {
        if (state === "proved" && stock !== null) expect(stock).toBe("equal");
        if (state === "column_order")
          for (const reason of reasons) expect(reason).toMatch(/: columns in another order$/);
      }
    });
  },
);
