import { BelayError } from "../../shared/errors.ts";
import type { Command } from "../command.ts";

/** In the order of the help. Each is loaded when it is asked for: what one command needs costs the others no time. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./init.ts")).init,
  list: async () => (await import("./list.ts")).list,
  check: async () => (await import("./check.ts")).check,
  plan: async () => (await import("./plan.ts")).plan,
  rollback: async () => (await import("./rollback.ts")).rollback,
  approve: async () => (await import("./approve.ts")).approve,
  notify: async () => (await import("./notify.ts")).notify,
  undo: async () => (await import("./undo.ts")).undo,
  quarantine: async () => (await import("./quarantine.ts")).quarantine,
  incident: async () => (await import("./incident.ts")).incident,
  maintenance: async () => (await import("./maintenance.ts")).maintenance,
  register: async () => (await import("./register.ts")).register,
  template: async () => (await import("./template.ts")).template,
  prove: async () => (await import("./prove.ts")).prove,
  fix: async () => (await import("./fix.ts")).fix,
  repair: async () => (await import("./repair.ts")).repair,
  inventory: async () => (await import("./inventory.ts")).inventory,
  sync: async () => (await import("./sync.ts")).sync,
  dump: async () => (await import("./dump.ts")).dump,
  restore: async () => (await import("./restore.ts")).restore,
  archives: async () => (await import("./archives.ts")).archives,
  prune: async () => (await import("./prune.ts")).prune,
  drill: async () => (await import("./drill.ts")).drill,
  policy: async () => (await import("./policy.ts")).policy,
  audit: async () => (await import("./audit.ts")).audit,
};
const aliases: Readonly<Record<string, string>> = { status: "list" };

/** Every command, for the help. */
export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

/** The command of that name or alias; throws `usage`. */
export async function findCommand(name: string): Promise<Command> {
  const known = Object.hasOwn(aliases, name) ? aliases[name]! : name;
  if (Object.hasOwn(loaders, known)) return await loaders[known]!();
  throw new BelayError("usage", `there is no command ${name}`, { hint: "See: belay --help" });
}
