import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDatabase } from "../support/postgres.ts";
import { belay, repository } from "./support.ts";

const corpora = join(repository, "../shared/corpora");
const here = existsSync(corpora);

/** Migrations of each, and of them those with rollback SQL that is not empty. */
const counts = {
  horizon: [72, 71],
  concourse: [156, 151],
  cratesio: [285, 276],
  kratos: [346, 235],
  openmeter: [269, 244],
} as const;

describe
  .skipIf(!here)
  .concurrent(here ? "published migrations" : "published migrations (skipped: ../shared/corpora is not there)", () => {
    it.each(Object.entries(counts))("of %s go through sync and list", async (name, [all, withRollback]) => {
      const database = await createDatabase();
      try {
        const environment = { BELAY_DATABASE_URL: database.url, BELAY_MIGRATIONS: join(corpora, name) };
        await belay(["init"], environment);
        const sync = await belay(["sync", "--applied-to", "latest", "--no-replay"], environment);
        expect(sync.code).toBe(0);
        expect(sync.out).toContain(`Sync: ${all} registered, 0 unchanged, 0 not applied, 0 changed`);
        const list = await belay(["list", "--json"], environment);
        const { total, migrations } = JSON.parse(list.out);
        expect(total).toBe(all);
        expect(migrations.filter((row: { hasRollback: boolean }) => row.hasRollback)).toHaveLength(withRollback);
        for (const row of migrations) if (!row.canRollBack) expect(row.blockingReason).toMatch(/\S/);
      } finally {
        await database.drop();
      }
    });
  });
