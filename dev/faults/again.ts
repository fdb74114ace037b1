import { exitCodeOf } from "../../cli/exit.ts";
import { readPolicy } from "../../cli/policy.ts";
import { settingsFromEnvironment } from "../../shared/config.ts";
import type { Belay } from "../../shared/context.ts";
import { isBelayError } from "../../shared/errors.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { rollBackWithHooks } from "../../shared/rollback/incident/roll-back-with-hooks.ts";
import { undoWithHooks } from "../../shared/rollback/incident/undo-with-hooks.ts";
import { openStore } from "../../shared/store/open.ts";
import { type Command, type CommandPlace, startCommand } from "./command.ts";
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
  return runHere(words, {
    keys: world.credentials,
    database: world.url(place.database),
    store: world.storeUrl(place.prefix),
    policy: world.policies.usual,
  });
}

/** Starts a command by its verbs, as the command line calls them, in this process. */
export function startHere(words: readonly string[], place: CommandPlace): Command {
  const started = performance.now();
  const ended = runHere(words, place).then((answer) => ({
    ...answer,
    signal: null,
    ms: performance.now() - started,
  }));
  return { child: null, ended };
}

async function runHere(words: readonly string[], place: CommandPlace): Promise<Answer> {
  const names = words.slice(1, words.indexOf("--yes"));
  const reason = "to see it whole again";
  try {
    const belay = belayOf(place);
    if (words[0] === "undo") await undoWithHooks(belay, { migration: names[0]!, reason });
    else await rollBackWithHooks(belay, { migrations: names, reason });
    return { exitCode: 0, output: "" };
  } catch (error) {
    if (!isBelayError(error)) return { exitCode: 1, output: `[internal] ${String(error)}` };
    return { exitCode: exitCodeOf(error.code), output: `[${error.code}] ${error.message}` };
  }
}

function belayOf({ database, store, policy: path, keys }: CommandPlace): Belay {
  const { policy } = readPolicy(path);
  const settings = settingsFromEnvironment({}, { policy, database, store, actor: "faults" });
  return {
    settings,
    actor: settings.actor,
    openSession: (options) => openSession(database, options),
    store: openStore(store, keys),
    scratchUrl: null,
    report: () => {},
    now: () => new Date(),
  };
}
