import type { Belay } from "../../shared/context.ts";
import { BelayError } from "../../shared/errors.ts";
import { proposeTemplates, type TemplateProposal } from "../../shared/migrations/template/propose.ts";
import type { MigrationFolder } from "../../shared/migrations/types.ts";
import type { Command, FlagValues, Invocation } from "../command.ts";
import { exit } from "../exit.ts";
import { templateLines, writtenLines } from "../render/template.ts";
import { chooseScratchServer } from "../scratch-server.ts";
import { type WrittenRollback, writeRollback } from "../write-rollback.ts";

export const template: Command = {
  name: "template",
  summary: "propose rollback SQL, tried on a scratch copy, with what it loses; --write puts it into the file",
  usage: "[MIGRATION]",
  flags: {
    write: { type: "boolean" },
    force: { type: "boolean" },
    all: { type: "boolean" },
    missing: { type: "boolean" },
    postgres: { type: "string" },
  },
  help: [
    ["--write", "put it where the folder's layout has rollback SQL; other SQL there is never written over"],
    ["--force", "with --write: write over other rollback SQL, and write what is not proved"],
    ["--missing", "for every migration without rollback SQL"],
    ["--all", "for every migration"],
    ["--postgres 15|17|18", "version to start when there is no --scratch; default 17"],
  ],
  words: { min: 0, max: 1 },
  run: async (invocation) => {
    const { flags, terminal, belay } = invocation;
    const folder = flags.write ? await invocation.folder() : await invocation.folderIfAny();
    const names = namesOf(invocation, folder);
    if (names.length === 0) {
      if (terminal.json) terminal.document([]);
      terminal.line("Every migration has rollback SQL.");
      return exit.done;
    }
    const proposals = await propose(belay, flags, names, folder);
    terminal.settle();
    const written: WrittenRollback[] = [];
    const problems: string[] = [];
    for (const proposal of proposals) {
      for (const line of templateLines(proposal, terminal.width, !flags.write)) terminal.line(line);
      if (!flags.write || proposal.body === null) continue;
      if (isUnsafe(proposal) && !flags.force) {
        problems.push(`${proposal.migration}: not proved, so it is not written; --force writes it`);
        continue;
      }
      const options = { force: flags.force === true, now: stamp(belay, written.length), layout: belay.settings.layout };
      written.push(await writeRollback(folder!, proposal, options));
      for (const line of writtenLines(written.at(-1)!, folder!.directory, terminal.width)) terminal.line(line);
    }
    for (const problem of problems) terminal.line(problem);
    if (terminal.json) terminal.document(documentOf(flags, proposals, written));
    return isDone(proposals, written, problems) ? exit.done : exit.failed;
  },
};

function namesOf({ words, flags }: Invocation, folder: MigrationFolder | undefined): string[] {
  const [name] = words;
  const many = flags.all === true || flags.missing === true;
  if ((name !== undefined) === many)
    throw new BelayError("usage", many ? "name a migration, or give --all or --missing" : "which migration?", {
      hint: "belay template MIGRATION, or --missing, or --all",
    });
  if (name !== undefined) return [name];
  if (folder === undefined)
    throw new BelayError("usage", "--all and --missing need a migrations folder", { hint: "Pass --migrations DIR." });
  return folder.migrations.filter(({ rollback }) => flags.all || rollback === null).map((one) => one.name);
}

async function propose(
  belay: Belay,
  flags: FlagValues,
  names: readonly string[],
  folder: MigrationFolder | undefined,
): Promise<TemplateProposal[]> {
  const choice = await chooseScratchServer(belay, typeof flags.postgres === "string" ? flags.postgres : undefined);
  const server = await choice.open();
  try {
    const own: Belay = Object.create(belay, { scratchUrl: { value: server.scratchUrl } });
    return await proposeTemplates(own, names, folder);
  } finally {
    await server.stop();
  }
}

function isUnsafe({ state }: TemplateProposal): boolean {
  return state !== "proved" && state !== "column_order";
}

/** Files of one run differ in their time, so that each has its own name. */
function stamp(belay: Belay, index: number): Date {
  return new Date(belay.now().getTime() + index * 1000);
}

function isDone(
  proposals: readonly TemplateProposal[],
  written: readonly WrittenRollback[],
  problems: readonly string[],
): boolean {
  const fine = ["proved", "column_order", "nothing_to_do"];
  return (
    problems.length === 0 &&
    proposals.every(({ state }) => fine.includes(state)) &&
    written.every(({ state }) => state !== "exists")
  );
}

function documentOf(
  flags: FlagValues,
  proposals: readonly TemplateProposal[],
  written: readonly WrittenRollback[],
): unknown {
  const all = proposals.map((proposal) => {
    const found = written.find(({ migration }) => migration === proposal.migration);
    const { body: _, ...rest } = proposal;
    return { ...rest, written: found === undefined ? null : { state: found.state, file: found.file } };
  });
  return flags.all === true || flags.missing === true ? all : all[0];
}
