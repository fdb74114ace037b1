import type { TeamMessage } from "../../deployments/post-message.ts";
import { listed, plural, shorten } from "../../words.ts";
import type { RollbackReport } from "../types.ts";
import type { Health, NoticeResult } from "./types.ts";

/** Of whom a message speaks. */
export interface Subject {
  readonly rollbackId: string;
  readonly kind: "rollback" | "undo";
  readonly migrations: readonly string[];
  readonly actor: string;
  readonly reason: string;
  /** null: it was not planned, or the record has no plan. */
  readonly planned: { readonly planHash: string; readonly risk: string } | null;
}

/** How it ended. `unknown`: the answer to the COMMIT was lost. */
export interface Ending {
  readonly outcome: "committed" | "failed" | "unknown" | "undone";
  readonly report: RollbackReport | null;
  readonly errorCode: string | null;
  readonly health: Health["verdict"] | null;
  /** The policy wanted it undone, and that failed. */
  readonly undoFailed?: boolean;
}

export interface HookCall {
  readonly hook: "before" | "after";
  readonly message: TeamMessage;
}

/** The call before the locks are taken. */
export function beforeCall(subject: Subject): HookCall {
  const text = `${heading(subject)} begins: ${slackText(shorten(subject.reason, 300))}`;
  return {
    hook: "before",
    message: {
      id: `belay_${subject.rollbackId}_before`,
      type: `belay.${subject.kind}.before`,
      text,
      data: dataOf(subject),
    },
  };
}

/** The call that says how it ended; it comes whenever the one before was tried. */
export function afterCall(subject: Subject, ending: Ending): HookCall {
  const text = `${heading(subject)} ended: ${ending.outcome}`;
  return {
    hook: "after",
    message: {
      id: `belay_${subject.rollbackId}_after`,
      type: `belay.${subject.kind}.after`,
      text,
      data: { ...dataOf(subject), ...endingOf(ending) },
    },
  };
}

/** The message for people. An error's words may quote a value, so that its code alone is told. */
export function noticeOf(about: NoticeResult["about"], subject: Subject, ending: Ending | null): TeamMessage {
  const lines = [
    `${sign(about, ending)}${heading(subject)} ${words[about]}${ending?.errorCode ? ` (${ending.errorCode})` : ""}.`,
    `By ${slackText(subject.actor)}: ${slackText(shorten(subject.reason, 300))}`,
    ...(ending === null ? [] : endingLines(ending)),
    `Incident report: belay incident ${subject.rollbackId}`,
  ];
  return {
    id: `belay_${subject.rollbackId}_${about}`,
    type: `belay.${subject.kind}.${about}`,
    text: lines.join("\n"),
    data: { ...dataOf(subject), ...(ending === null ? {} : endingOf(ending)) },
  };
}

const words: Readonly<Record<NoticeResult["about"], string>> = {
  started: "begins",
  done: "is done",
  failed: "failed",
  undone: "was undone again: a health check failed after it",
};

function sign(about: NoticeResult["about"], ending: Ending | null): string {
  if (about === "failed" || about === "undone" || ending?.health === "failing") return ":rotating_light: ";
  return about === "done" ? ":white_check_mark: " : "";
}

function endingLines({ outcome, report, health, undoFailed }: Ending): string[] {
  if (outcome === "failed") return ["The database is as it was before; the failure is on record."];
  if (outcome === "unknown")
    return ["The answer to the COMMIT was lost: look with `belay status` before anything else."];
  return [
    ...(report === null ? [] : [lossWords(report)]),
    ...(health === "failing" ? ["*A health check that passed before fails now.*"] : []),
    ...(undoFailed === true ? ["*The undo that the policy asks for failed: it is still rolled back.*"] : []),
    ...(health === "failing_before" ? ["A health check fails, as it did before."] : []),
  ];
}

function lossWords({ kind, tables, columns, archiveId }: RollbackReport): string {
  const rows = tables.reduce((sum, each) => sum + each.rows, 0);
  const what = [
    ...(tables.length > 0 ? [`${plural(rows, "row")} of ${plural(tables.length, "table")}`] : []),
    ...(columns.length > 0 ? [`columns of ${plural(columns.length, "table")}`] : []),
  ].join(" and ");
  if (kind === "undo") return what === "" ? "Definitions alone came back." : `${what} came back.`;
  const where = archiveId === null ? "" : ` (archive ${archiveId})`;
  return what === "" ? `No row was lost${where}.` : `${what} went into the verified archive${where}.`;
}

function heading({ kind, migrations }: Subject): string {
  return `${kind === "undo" ? "Undo of the rollback" : "Rollback"} of ${slackText(listed(migrations, 3))}`;
}

function dataOf({ rollbackId, kind, migrations, actor, reason, planned }: Subject) {
  return {
    rollbackId,
    kind,
    migrations,
    actor,
    reason,
    ...planned,
  };
}

function endingOf({ outcome, report, errorCode, health }: Ending) {
  return { outcome, errorCode, health, archiveId: report?.archiveId ?? null };
}

/** Slack reads `<!channel>` and links out of these three (Slack manual, "Formatting text for app surfaces"). */
function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
