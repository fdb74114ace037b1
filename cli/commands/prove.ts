import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Catalog } from "../../shared/catalog/types.ts";
import { BelayError } from "../../shared/errors.ts";
import { type ProveOptions, proveFolder } from "../../shared/migrations/prove/prove.ts";
import { type Recorded, recordProofs } from "../../shared/migrations/prove/record.ts";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import type { Command, FlagValues, Invocation } from "../command.ts";
import { isDirectory } from "../context.ts";
import { exit } from "../exit.ts";
import { defaultProofFile, openProofFile, type ProofFile } from "../proof-cache.ts";
import { failPolicy, flag, numberOf, text, wantedMigrations } from "../prove-flags.ts";
import { noticeAnnotation, problemAnnotation, proofAnnotation } from "../render/github.ts";
import { proofLines, verdictCounts } from "../render/proof.ts";
import { hang } from "../render/wrap.ts";
import { chooseScratchServer, type ScratchServer } from "../scratch-server.ts";
import { count, mark, paint } from "../terminal.ts";

export const prove: Command = {
  name: "prove",
  summary: "run every rollback on a scratch server and say whether it leads back, and what it loses",
  usage: "[DIR]",
  flags: {
    postgres: text,
    setup: text,
    only: { type: "string", multiple: true },
    since: text,
    "seed-rows": text,
    seed: text,
    timeout: text,
    cache: text,
    "no-cache": flag,
    "no-fix": flag,
    format: text,
    record: flag,
    "fail-on": text,
    strict: flag,
    verbose: flag,
  },
  help: [
    ["DIR", "migrations folder; default that of --migrations"],
    ["--postgres 15|17|18", "version to start when there is no --scratch; default 17"],
    ["--setup FILE", "SQL run first: roles, schemas and extensions that your platform brings (--scratch-setup)"],
    ["--only MIGRATION", "prove this one alone; may be given several times"],
    ["--since VERSION", "prove this version and newer ones alone"],
    ["--seed-rows N", "put N generated rows into every table first, and say what becomes of them"],
    ["--seed NUMBER", "other generated rows; default 1"],
    ["--timeout SECONDS", "longest run of one file; default 60"],
    ["--cache FILE", "where proofs are kept, so that only what changed is proved again; default in your cache folder"],
    ["--no-cache", "prove everything, keep nothing"],
    ["--no-fix", "do not look for SQL that would mend a wrong or missing rollback: faster"],
    ["--format github", "annotations for a pull request"],
    ["--record", "keep the proofs in the target database too, where the gate `rehearsed` looks for them"],
    ["--fail-on A,B", "verdicts to exit 1 on; default the policy's prove.failOn; or none"],
    ["--strict", "exit 1 on all but exact, and where the migration cannot be applied again"],
    ["--verbose", "show every difference in full"],
    ["--json", "one JSON object per migration, one a line"],
  ],
  words: { min: 0, max: 1 },
  problems: "own",
  run: async (invocation) => {
    const { flags, terminal, belay } = invocation;
    const fails = failPolicy(flags, belay.settings.policy);
    const format = formatOf(flags);
    const folder = await openFolder(invocation);
    refuseEmpty(folder);
    const wanted = wantedMigrations(flags, folder);
    const timeout = numberOf(flags, "timeout", 1, 86_400);
    const rows = numberOf(flags, "seed-rows", 1, 10_000);
    const seed = numberOf(flags, "seed", 0, 2_147_483_647) ?? 1;
    const setup = await readSetup(invocation);
    const choice = await chooseScratchServer(belay, typeof flags.postgres === "string" ? flags.postgres : undefined);
    // An extension may be installed there tomorrow.
    const lasting = (proof: Proof) => choice.fixed || proof.verdict !== "environment";
    let unkept: string | null = null;
    const cache = await openCache(flags, folder, lasting, (place) => (unkept = place));
    const show = (proof: Proof) => {
      if (terminal.json) return terminal.print(JSON.stringify(proof));
      const lines = format === "github" ? annotationOf(proof, fails) : proofLines(proof, { ...style, fails });
      for (const line of lines) terminal.line(line);
    };
    const style = { width: terminal.width, verbose: flags.verbose === true };
    showProblems(invocation, folder, format);
    const started = performance.now();
    const states = new Map<string, { before: Catalog; after: Catalog }>();
    let server: ScratchServer | null = null;
    try {
      const proofs = await proveFolder({
        folder,
        server: choice.server,
        openServer: async () => (server = await choice.open()),
        wanted,
        cache,
        fix: flags["no-fix"] !== true,
        setup,
        seed: rows === undefined ? undefined : { rows, seed },
        ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
        ...(flags.record === true ? { onStates: keepStates(states) } : {}),
        onProof: show,
        report: belay.report,
      });
      terminal.settle();
      await cache?.tidy(new Set(proofs.map(({ chain }) => chain)));
      const seconds = (performance.now() - started) / 1000;
      if (flags.record === true)
        showRecorded(invocation, await recordProofs(belay, { folder, proofs, server: choice.server, states }));
      showSummary(invocation, proofs, folder, fails, format, `${choice.words}, ${seconds.toFixed(1)} s`);
      if (unkept !== null && format === "people")
        for (const line of hang(
          "note: ",
          `proofs could not be kept in ${unkept}: the next run proves all again (--cache FILE)`,
          terminal.width,
        ))
          terminal.line(line);
      const broken = folder.problems.some(({ severity }) => severity === "error");
      return broken || proofs.some(fails) ? exit.failed : exit.done;
    } finally {
      await (server as ScratchServer | null)?.stop();
    }
  },
};

