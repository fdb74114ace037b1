import type { Risk } from "../../rollback/types.ts";
import { parseSql } from "../../sql/parse.ts";
import { shorten } from "../../words.ts";
import { type LossNotes, lossNotes } from "./loss.ts";
import { riskOfText } from "./risk.ts";

export interface TemplateFacts {
  readonly name: string;
  /** One sentence: what undoing it means. */
  readonly purpose: string;
  readonly statements: readonly string[];
  readonly forwardSql: string;
  /** Queries that answer true when it is undone. */
  readonly verification: readonly string[];
  readonly proved: boolean;
  readonly differences: readonly string[];
}

/** Rollback SQL with its documentation. */
export interface TemplateText extends LossNotes {
  readonly risk: Risk;
  readonly riskReasons: readonly string[];
  /** The block of comments and the SQL, without any layout's markers; lines end with \n. */
  readonly body: string;
}

/** Writes the documentation block: purpose, risk, data loss, steps, verification. Throws `sql_syntax` for statements that do not parse. */
export function templateText(facts: TemplateFacts): TemplateText {
  const statements = facts.statements.flatMap((sql) => parseSql(sql, { file: "proposal", line: 1 }));
  const notes = lossNotes(statements, facts.forwardSql);
  const { risk, reasons } = riskOfText(statements, notes);
  const steps = facts.statements.filter((sql) => !/^set local /i.test(sql));
  const head = [
    `Rollback of ${facts.name}`,
    `Purpose: ${facts.purpose}`,
    `Risk: ${risk}: ${reasons[0]}`,
    ...list(reasons.slice(1)),
    notes.destroys.length === 0 ? "Data loss: none" : "Data loss: this rollback destroys",
    ...list(notes.destroys),
    ...titled("Not brought back:", notes.notBroughtBack),
    ...titled("Fails while there are rows:", notes.failsOn),
    "Steps:",
    ...steps.map((sql, index) => `  ${index + 1}. ${shorten(sql, 100)}`),
    ...titled("Verification: each of these must answer true", facts.verification),
    facts.proved
      ? "Proof: tried on a scratch copy, every catalog entry is as before the migration"
      : "Proof: NOT proved; tried on a scratch copy, and not as before:",
    ...list(facts.differences.slice(0, 20)),
  ];
  const comments = head.map((line) => `-- ${line.replace(/\s*[\r\n]+\s*/g, " ")}`);
  const body = [...comments, "", ...facts.statements.map((sql) => `${sql};`), ""].join("\n");
  return { ...notes, risk, riskReasons: reasons, body };
}

function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...list(lines)];
}

function list(lines: readonly string[]): string[] {
  return lines.map((line) => `  - ${line}`);
}
