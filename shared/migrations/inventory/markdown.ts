import type { InventoryRow } from "./inventory.ts";

const start = "<!-- belay inventory: written by `belay inventory`; edit the migrations instead -->";
const end = "<!-- belay inventory end -->";
const most = 6;

/** The table as Markdown, between two marks; the same rows give the same text. */
export function inventoryMarkdown(rows: readonly InventoryRow[]): string {
  const withStatus = rows.some(({ status }) => status !== null);
  const header = [
    "Migration",
    ...(withStatus ? ["Status"] : []),
    "Purpose",
    "Rollback drops",
    "Data loss",
    "Risk",
    "Proof",
    "Proved on",
  ];
  const lines = [header, header.map(() => "---"), ...rows.map((row) => cells(row, withStatus))];
  const count = (test: (row: InventoryRow) => boolean) => rows.filter(test).length;
  const missing = count(({ rollbackFile }) => rollbackFile === null);
  const exact = count(({ proof }) => proof !== null && proof !== "stale" && proof.verdict === "exact");
  const table = lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
  const total = `${rows.length} migrations, ${missing} without rollback SQL, ${exact} proved exact.`;
  return `${start}\n\n${table}\n\n${total}\n\n${end}\n`;
}

/** Puts a new table into a document: in the place of the old one, else as the whole text of a new one; null where an old text has no place for it. */
export function withInventory(old: string | null, markdown: string): string | null {
  if (old === null || old.trim() === "") return `# Rollbacks\n\n${markdown}`;
  const from = old.indexOf(start);
  const to = old.indexOf(end, from);
  if (from === -1 || to === -1) return null;
  const rest = old.slice(to + end.length);
  const ending = old.includes("\r\n") ? "\r\n" : "\n";
  return old.slice(0, from) + markdown.trimEnd().replaceAll("\n", ending) + rest;
}

function cells(row: InventoryRow, withStatus: boolean): string[] {
  const { migration, purpose, rollbackFile, problem, drops, destroys, notBroughtBack, reversesToo, risk, status } = row;
  const isThere = rollbackFile !== null;
  const also = reversesToo.length === 0 ? "" : ` (with ${reversesToo.map(code).join(", ")})`;
  return [
    `${code(migration)}${also}`,
    ...(withStatus ? [(status ?? "").replace("_", " ")] : []),
    escaped(purpose),
    problem !== null
      ? `does not parse: ${escaped(problem)}`
      : isThere
        ? listOf(drops, "nothing")
        : "**no rollback SQL**",
    isThere && problem === null ? lossOf(destroys, notBroughtBack) : "",
    risk ?? "",
    proofOf(row),
    row.proof === null || row.proof === "stale" ? "" : row.proof.at.slice(0, 10),
  ];
}

function lossOf(destroys: readonly string[], notBroughtBack: readonly string[]): string {
  const parts = [
    ...(destroys.length > 0 ? [listOf(destroys, "")] : []),
    ...(notBroughtBack.length > 0 ? [`not brought back: ${listOf(notBroughtBack, "")}`] : []),
  ];
  return parts.length === 0 ? "none" : parts.join("; ");
}

function proofOf({ proof, rollbackFile }: InventoryRow): string {
  if (proof === "stale") return "changed since it was proved";
  if (proof === null) return rollbackFile === null ? "" : "not proved";
  return proof.loses.length === 0 ? proof.verdict : `${proof.verdict}; loses ${listOf(proof.loses, "")}`;
}

function listOf(items: readonly string[], none: string): string {
  if (items.length === 0) return none;
  const shown = items.slice(0, most).map(escaped).join(", ");
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}

function code(text: string): string {
  return /^[\w.-]+$/.test(text) ? `\`${text}\`` : escaped(text);
}

/** Text of the files is anybody's: nothing in it may end a cell, or be read as Markdown or HTML. */
function escaped(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*{}[\]<>|~#&!]|(?<!\w)_|_(?!\w)/g, "\\$&")
    .trim();
}
