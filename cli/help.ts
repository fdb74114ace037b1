import type { Command } from "./command.ts";
import { hang } from "./render/wrap.ts";
import { targetUsage } from "./target.ts";

const settingsHelp: readonly (readonly [string, string])[] = [
  ["--database URL", "target database, direct or session-pooled (BELAY_DATABASE_URL)"],
  ["--store URL", "archives: s3://bucket/prefix?endpoint=...&region=... or file:///dir (BELAY_STORE)"],
  ["--scratch URL", "server where scratch databases may be created (BELAY_SCRATCH_URL)"],
  ["--scratch-setup FILE", "SQL run first in a scratch database: roles, auth schema (BELAY_SCRATCH_SETUP)"],
  ["--migrations DIR", "migrations folder, default supabase/migrations (BELAY_MIGRATIONS)"],
  [
    "--layout NAME",
    "section, rollbacks-folder, prefix, mirror-folder, up-down-pair, dbmate, goose, flyway, folder-pair or sql-migrate; found by itself when left out",
  ],
  ["--actor NAME", "who is on record (BELAY_ACTOR, else USER)"],
  ["--policy FILE", "which risk needs which gate (BELAY_POLICY, else belay.policy.json here, else the default)"],
  ["--json", "one JSON document on standard output"],
];

const exitHelp =
  "Exit codes: 0 done, 1 failed and nothing changed, 2 usage, 3 blocked by a gate, 4 lock not obtained, 5 drill not passed, 6 done, but a health check fails since.";

/** Columns that a flag may take beside its meaning; longer ones stand on a line of their own. */
const widestFlag = 26;

function aligned(rows: readonly (readonly [string, string])[], width: number): string[] {
  const column = Math.min(widestFlag, Math.max(...rows.map(([flag]) => flag.length)));
  return rows.flatMap(([flag, meaning]) => {
    if (flag.length <= column) return hang(`  ${flag.padEnd(column)}  `, meaning, width);
    return [`  ${flag}`, ...hang(" ".repeat(column + 4), meaning, width)];
  });
}

const everyCommand = (width: number, own: readonly (readonly [string, string])[] = []): string[] => [
  "Flags of every command:",
  ...aligned(
    settingsHelp.filter(([flag]) => !own.some(([name]) => name === flag)),
    width,
  ),
  "",
  ...hang("", exitHelp, width),
];

/** `width`: columns that a line may have. */
export function generalHelp(commands: readonly Command[], width = Number.POSITIVE_INFINITY): string {
  const rows = commands.map(({ name, usage, summary }) => {
    return [`${name} ${usage === targetUsage ? "TARGET" : usage}`.trim(), summary] as const;
  });
  return [
    "belay: rolls back a Postgres migration without losing a row",
    "",
    "Usage: belay COMMAND [flags]",
    "",
    ...aligned(rows, width),
    "",
    ...hang("TARGET: ", targetUsage.replaceAll("|", " | "), width),
    ...hang("", "Flags of one command: belay COMMAND --help", width),
    "",
    ...everyCommand(width),
  ].join("\n");
}

export function commandHelp(command: Command, width = Number.POSITIVE_INFINITY): string {
  return [
    ...hang("", `belay ${`${command.name} ${command.usage}`.trim()}: ${command.summary}`, width),
    ...(command.aliases ? [`Also: belay ${command.aliases.join(", belay ")}`] : []),
    "",
    ...(command.help.length > 0 ? ["Flags:", ...aligned(command.help, width), ""] : []),
    ...everyCommand(width, command.help),
  ].join("\n");
}
