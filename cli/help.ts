import type { Command } from "./command.ts";

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
  "Exit codes: 0 done, 1 failed and nothing changed, 2 usage, 3 blocked by a gate, 4 lock not obtained, 5 drill not passed.";

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return rows.map(([flag, meaning]) => `  ${flag.padEnd(width)}  ${meaning}`);
}

export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`${command.name} ${command.usage}`.trim(), command.summary] as const);
  return [
    "belay: rolls back a Postgres migration without losing a row",
    "",
    "Usage: belay COMMAND [flags]",
    "",
    ...aligned(rows),
    "",
    "Flags of every command:",
    ...aligned(settingsHelp),
    "",
    exitHelp,
  ].join("\n");
}

export function commandHelp(command: Command): string {
  return [
    `belay ${`${command.name} ${command.usage}`.trim()}: ${command.summary}`,
    ...(command.aliases ? [`Also: belay ${command.aliases.join(", belay ")}`] : []),
    "",
    ...(command.help.length > 0 ? ["Flags:", ...aligned(command.help), ""] : []),
    "Flags of every command:",
    ...aligned(settingsHelp),
    "",
    exitHelp,
  ].join("\n");
}
