import { extract } from "@supabase/pg-delta/extract";
import { plan } from "@supabase/pg-delta/plan";
import pg from "pg";

/** One way back from a state to another, as pg-delta words it; a proposal until it was tried. */
export interface Wording {
  readonly statements: readonly string[];
  /** Why it must not be proposed; null when nothing speaks against trying it. */
  readonly refusal: string | null;
}

// Folding clauses into CREATE TABLE loses a UNIQUE now and then, not folding loses column grants; a rename that is not
// seen as one becomes a drop and create.
const wordings = [
  { compact: false, renames: "auto" },
  { compact: true, renames: "auto" },
  { compact: false, renames: "off" },
] as const;

/**
 * Asks pg-delta for the SQL that leads from one database's schema to another's: several wordings, each made when it is
 * asked for. Where it does not know an object at all, there is one wording, refused.
 */
export async function readWordings(
  fromUrl: string,
  toUrl: string,
  roles: { readonly owner: string; readonly all: readonly string[] },
): Promise<readonly (() => Wording)[]> {
  const [from, to] = [await read(fromUrl), await read(toUrl)];
  const unmodeled = [...from.diagnostics, ...to.diagnostics].find((diagnostic) => diagnostic.code === "unmodeled_kind");
  if (unmodeled !== undefined) return [() => refused(`pg-delta does not know all objects: ${unmodeled.message}`)];
  const known = { defaultOwner: roles.owner, assumedRoles: [...roles.all] };
  return wordings.map((wording) => () => {
    try {
      const options = { scope: "database", redactSecrets: false, ...wording, ...known } as const;
      return wordOf(plan(from.factBase, to.factBase, options));
    } catch (error) {
      return refused(`pg-delta found no way back: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

function refused(refusal: string): Wording {
  return { statements: [], refusal };
}

function wordOf(planned: ReturnType<typeof plan>): Wording {
  const settings = planned.preamble.map((setting) => `SET LOCAL ${setting.name} = ${setting.value}`);
  const apart = planned.actions.find((action) => action.transactionality !== "transactional");
  if (apart !== undefined) return refused(`it needs more than one transaction: ${apart.sql.split("\n", 1)[0]}`);
  if (planned.actions.length === 0) return { statements: [], refusal: null };
  return {
    statements: [...settings, ...planned.actions.map((action) => action.sql.replace(/;\s*$/, ""))],
    refusal: null,
  };
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
