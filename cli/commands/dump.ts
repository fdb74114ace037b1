import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { type DumpProfile, dumpProfiles } from "../../shared/archive/write/profile.ts";
import { BelayError } from "../../shared/errors.ts";
import type { Command, FlagValues } from "../command.ts";
import { exit } from "../exit.ts";
import { bytes, count, mark } from "../terminal.ts";

export const dump: Command = {
  name: "dump",
  summary: "archive the whole database, read back and verified",
  usage: "",
  flags: {
    profile: { type: "string" },
    jobs: { type: "string" },
    compress: { type: "string" },
    reason: { type: "string" },
  },
  help: [
    ["--profile all|supabase", "supabase, the default for a Supabase project: without the platform's own schemas"],
    ["--jobs N", "tables read at the same time, 1 to 16; default 2"],
    ["--compress LEVEL", "gzip's, 0 to 9; default 6"],
    ["--reason TEXT", "why, for the record"],
  ],
  words: { min: 0, max: 0 },
  run: async ({ flags, terminal, belay }) => {
    const reason = typeof flags.reason === "string" ? flags.reason : "belay dump";
    const asked = profileFlag(flags);
    const readers = numberFlag(flags, "jobs", 1, 16);
    const gzipLevel = numberFlag(flags, "compress", 0, 9);
    const found: { profile?: DumpProfile } = {};
    const manifest = await dumpDatabase(belay, {
      reason,
      ...(asked === undefined ? {} : { profile: asked }),
      ...(readers === undefined ? {} : { readers }),
      ...(gzipLevel === undefined ? {} : { gzipLevel }),
      onProfile: (profile) => {
        found.profile = profile;
      },
    });
    terminal.settle();
    if (terminal.json) terminal.document(manifest);
    const rows = manifest.tables.reduce((sum, one) => sum + one.rows, 0);
    const stored = manifest.objects.reduce((sum, one) => sum + one.bytes, 0);
    const { largeObjects } = manifest;
    const large = largeObjects.length === 0 ? "" : ` ${count(largeObjects.length, "large object")},`;
    terminal.line(
      `${mark.yes()} ${manifest.id}: ${count(manifest.tables.length, "table")}, ${count(rows, "row")},${large} ${bytes(stored)} stored and read back`,
    );
    if (found.profile === "supabase" && asked === undefined)
      terminal.line(
        "  note: this is a Supabase project, so the platform's own schemas (auth, storage...) are not in it; with --profile all they are",
      );
    else if (manifest.roles.includes("supabase_admin"))
      terminal.line(
        "  note: the platform's own schemas are in it (auth, storage...): restore it on a server of your own, not into a Supabase project",
      );
    return exit.done;
  },
};

function profileFlag(flags: FlagValues): DumpProfile | undefined {
  if (flags.profile === undefined) return undefined;
  const known = dumpProfiles.find((profile) => profile === flags.profile);
  if (known !== undefined) return known;
  throw new BelayError("usage", `there is no profile ${flags.profile}`, {
    hint: "--profile all or --profile supabase",
  });
}

function numberFlag(flags: FlagValues, name: string, least: number, most: number): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BelayError("usage", `--${name} ${text} is not a number from ${least} to ${most}`, {
    hint: "See: belay dump --help",
  });
}
