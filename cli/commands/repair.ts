import { BelayError } from "../../shared/errors.ts";
import { inspectForRepair, repairMigration } from "../../shared/migrations/repair/repair.ts";
import type { RepairEvidence, RepairWay } from "../../shared/migrations/repair/types.ts";
import type { Command, Invocation } from "../command.ts";
import { exit } from "../exit.ts";
import { evidenceLines } from "../render/repair.ts";
import { mark } from "../terminal.ts";

export const repair: Command = {
  name: "repair",
  summary: "settle the record of a half-applied migration, after a person mended the database",
  usage: "MIGRATION",
  flags: {
    applied: { type: "boolean" },
    "not-applied": { type: "boolean" },
    reason: { type: "string" },
    force: { type: "boolean" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ["--applied", "it is applied now: all of it was completed by hand"],
    ["--not-applied", "it is not applied: all of it was taken back by hand"],
    ["--reason TEXT", "why, for the record (asked for on a terminal)"],
    ["--force", "settle it though the objects in the database speak against it"],
    ["-y, --yes", "do not ask; needed when not on a terminal"],
  ],
  words: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, terminal, belay, flags } = invocation;
    const migration = words[0]!;
    const evidence = await inspectForRepair(belay, migration);
    terminal.settle();
    for (const line of evidenceLines(evidence, terminal.width)) terminal.line(line);
    const way = await chosen(invocation, evidence);
    if (way === null) {
      if (terminal.json) terminal.document({ evidence });
      terminal.line(evidence.status === "failed" ? "Nothing was changed." : "Nothing is open: its record stands.");
      return evidence.status === "failed" ? exit.failed : exit.done;
    }
    const reason = await reasonOf(invocation);
    const report = await repairMigration(belay, { migration, way, reason, force: flags.force === true });
    if (terminal.json) terminal.document(report);
    terminal.line(
      report.from === report.to
        ? `${mark.yes()} ${report.migration} is on record as ${report.to.replace("_", " ")}, as it was`
        : `${mark.yes()} ${report.migration} is on record as ${report.to.replace("_", " ")} now; it was ${report.from}`,
    );
    for (const note of report.notes) terminal.line(`  ${note}`);
    return exit.done;
  },
};

/** Which way it is settled; null when a person says neither, or when nothing is open and no way was given. */
async function chosen({ flags, terminal }: Invocation, evidence: RepairEvidence): Promise<RepairWay | null> {
  const applied = flags.applied === true;
  if (applied && flags["not-applied"] === true)
    throw new BelayError("usage", "--applied and --not-applied exclude each other", {
      hint: "Give the one that is true.",
    });
  const given: RepairWay | null = applied ? "applied" : flags["not-applied"] === true ? "not_applied" : null;
  if (given === null && evidence.status !== "failed") return null;
  if (given !== null && (flags.yes === true || !evidenceAsks(evidence))) return given;
  if (!terminal.interactive)
    throw new BelayError("usage", "not on a terminal, so nothing is asked and nothing was changed", {
      hint: 'Pass --applied or --not-applied, with --yes --reason "...".',
    });
  if (given !== null)
    return (await terminal.confirm(`Put on record that it is ${given.replace("_", " ")}?`)) ? given : null;
  if (await terminal.confirm("Is all of it applied now?")) return "applied";
  return (await terminal.confirm("Is none of it applied now?")) ? "not_applied" : null;
}

function evidenceAsks({ status }: RepairEvidence): boolean {
  return status === "failed";
}

async function reasonOf({ flags, terminal }: Invocation): Promise<string> {
  const given = typeof flags.reason === "string" ? flags.reason.trim() : "";
  const reason = given !== "" || !terminal.interactive ? given : await terminal.ask("What was done to mend it?");
  if (reason !== "") return reason;
  throw new BelayError("usage", "a repair needs a reason", { hint: 'Pass --reason "...".' });
}
