import { BelayError } from "../../shared/errors.ts";
import { mergeProofs, proofsOfFile, recordedFacts } from "../../shared/migrations/inventory/facts.ts";
import { type InventoryFacts, inventoryOf } from "../../shared/migrations/inventory/inventory.ts";
import { inventoryMarkdown, withInventory } from "../../shared/migrations/inventory/markdown.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import { withSession } from "../../shared/with-session.ts";
import type { Command, Invocation } from "../command.ts";
import { exit } from "../exit.ts";
import { defaultProofFile, readProofs } from "../proof-cache.ts";
import { diffLines } from "../render/diff.ts";
import { mark } from "../terminal.ts";
import { readIfThere, writeWhole } from "../write-file.ts";

export const inventory: Command = {
  name: "inventory",
  summary: "the table of rollbacks for your docs: purpose, drops, data loss, risk, proof",
  usage: "",
  flags: { output: { type: "string" }, check: { type: "boolean" }, proofs: { type: "string" } },
  help: [
    ["--output FILE", "write it there: between its marks in a document, or as a new one; default standard output"],
    ["--check", "with --output: change nothing, and exit 1 when the file is out of date"],
    ["--proofs FILE", "proofs of `belay prove --cache FILE`; default those in your cache folder"],
  ],
  words: { min: 0, max: 0 },
  run: async (invocation) => {
    const { flags, terminal } = invocation;
    const folder = await invocation.folder();
    const rows = inventoryOf(folder, await factsOf(invocation, folder));
    const markdown = inventoryMarkdown(rows);
    const output = typeof flags.output === "string" ? flags.output : null;
    if (output === null) {
      if (flags.check === true)
        throw new BelayError("usage", "--check needs the file to look at", { hint: "--check --output FILE" });
      if (terminal.json) terminal.document({ rollbacks: rows });
      else terminal.print(markdown.trimEnd());
      return exit.done;
    }
    const old = await readIfThere(output);
    const next = withInventory(old, markdown);
    if (next === null)
      throw new BelayError("usage", `${output} holds other text and no table of Belay's, so it was left as it is`, {
        hint: "Name another file, or put `belay inventory` of standard output where you want it: its marks are found again.",
      });
    const changed = next !== old;
    if (changed && flags.check !== true) await writeWhole(output, next);
    if (terminal.json) terminal.document({ file: output, changed, rollbacks: rows });
    if (changed && flags.check === true) {
      terminal.line(`${mark.no()} ${output} is out of date: belay inventory --output ${output}`);
      for (const line of diffLines(old ?? "", next, 0)) terminal.line(`  ${line}`);
      return exit.failed;
    }
    terminal.line(`${mark.yes()} ${output} ${changed ? "written" : "is up to date"}: ${rows.length} migrations`);
    return exit.done;
  },
};

async function factsOf({ flags, belay }: Invocation, folder: MigrationFolder): Promise<InventoryFacts> {
  const file = typeof flags.proofs === "string" ? flags.proofs : await defaultProofFile(folder.directory);
  const setup = belay.settings.scratchSetup;
  const setupSql = setup === undefined ? null : await readIfThere(setup);
  const kept = await readProofs(file);
  if (kept.length === 0 && typeof flags.proofs === "string")
    throw new BelayError("usage", `there are no proofs in ${file}`, { hint: `belay prove --cache ${file}` });
  const own = proofsOfFile(folder, kept, setupSql);
  if (belay.settings.database === undefined) return { proofs: own, statuses: null };
  const recorded = await withSession(belay, "belay inventory", (session) => recordedFacts(session, folder));
  return { proofs: mergeProofs(own, recorded.proofs), statuses: recorded.statuses };
}
