import { qualified } from "../../../catalog/identifiers.ts";
import type { Chain } from "../chain.ts";
import type { Proof, ProofLoss } from "../types.ts";
import type { Unit } from "../unit.ts";
import { errorWords } from "../words.ts";
import { passRows, type RowsPass } from "./passes.ts";
import type { SeedOptions } from "./types.ts";

/** What a proof says of generated rows. */
export type WithRows = Pick<Proof, "loses" | "unseeded" | "with_rows">;

/** Of rows that stand before the migration; to be asked before it is applied. Null: nobody asked, or nothing to run. */
export async function rowsBefore(
  chain: Chain,
  { ups, down }: Pick<Unit, "ups" | "down">,
  seed: SeedOptions | null,
): Promise<RowsPass | null> {
  if (seed === null || down === null) return null;
  return await passRows(chain, [...ups, down], "before", seed);
}

/** Of rows that stand after the migration. */
export async function rowsSince(
  chain: Chain,
  { down }: Pick<Unit, "down">,
  seed: SeedOptions | null,
): Promise<RowsPass | null> {
  if (seed === null || down === null) return null;
  return await passRows(chain, [down], "since", seed);
}

/** Joins both passes; what the catalog alone tells stays for tables that took no rows, or where no rollback ran over rows. */
export function withRows(
  { ups }: Pick<Unit, "ups">,
  passes: { readonly before: RowsPass | null; readonly since: RowsPass | null },
  told: readonly ProofLoss[],
): WithRows {
  const { before, since } = passes;
  if (before === null && since === null) return { loses: [...told], unseeded: [], with_rows: null };
  const unseeded = [...new Set([before, since].flatMap((pass) => pass?.unseeded.map(({ table }) => table) ?? []))];
  const seen = [...(before?.loses ?? []), ...(since?.loses ?? [])];
  const shown = (loss: ProofLoss) => seen.some((each) => each.schema === loss.schema && each.table === loss.table);
  const noRows = since === null || since.failed !== null || since.broken !== null;
  const only = told.filter((loss) => !shown(loss) && (noRows || unseeded.includes(qualified(loss.schema, loss.table))));
  const failed = since?.failed ?? before?.failed ?? null;
  const loses = [...seen, ...only];
  return {
    loses,
    unseeded: unseeded.sort(),
    with_rows: {
      before: stateOf(before, ups, []),
      since: stateOf(since, ups, loses),
      error: failed === null ? (since?.broken ?? before?.broken ?? null) : errorWords(failed.error),
    },
  };
}

type Outcome = NonNullable<Proof["with_rows"]>["since"];

/** Which side of the migration a told loss is of does not matter for the rows that stand after it. */
function stateOf(pass: RowsPass | null, ups: Unit["ups"], loses: readonly ProofLoss[]): Outcome {
  if (pass === null || pass.broken !== null) return "not_run";
  if (pass.failed !== null) return ups.includes(pass.failed.script) ? "up_fails" : "down_fails";
  return pass.loses.length > 0 || loses.some(({ rows }) => rows === null) ? "lost" : "kept";
}
