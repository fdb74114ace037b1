import { extract } from "@supabase/pg-delta/extract";
import { plan } from "@supabase/pg-delta/plan";
import pg from "pg";

/** One way back from a state to another, as pg-delta words it; a proposal until it was tried. */
export interface Inverse {
  readonly statements: readonly string[];
  /** Why it must not be proposed; null when nothing speaks against trying it. */
  readonly refusal: string | null;
}

/**
 * Asks pg-delta for the SQL that leads from one database's schema to another's. Two wordings: folding clauses into
 * CREATE TABLE loses a UNIQUE now and then, not folding loses column grants, so both are tried by the caller.
 */
export async function computeInverses(fromUrl: string, toUrl: string, owner: string): Promise<Inverse[]> {
  const [from, to] = [await read(fromUrl), await read(toUrl)];
  const unmodeled = [...from.diagnostics, ...to.diagnostics].find((diagnostic) => diagnostic.code === "unmodeled_kind");
  if (unmodeled !== undefined)
    return [{ statements: [], refusal: `pg-delta does not know all objects: ${unmodeled.message}` }];
  return [false, true].map((compact) => {
    const planned = plan(from.factBase, to.factBase, {
      scope: "database",
      defaultOwner: owner,
      renames: "off",
      compact,
      redactSecrets: false,
    });
    const settings = planned.preamble.map((setting) => `SET LOCAL ${setting.name} = ${setting.value}`);
    const apart = planned.actions.find((action) => action.transactionality !== "transactional");
    const refusal = apart === undefined ? null : `it needs more than one transaction: ${apart.sql.split("\n", 1)[0]}`;
    return { statements: [...settings, ...planned.actions.map((action) => action.sql.replace(/;\s*$/, ""))], refusal };
  });
}

async function read(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on("error", () => {});
  try {
    return await extract(pool, { redactSecrets: false });
  } finally {
    await pool.end();
  }
}
