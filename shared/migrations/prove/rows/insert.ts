import { qualified, quoteIdent } from "../../../catalog/identifiers.ts";
import type { Session } from "../../../postgres/session.ts";
import type { SeedRow, SeedTable } from "./types.ts";

/** Statements that go together: when one is refused, none of them has run. */
export interface Insertion {
  readonly table: SeedTable;
  readonly statement: string;
}

export interface Refusal {
  /** Place in the list of insertions. */
  readonly index: number;
  readonly state: string;
  readonly message: string;
}

/** One INSERT of all rows; a column that a row leaves out takes its default. */
export function insertText(table: SeedTable, rows: readonly SeedRow[]): string {
  const names = table.columns.map(({ name }) => name).filter((name) => rows.some((row) => row.has(name)));
  const into = `insert into ${qualified(table.schema, table.name)}`;
  if (names.length === 0) return `${into} default values`;
  const lines = rows.map((row) => `(${names.map((name) => row.get(name) ?? "default").join(", ")})`);
  return `${into} (${names.map(quoteIdent).join(", ")}) overriding system value values ${lines.join(", ")}`;
}

/** One statement that fills tables which refer to each other: their keys are looked at when it ends. */
export function togetherText(inserts: readonly string[]): string {
  const parts = inserts.map((text, index) => `g${index} as (${text} returning 1)`);
  return `with ${parts.join(", ")} select 1 from ${inserts.map((_, index) => `g${index}`).join(", ")}`;
}

/** Runs every insertion for itself, all in one round trip, and answers those that the server refused. */
export async function runInsertions(session: Session, insertions: readonly Insertion[]): Promise<Refusal[]> {
  if (insertions.length === 0) return [];
  const text = JSON.stringify(insertions.map(({ statement }) => statement));
  let tag = "belay";
  while (text.includes(`$${tag}$`)) tag += "_";
  const results = await session.run(`${program(text, tag)}; select current_setting('belay.refused') as refused`);
  const rows = (results as unknown as { refused: string }[][]).at(-1)!;
  return JSON.parse(rows[0]!.refused);
}

function program(text: string, tag: string): string {
  return `do $${tag}_do$
declare
  each record; done bigint; refused jsonb := '[]'; said text;
begin
  for each in select ordinality - 1 as i, value from json_array_elements_text($${tag}$${text}$${tag}$) with ordinality loop
    begin
      execute each.value;
      get diagnostics done = row_count;
      if done = 0 then raise exception 'a trigger or a rule turned the rows away'; end if;
    exception when others then
      get stacked diagnostics said = message_text;
      refused := refused || jsonb_build_object('index', each.i, 'state', sqlstate, 'message', said);
    end;
  end loop;
  perform set_config('belay.refused', refused::text, true);
end $${tag}_do$`;
}
