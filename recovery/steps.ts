import { explainError } from "../drills/blame.ts";
import { countsCheck } from "../drills/checks/counts.ts";
import { checksAfterRestore } from "../drills/restore-and-check.ts";
import { runCheck } from "../drills/verdict.ts";
import type { readManifest } from "../shared/archive/list.ts";
import { dumpDatabase } from "../shared/archive/write/dump.ts";
import { BelayError } from "../shared/errors.ts";
import { openSession } from "../shared/postgres/session.ts";
import { plural } from "../shared/words.ts";
import { restoreBeside } from "./beside.ts";
import { compareManifests } from "./list-newer.ts";
import { exportAllNewerRows } from "./newer-rows/export-all.ts";
import { allowWritersSql } from "./sql.ts";
import type { FullRestore } from "./state.ts";
import { switchBackSql, switchOver } from "./switch-over.ts";
import type { StepName } from "./types.ts";
import { allowWriters, stopWriters } from "./writers.ts";

/** What a step did, in words; throws when it could not. */
type StepWork = (state: FullRestore) => Promise<string>;

export const stepWork: Readonly<Record<StepName, StepWork>> = {
  archive_today: async (state) => {
    const manifest = await dumpDatabase(state.belay, { reason: `before the full restore ${state.plan.archiveId}` });
    state.todays = manifest;
    return `${manifest.id}: ${rowsOf(manifest)} read back and verified`;
  },

  list_newer: async (state) => {
    state.tables = compareManifests(state.manifest, state.todays!);
    const differing = state.tables.filter(({ same }) => !same);
    return `${plural(differing.length, "table")} of ${state.tables.length} changed since ${state.plan.snapshotAt}`;
  },

  restore_beside: async (state) => {
    const { rows, tables } = await restoreBeside(state);
    return `${plural(rows, "row")} in ${plural(tables, "table")} restored into ${state.plan.restored}`;
  },

  check: async (state) => {
    const outcomes = await checkRestored(state);
    const wrong = outcomes.filter((outcome) => outcome.state !== "passed");
    if (wrong.length > 0)
      throw new BelayError(
        "archive_invalid",
        `the restored copy is not what the backup holds: ${wrong.map(({ name, evidence }) => `${name}: ${evidence}`).join("; ")}`,
        { hint: "Nothing was switched. Take an older backup: list them with `belay archives list`." },
      );
    return `${plural(outcomes.length, "check")} passed`;
  },

  stop_writers: async (state) => {
    state.stoppedAt = performance.now();
    const { ended } = await stopWriters(state.server, state.plan.live, state.ownPids);
    return `${plural(ended, "session")} ended; new ones can only read, until: ${allowWritersSql(state.plan.live)}`;
  },

  export_newer: async (state) => {
    const newer = await exportAllNewerRows(state);
    state.newerRows = newer;
    const sum = (pick: (table: (typeof newer.tables)[number]) => number) =>
      newer.tables.reduce((total, table) => total + pick(table), 0);
    return `${plural(
      sum((table) => table.new),
      "new row",
    )} and ${sum((table) => table.changed)} changed ones in newer-rows/${newer.id}/; ${sum((table) => table.deleted)} deleted ones come back`;
  },

  switch_over: async (state) => {
    const { live, restored, aside, sameServer } = state.plan;
    if (!sameServer) return `point the application to ${restored} on the other server; ${live} stays read only`;
    await state.closeSessions();
    await switchOver(state.server, { live, restored, aside });
    state.switched = true;
    state.switchBack = switchBackSql({ live, restored, aside });
    return `${live} is the restored database; the former one is ${aside}, read only`;
  },

  verify: async (state) => {
    const session = await openSession(state.restoredUrl(), { applicationName: "belay verify" });
    try {
      const [row] = await session.sql`
        select current_setting('default_transaction_read_only') as "readOnly", current_database() as name`;
      if (row!.readOnly !== "off") throw notAsExpected(`${row!.name} can only be read`);
      const counts = await countsCheck.run(checkContext(state, session));
      if (counts.state !== "passed") throw notAsExpected(counts.evidence);
      return `${row!.name} can be written to; ${counts.evidence}`;
    } finally {
      await session.close();
    }
  },
};

async function checkRestored(state: FullRestore) {
  const session = await openSession(state.besideUrl, {
    applicationName: "belay check",
    parameters: { row_security: "off" },
  });
  const outcomes = [];
  try {
    for (const check of checksAfterRestore) {
      state.belay.report({
        phase: "check",
        message: check.name,
        unit: "checks",
        done: outcomes.length,
        total: checksAfterRestore.length,
      });
      outcomes.push(await runCheck(check.name, () => check.run(checkContext(state, session)), explainError));
    }
  } finally {
    await session.close();
  }
  return outcomes;
}

function checkContext({ belay, manifest, besideUrl }: FullRestore, session: Awaited<ReturnType<typeof openSession>>) {
  return { belay, archiveId: manifest.id, manifest, scratch: session, scratchUrl: besideUrl };
}

/** Lets writers in again when the restore did not come to the switch. */
export async function unwind(state: FullRestore): Promise<string | null> {
  if (state.stoppedAt === null || state.switched || !state.plan.sameServer) return null;
  await allowWriters(state.server, state.plan.live);
  return `${state.plan.live} can be written to again`;
}

function rowsOf(manifest: Awaited<ReturnType<typeof readManifest>>): string {
  return plural(
    manifest.tables.reduce((sum, table) => sum + table.rows, 0),
    "row",
  );
}

function notAsExpected(what: string): BelayError {
  return new BelayError("database_error", `after the switch ${what}`, {
    hint: "The former database is untouched: the SQL that puts it back is in the report.",
  });
}
