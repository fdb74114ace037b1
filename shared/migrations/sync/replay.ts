import { readFile } from "node:fs/promises";
import { compareCatalogs } from "../../catalog/differences.ts";
import { watchSnapshotCatalog } from "../../catalog/snapshots.ts";
import { sharedEntries } from "../../catalog/stored-entry.ts";
import type { Catalog } from "../../catalog/types.ts";
import type { Belay } from "../../context.ts";
import { BelayError } from "../../errors.ts";
import { withScratch } from "../../postgres/scratch.ts";
import type { Session } from "../../postgres/session.ts";
import { runForward } from "./run-forward.ts";

/** A migration as far as a replay needs it. */
export interface Replayable {
  readonly name: string;
  readonly file: string;
  readonly forwardSql: string;
}

/** The catalog before and after each migration, seen on a scratch database. */
export interface Replay {
  readonly states: ReadonlyMap<string, { readonly before: Catalog; readonly after: Catalog }>;
  readonly end: Catalog;
}

/** Applies migrations one after the other to a scratch database and reads the catalog around each. Throws `scratch_unavailable`, `sql_failed`. */
export async function replayMigrations(belay: Belay, migrations: readonly Replayable[]): Promise<Replay> {
  return await withScratch(belay, "replay", async ({ session }) => {
    await setUpScratch(belay, session);
    const states = new Map<string, { before: Catalog; after: Catalog }>();
    const share = sharedEntries();
    const watch = watchSnapshotCatalog(session);
    let before = share(await watch.read());
    for (const [index, migration] of migrations.entries()) {
      belay.report({
        phase: "replay",
        message: migration.name,
        done: index + 1,
        total: migrations.length,
        unit: "migrations",
      });
      await runForward(session, migration);
      const after = share(await watch.read());
      states.set(migration.name, { before, after });
      before = after;
    }
    return { states, end: before };
  });
}

/** Runs the settings' scratch setup (roles, schemas that the platform brings); throws `sql_failed`. */
export async function setUpScratch(belay: Belay, session: Session): Promise<void> {
  const file = belay.settings.scratchSetup;
  if (file === undefined) return;
  const forwardSql = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new BelayError("usage", `the scratch setup ${file} cannot be read`, {
      hint: "Check BELAY_SCRATCH_SETUP.",
      cause,
    });
  });
  await runForward(session, { name: `the scratch setup ${file}`, file, forwardSql });
}

/** Names of the objects in which an end differs from what was wanted, for people; empty when they are equal. */
export function replayDifferences(
  wanted: Catalog,
  got: Catalog,
  words: { readonly extra: string; readonly missing: string } = {
    extra: "only in the replay",
    missing: "only in this database",
  },
): string[] {
  const difference = compareCatalogs(got, wanted);
  return [
    ...difference.removed.map((entry) => `${entry.key}: ${words.extra}`),
    ...difference.added.map((entry) => `${entry.key}: ${words.missing}`),
    ...difference.changed.map(({ after }) => `${after.key}: differs`),
  ].sort();
}
