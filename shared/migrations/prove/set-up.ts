import { BelayError } from "../../errors.ts";
import type { Chain } from "./chain.ts";
import { runScript } from "./run-script.ts";
import { readScript } from "./script.ts";
import { errorWords } from "./words.ts";

/** Runs the team's own setup (roles, schemas, extensions that the platform brings) before any migration; throws `sql_failed`. */
export async function setUpChain(
  chain: Pick<Chain, "place" | "limited">,
  setup: { readonly file: string; readonly sql: string },
): Promise<void> {
  const script = readScript(setup.sql, { file: setup.file, line: 1 });
  const { error } = await runScript((await chain.place()).session, script, chain.limited);
  if (error === null) return;
  throw new BelayError("sql_failed", `the scratch setup failed: ${errorWords(error)}`, {
    hint: "Mend the file given with --setup (BELAY_SCRATCH_SETUP).",
    details: { file: setup.file, sqlstate: error.code },
  });
}
