import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { proofsOf } from "./support.ts";

const corpora = join(import.meta.dirname, "../../../shared/corpora");

/** Enough for what a published project has of files, and still quick; all of them were compared once. */
const sample = { name: "horizon", migrations: 14 };

describe.skipIf(!existsSync(corpora))("rehearsing in a transaction that is rolled back", () => {
  it("says of published migrations what committing on a copy says", async () => {
    const whole = await readMigrationFolder(join(corpora, sample.name));
    const folder: MigrationFolder = { ...whole, migrations: whole.migrations.slice(0, sample.migrations) };
    const facts = (proofs: Readonly<Record<string, Proof>>) =>
      Object.values(proofs).map(({ migration, verdict, differences, loses, up_again, error }) => {
        return { migration, verdict, differences, loses, up_again, error };
      });
    expect(facts(await proofsOf(folder))).toEqual(facts(await proofsOf(folder, { onCopies: true })));
  });
});
