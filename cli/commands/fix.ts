import { BelayError } from "../../shared/errors.ts";
import { type FixReport, fixFolder } from "../../shared/migrations/fix/fix.ts";
import type { Command } from "../command.ts";
import { isDirectory } from "../context.ts";
import { exit } from "../exit.ts";
import { printable } from "../render/printable.ts";
import { hang } from "../render/wrap.ts";
import { count, mark, paint, type Terminal } from "../terminal.ts";

export const fix: Command = {
  name: "fix",
  summary: "comment out rollback sections that would run with their migration; show what else can be mended",
  usage: "",
  flags: { apply: { type: "boolean" }, move: { type: "boolean" } },
  help: [
    ["--apply", "write the files; without it nothing changes"],
    ["--move", "with --apply: move rollback files that supabase db push would run as migrations"],
  ],
  words: { min: 0, max: 0 },
  run: async ({ flags, terminal, belay }) => {
    const directory = belay.settings.migrations;
    if (!isDirectory(directory))
      throw new BelayError("usage", `no migrations folder at ${directory}`, { hint: "Pass --migrations DIR." });
    if (flags.move === true && flags.apply !== true)
      throw new BelayError("usage", "--move goes with --apply", {
        hint: "Without --apply, belay fix shows what it would move.",
      });
    const report = await fixFolder(directory, { apply: flags.apply === true, move: flags.move === true });
    if (terminal.json) terminal.document(report);
    for (const line of renderFix(report, terminal)) terminal.line(line);
    const stays = report.refused.length > 0 || (flags.move === true && report.moves.some((one) => !one.applied));
    return stays ? exit.failed : exit.done;
  },
};

function renderFix({ directory, fixes, moves, refused }: FixReport, { width }: Terminal): string[] {
  if (fixes.length + moves.length + refused.length === 0) return [`${mark.yes()} nothing to mend in ${directory}`];
  const applied = fixes.filter((one) => one.applied).length;
  return [
    ...fixes.flatMap(({ file, changes }) => [
      paint("bold", printable(file)),
      paint("cyan", `@@ line ${changes[0]!.line} to ${changes.at(-1)!.line} @@`),
      ...changes.map(({ before }) => paint("red", `-${printable(before)}`)),
      ...changes.map(({ after }) => paint("green", `+${printable(after)}`)),
      "",
    ]),
    ...moves.map(({ from, to, applied: moved, refused: why }) =>
      why === null
        ? moved
          ? `${mark.yes()} moved ${printable(from)} to ${printable(to)}`
          : `${mark.open()} git mv ${printable(from)} ${printable(to)}`
        : `${mark.no()} ${printable(from)} stays: ${printable(why)}`,
    ),
    ...refused.map(({ file, reason }) => `${mark.no()} ${printable(file)}: ${reason}`),
    ...(fixes.length === 0
      ? []
      : applied > 0
        ? [`${mark.yes()} ${count(applied, "file")} mended`, ...hang("  ", registeredNote, width)]
        : [`${mark.open()} ${count(fixes.length, "file")} to mend: belay fix --apply writes them`]),
    ...(moves.some((one) => !one.applied && one.refused === null)
      ? hang("  ", "supabase db push runs these as migrations: belay fix --apply --move moves them", width)
      : []),
  ];
}

const registeredNote =
  "Forward SQL and rollback SQL read as before, so a migration that is registered stays as it is; only the checksum of its whole file " +
  "changes. Where your tool has run such a file, what it created is gone again: look with belay check.";