type Format = "people" | "github";

function formatOf(flags: FlagValues): Format {
  const { format } = flags;
  if (format === undefined) return "people";
  if (format === "github") return format;
  throw new BelayError("usage", `there is no format ${String(format)}`, { hint: "--format github, or --json" });
}

async function openFolder({ words, folder, belay }: Invocation): Promise<MigrationFolder> {
  const [directory] = words;
  if (directory === undefined) return await folder();
  if (!isDirectory(directory))
    throw new BelayError("usage", `no migrations folder at ${directory}`, { hint: "belay prove DIR" });
  return await readMigrationFolder(directory, belay.settings.layout);
}

/** A wrong path must not pass in CI as a folder in which nothing fails; errors are told, and fail the run. */
function refuseEmpty({ directory, migrations, problems }: MigrationFolder): void {
  if (migrations.length > 0 || problems.some(({ severity }) => severity === "error")) return;
  const below = problems
    .map(({ place }) => dirname(place.file))
    .find((path) => path !== directory && !/\/rollbacks?$/.test(path));
  throw new BelayError("usage", `there is no migration in ${directory}`, {
    hint: below === undefined ? "belay prove DIR, with the folder that your tool reads" : `belay prove ${below}`,
  });
}

async function readSetup({ flags, belay }: Invocation): Promise<{ file: string; sql: string } | undefined> {
  const file = typeof flags.setup === "string" ? flags.setup : belay.settings.scratchSetup;
  if (file === undefined) return undefined;
  const sql = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new BelayError("usage", `the scratch setup ${file} cannot be read`, {
      hint: "Check --setup (BELAY_SCRATCH_SETUP).",
      cause,
    });
  });
  return { file, sql };
}

/** Only a place that was asked for must be writable: a CI machine's home may not be. */
async function openCache(
  flags: FlagValues,
  { directory }: MigrationFolder,
  lasting: (proof: Proof) => boolean,
  onUnkept: (place: string) => void,
): Promise<ProofFile | undefined> {
  if (flags["no-cache"] === true) return undefined;
  if (typeof flags.cache === "string") return await openProofFile(flags.cache, { lasting });
  const place = await defaultProofFile(directory);
  return await openProofFile(place, { lasting, onUnkept: () => onUnkept(place) });
}

function keepStates(states: Map<string, { before: Catalog; after: Catalog }>): ProveOptions["onStates"] {
  return ({ name }, before, after) => {
    states.set(name, { before: before.catalog, after: after.catalog });
  };
}

function showRecorded({ terminal }: Invocation, { proofs, snapshots, note }: Recorded): void {
  terminal.line();
  terminal.line(`On record: ${count(proofs, "new proof")}, snapshots of ${count(snapshots, "migration")}`);
  if (note !== null) for (const line of hang("note: ", note, terminal.width)) terminal.line(line);
}

function annotationOf(proof: Proof, fails: (proof: Proof) => boolean): string[] {
  const line = proofAnnotation(proof, fails(proof));
  return line === null ? [] : [line];
}

function showProblems({ terminal }: Invocation, { problems }: MigrationFolder, format: Format): void {
  for (const problem of problems) {
    // Its proof says the same.
    if (problem.code === "empty_rollback") continue;
    const { severity, place, message } = problem;
    const sign = severity === "error" ? mark.no() : mark.open();
    const lines =
      format === "github"
        ? [problemAnnotation(problem)]
        : hang(`${sign} `, `${place.file}:${place.line}: ${message}`, terminal.width);
    for (const line of lines) terminal.line(line);
  }
}

function showSummary(
  { terminal }: Invocation,
  proofs: readonly Proof[],
  { problems }: MigrationFolder,
  fails: (proof: Proof) => boolean,
  format: Format,
  how: string,
): void {
  const cached = proofs.filter((proof) => proof.cached).length;
  const failed = proofs.filter(fails).length;
  const before = cached === 0 ? "" : `; ${cached} proved before`;
  const all = `${count(proofs.length, "migration")}: ${verdictCounts(proofs) || "nothing to prove"} (${how}${before})`;
  if (format === "github") terminal.line(noticeAnnotation("belay prove", all));
  terminal.line();
  terminal.line(paint("bold", all));
  const losing = proofs.filter(({ loses }) => loses.length > 0).length;
  if (losing > 0) terminal.line(`${count(losing, "rollback")} would destroy rows or columns.`);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  if (failed > 0) terminal.line(`${mark.no()} ${failed} ${failed === 1 ? "fails" : "fail"}`);
  else if (errors === 0) terminal.line(`${mark.yes()} none fails`);
  if (errors > 0) terminal.line(`${mark.no()} ${count(errors, "error")} in the folder, see above`);
}
