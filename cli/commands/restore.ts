import { databaseExists } from "../../shared/archive/restore/create-database.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";
import { restoreAnew } from "../../shared/archive/restore/restore-anew.ts";
import { BelayError } from "../../shared/errors.ts";
import type { Command, FlagValues } from "../command.ts";
import { exit } from "../exit.ts";
import { renderRestore } from "../render/restore.ts";
import { bytes } from "../terminal.ts";

export const restore: Command = {
  name: "restore",
  summary: "restore an archive, whoever wrote it, into a database",
  usage: "ARCHIVE_OR_URL --into URL | --runbook [ARCHIVE]",
  flags: {
    into: { type: "string" },
    create: { type: "boolean" },
    jobs: { type: "string", short: "j" },
    table: { type: "string", multiple: true },
    "schema-only": { type: "boolean" },
    "no-owner": { type: "boolean" },
    "no-acl": { type: "boolean" },
    "no-analyze": { type: "boolean" },
    "index-memory": { type: "string" },
    resume: { type: "boolean" },
    "into-non-empty": { type: "boolean" },
    runbook: { type: "boolean" },
    "dry-run": { type: "boolean" },
    reason: { type: "string" },
    yes: { type: "boolean", short: "y" },
  },
  help: [
    ["ARCHIVE_OR_URL", "an archive's id, or the file:// or s3:// place of any: Belay's, pg_dump's, plain SQL"],
    ["--into URL", "the database to restore into; empty, and never the archive's source"],
    ["--create", "make that database first, with the archived one's encoding and locale"],
    ["--jobs N, -j N", "sessions that work at the same time, default 2"],
    ["--table SCHEMA.TABLE", "only this table, with what it needs; may be given several times"],
    ["--schema-only", "everything but the rows"],
    ["--no-owner", "all objects belong to the restoring role"],
    ["--no-acl", "no grants and no default privileges"],
    ["--no-analyze", "leave the planner's statistics to autovacuum"],
    ["--index-memory MB", "memory for each index build; default: the server's setting, or its share of shared_buffers"],
    ["--resume", "go on with a restore that was cut off; what is restored is kept"],
    ["--into-non-empty", "restore beside what is in the database already"],
    ["--runbook", "the full restore of the live database, led step by step: see docs/full-restore.md"],
    ["--dry-run", "with --runbook: the steps and how long they take; change nothing"],
    ["--reason TEXT", "with --runbook: why, for the record"],
    ["-y, --yes", "with --runbook: do not ask; needed when not on a terminal"],
  ],
  words: { min: 0, max: 1 },
  run: async (invocation) => {
    const { words, flags, terminal, belay, openArchive } = invocation;
    if (flags.runbook === true) return (await import("./restore-runbook.ts")).runbook(invocation);
    if (words.length === 0)
      throw new BelayError("usage", "belay restore needs an archive", {
        hint: "Name its id, or the file:// or s3:// place of any archive. `belay archives list` lists those of the store.",
      });
    const url = requireUrl(flags);
    const archive = await openArchive(words[0]!);
    const stored =
      archive.format === "plain"
        ? archive.bytes
        : (archive.manifest?.objects.reduce((sum, one) => sum + one.bytes, 0) ?? null);
    if (stored !== null) belay.report({ phase: "restore", message: `${archive.place.url}: ${bytes(stored)} stored` });
    const anew = flags.create === true && !(flags.resume === true && (await databaseExists(url)));
    const report = await (anew ? restoreAnew : restoreArchive)({
      archive,
      url,
      made: flags.create === true,
      jobs: numberOf(flags, "jobs", 64),
      tables: flags.table as readonly string[] | undefined,
      rows: flags["schema-only"] !== true,
      owners: flags["no-owner"] !== true,
      grants: flags["no-acl"] !== true,
      analyze: flags["no-analyze"] !== true,
      // Cut off before there was a database, a restore begins.
      resume: flags.resume === true && !anew,
      intoNonEmpty: flags["into-non-empty"] === true,
      indexMemoryBytes: megabytes(numberOf(flags, "index-memory", 1_000_000)),
      report: belay.report,
    });
    terminal.settle();
    if (terminal.json) terminal.document(report);
    for (const line of renderRestore(report, terminal)) terminal.line(line);
    return exit.done;
  },
};

function requireUrl(flags: FlagValues): string {
  if (typeof flags.into === "string" && /^postgres(ql)?:\/\//.test(flags.into)) return flags.into;
  const what = flags.into === undefined ? "belay restore needs --into URL" : "--into is not a postgres:// URL";
  throw new BelayError("usage", what, {
    hint: "Name the database to restore into: --into postgres://user:password@host:port/database (with --create to make it).",
  });
}

function numberOf(flags: FlagValues, name: string, most: number): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new BelayError("usage", `--${name} ${String(text)} is not a number from 1 to ${most}`);
}

function megabytes(count: number | undefined): number | undefined {
  return count === undefined ? undefined : count * 1_000_000;
}
