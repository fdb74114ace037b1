import { notesOnceUndone } from "../../migrations/tracking/tables.ts";
import { listed, plural } from "../../words.ts";
import type { IncidentRecords } from "./records.ts";
import type { Incident } from "./types.ts";

const mostObjects = 100;

/** Makes the incident report from the records alone: the same records give the same report. */
export function buildIncident(records: IncidentRecords, now: Date): Incident {
  const { report, plan } = records;
  const done = records.outcome === "committed" || records.outcome === "undone";
  const shown = done ? report : null;
  const objects = shown?.objects ?? [];
  const counted = (change: string) => objects.filter((each) => each.change === change).length;
  return {
    format: "belay-incident/1",
    rollbackId: records.rollbackId,
    kind: records.kind,
    outcome: records.outcome,
    summary: summaryOf(records),
    database: records.database,
    migrations: migrationsOf(records),
    undoes: records.undoes,
    actor: records.actor,
    reason: records.reason,
    startedAt: records.startedAt.toISOString(),
    finishedAt: records.finishedAt?.toISOString() ?? null,
    error: records.error,
    timeline: timelineOf(records),
    plan:
      plan === null
        ? null
        : {
            hash: plan.hash,
            policyDigest: plan.policyDigest,
            risk: plan.risk,
            riskReasons: plan.riskReasons,
          },
    loss: {
      tables: (shown?.tables ?? []).map(({ schema, table, rows }) => ({ name: `${schema}.${table}`, rows })),
      columns: (shown?.columns ?? []).map(({ schema, table, columns, rows }) => ({
        name: `${schema}.${table}`,
        columns,
        rows,
      })),
      sequences: (shown?.sequences ?? []).map(({ schema, name, lastValue }) => ({
        name: `${schema}.${name}`,
        lastValue,
      })),
      objects: {
        destroyed: counted("destroyed"),
        changed: counted("changed"),
        created: counted("created"),
        named: objects.slice(0, mostObjects),
      },
    },
    endState: shown?.endState ?? null,
    attempts: shown?.attempts ?? null,
    criticalSectionMs: shown?.criticalSectionMs ?? null,
    archive: records.archive,
    gates: plan?.gates ?? [],
    agreements: records.agreements,
    checklist: report?.checklist ?? plan?.checklist ?? [],
    around: records.around,
    notes: notesOf(records, shown),
    undo: undoOf(records),
    writtenAt: now.toISOString(),
  };
}

function migrationsOf({ report, planned, migration }: IncidentRecords): string[] {
  if (report?.migrations !== undefined) return report.migrations;
  return planned.length > 0 ? [...planned] : [migration];
}

/** Events of the run; where a killed process could not say the end, the record does. */
function timelineOf(records: IncidentRecords): Incident["timeline"] {
  const events = records.events.filter(({ event }) => event !== "around");
  const has = (name: string) => events.some(({ event }) => event === name);
  const added: Incident["timeline"] = [];
  if (!has("intent")) added.push({ at: records.startedAt.toISOString(), event: "intent", state: "done", evidence: "" });
  const end = records.finishedAt?.toISOString();
  const failed = records.outcome === "failed" || records.outcome === "unknown";
  if (end !== undefined && failed)
    added.push({ at: end, event: "failed", state: "failed", evidence: records.error?.code ?? "" });
  else if (end !== undefined && !has("committed"))
    added.push({ at: end, event: "committed", state: "done", evidence: "" });
  const { undone } = records;
  if (undone !== null)
    added.push({ at: undone.at, event: "undone", state: "done", evidence: `${undone.rollbackId} by ${undone.actor}` });
  return [...added, ...events].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function summaryOf(records: IncidentRecords): string {
  const what = `${records.kind === "undo" ? "The undo of the rollback of " : "The rollback of "}${listed(migrationsOf(records), 3)}`;
  const { report, around, undone } = records;
  switch (records.outcome) {
    case "failed":
      return `${what} failed (${records.error?.code ?? "unknown"}). The database is as it was before.`;
    case "intended":
      return `${what} was begun and its end is not on record: it runs, or its process was ended. The next run settles it.`;
    case "unknown":
      return `${what} has an unknown end: the answer to the COMMIT was lost. \`belay repair\` settles the record.`;
    case "undone":
      return `${what} was committed${lossWords(report)}, and undone${undone === null ? "" : ` by ${undone.actor} (${undone.reason})`}.`;
    case "committed":
      return `${what} was committed${lossWords(report)}.${healthWords(around?.health.verdict)}`;
  }
}

/** Of a rollback that was undone, what was to happen next no longer is. */
function notesOf(records: IncidentRecords, shown: IncidentRecords["report"]): string[] {
  const notes = records.report?.notes ?? [];
  if (records.outcome === "undone") return notesOnceUndone(notes, migrationsOf(records));
  return [...keptNote(shown), ...notes];
}

function keptNote(report: IncidentRecords["report"]): string[] {
  if (report?.preserved === undefined) return [];
  const { mode, kept, schemas, until } = report.preserved;
  const names = kept.filter(({ kind }) => kind !== "sequence").map(({ schema, name }) => `${schema}.${name}`);
  const how = mode === "quarantine" ? "moved, with all rows," : "copied";
  return [`${listed(names, 5)}: ${how} to ${schemas.join(", ")}, until ${until} at the least (belay quarantine).`];
}

function lossWords(report: IncidentRecords["report"]): string {
  if (report === null) return "";
  const rows = report.tables.reduce((sum, each) => sum + each.rows, 0);
  const parts = [
    ...(report.tables.length > 0 ? [`${plural(rows, "row")} of ${plural(report.tables.length, "table")}`] : []),
    ...(report.columns.length > 0 ? [`columns of ${plural(report.columns.length, "table")}`] : []),
  ];
  if (report.kind === "undo") return parts.length === 0 ? "" : `: ${parts.join(" and ")} came back`;
  if (parts.length === 0) return ": no row was lost";
  return `: ${parts.join(" and ")} went, all in a verified archive`;
}

function healthWords(verdict: string | undefined): string {
  if (verdict === "healthy") return " The health checks pass.";
  if (verdict === "failing") return " A health check that passed before fails after it.";
  if (verdict === "failing_before") return " A health check fails, as it did before.";
  return "";
}

function undoOf(records: IncidentRecords): Incident["undo"] {
  const { kind, outcome, archive, undone, rollbackId, report } = records;
  const open = outcome === "committed" && kind === "rollback";
  return {
    command: open ? `belay undo ${rollbackId} --reason "..."` : null,
    byHand: open ? byHand(archive, report) : [],
    undone,
  };
}

function byHand(archive: Incident["archive"], report: IncidentRecords["report"]): string[] {
  if (archive === null)
    return report?.archiveId
      ? [`The archive ${report.archiveId} is no longer on record here: look for it in the store.`]
      : ["Nothing was archived, since nothing was lost: run the migration again with your own tool."];
  return [
    `Fetch the folder archives/${archive.id}/ of ${archive.store}.`,
    "Follow its README.txt: pg_restore and psql put back objects, rows, columns and sequences.",
    "Belay's ledger and your tool's record do not know of it: settle them afterwards.",
  ];
}
