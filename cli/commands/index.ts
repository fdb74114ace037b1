import { BelayError } from "../../shared/errors.ts";
import type { Command } from "../command.ts";
import { archives } from "./archives.ts";
import { audit } from "./audit.ts";
import { check } from "./check.ts";
import { drill } from "./drill.ts";
import { dump } from "./dump.ts";
import { init } from "./init.ts";
import { list } from "./list.ts";
import { register } from "./register.ts";
import { rollback } from "./rollback.ts";
import { sync } from "./sync.ts";
import { template } from "./template.ts";
import { undo } from "./undo.ts";

export const commands: readonly Command[] = [
  init,
  list,
  check,
  rollback,
  undo,
  register,
  template,
  sync,
  dump,
  archives,
  drill,
  audit,
];

/** The command of that name or alias; throws `usage`. */
export function findCommand(name: string): Command {
  const found = commands.find((command) => command.name === name || command.aliases?.includes(name));
  if (found !== undefined) return found;
  throw new BelayError("usage", `there is no command ${name}`, { hint: "See: belay --help" });
}
