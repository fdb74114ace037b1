import { exitCodeOf } from "../../cli/exit.ts";
import { readPolicy } from "../../cli/policy.ts";
import { settingsFromEnvironment } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { isBelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { undoRollback } from "../../shared/rollback/undo/undo.ts";
import { openStore } from "../../shared/store/open.ts";
import { startCommand } from "./command.ts";
import type { World } from "./world.ts";

export interface Answer {
  readonly exitCode: number | null;
  readonly output: string;
}

export interface Place {
  readonly database: string;
  readonly prefix: string;
}

/** What a person does next, without a fault: by the command line itself or, which takes a third of the time, by its verbs. */
export async function runPlainly(
  world: World,
  words: readonly string[],
  place: Place,
  byCommand: boolean,
): Promise<Answer> {
  if (byCommand)
    return startCommand(words, {
      keys: world.credentials,
      database: world.url(place.database),
      store: world.storeUrl(place.prefix),
      policy: world.policies.usual,
    }).ended;
  const belay = belayOf(world, place);
  const names = words.slice(1, words.indexOf("--yes"));
  const reason = "to see it whole again";
  try {
    if (words[0] === "undo") await undoRollback(belay, { migration: names[0]!, reason });
    else await executeRollback(belay, { migrations: names, reason });
    return { exitCode: 0, output: "" };
  } catch (error) {
    if (!isBelayError(error)) throw error;
    return { exitCode: exitCodeOf(error.code), output: `[${error.code}] ${error.message}` };
  }
}

function belayOf(world: World, { database, prefix }: Place): Belay {
  const { policy } = readPolicy(world.policies.usual);
  const settings = settingsFromEnvironment({}, { policy, database: world.url(database), actor: "faults" });
  return {
    settings,
    actor: settings.actor,
    openSession: (options) => openSession(world.url(database), options),
    store: openStore(world.storeUrl(prefix), world.credentials),
    scratchUrl: null,
    report: () => {},
    now: () => new Date(),
  };
}
