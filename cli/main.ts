#!/usr/bin/env node
import { parseArgs } from "node:util";
import about from "../package.json" with { type: "json" };
import { isLeaving } from "../servers/cleanup.ts";
import { type Settings, settingsFromEnvironment } from "../shared/config.ts";
import { BelayError, isBelayError } from "../shared/errors.ts";
import { databaseError, isConnectionLost, isServersRefusal } from "../shared/postgres/errors.ts";
import type { Command, FlagValues, Invocation } from "./command.ts";
import { allCommands, findCommand } from "./commands/index.ts";
import { isDirectory, openArchiveNamed, openBelay, openFolder } from "./context.ts";
import { exit, exitCodeOf } from "./exit.ts";
import { FolderProblems } from "./folder-problems.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { readPolicy } from "./policy.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** Flags that every command takes. */
const settingFlags = {
  database: { type: "string" },
  store: { type: "string" },
  scratch: { type: "string" },
  "scratch-setup": { type: "string" },
  migrations: { type: "string" },
  layout: { type: "string" },
  actor: { type: "string" },
  policy: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

const version = `belay ${about.version}`;

let readerLeft = false;
// Who reads may leave early (`| head`): the work goes on to its end all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    readerLeft = true;
  });

async function main(words: readonly string[]): Promise<number> {
  const terminal = openTerminal({ json: words.includes("--json"), columns: Number(process.env.COLUMNS) });
  try {
    const [name, ...rest] = words;
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      const about = rest.find((word) => !word.startsWith("-"));
      const { width } = terminal;
      terminal.print(
        about === undefined ? generalHelp(await allCommands(), width) : commandHelp(await findCommand(about), width),
      );
      return name === undefined ? exit.usage : exit.done;
    }
    if (name === "--version") {
      terminal.print(version);
      return exit.done;
    }
    if (name.startsWith("-"))
      throw new BelayError("usage", `the command comes before ${name}`, {
        hint: "belay COMMAND [flags]; see: belay --help",
      });
    const command = await findCommand(name);
    const { values, positionals } = parse(command, rest);
    if (values.help) {
      terminal.print(commandHelp(command, terminal.width));
      return exit.done;
    }
    const problems = new FolderProblems(terminal, command);
    const code = await command.run(invocation(values, positionals, problems));
    problems.tell();
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

function parse(command: Command, words: string[]): { values: FlagValues; positionals: string[] } {
  try {
    const parsed = parseArgs({ args: words, options: { ...settingFlags, ...command.flags }, allowPositionals: true });
    const values = parsed.values as FlagValues;
    const { min, max } = command.words;
    if (!values.help && (parsed.positionals.length < min || parsed.positionals.length > max))
      throw new Error(`belay ${command.name} takes ${command.usage || "no words"}`);
    return { values, positionals: parsed.positionals };
  } catch (error) {
    // Node adds advice on positional arguments to the first sentence.
    const [said] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw new BelayError("usage", said!, {
      hint: `See: belay ${command.name} --help`,
    });
  }
}

function invocation(flags: FlagValues, words: readonly string[], problems: FolderProblems): Invocation {
  const policyFile = typeof flags.policy === "string" ? flags.policy : process.env.BELAY_POLICY || undefined;
  const { policy, file } = readPolicy(policyFile);
  const settings: Settings = settingsFromEnvironment(process.env, {
    policy,
    database: flags.database,
    store: flags.store,
    scratch: flags.scratch,
    scratchSetup: flags["scratch-setup"],
    migrations: flags.migrations,
    layout: flags.layout,
    actor: flags.actor,
  });
  const credentials = {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
    region: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION,
    endpoint: process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL,
  };
  const named = flags.migrations !== undefined || process.env.BELAY_MIGRATIONS !== undefined;
  const { terminal } = problems;
  const belay = openBelay(settings, credentials, terminal);
  const readFolder = async () => problems.read(await openFolder(settings));
  return {
    words,
    flags,
    terminal,
    belay,
    credentials,
    policyFile: file,
    openArchive: (word) => openArchiveNamed(word, belay, credentials),
    folder: readFolder,
    folderIfAny: async () => (named || isDirectory(settings.migrations) ? await readFolder() : undefined),
  };
}

/** Says what went wrong and what to do next; a stack trace only for a fault of Belay's own, with BELAY_DEBUG. */
function explain(error: unknown, terminal: Terminal): number {
  terminal.settle();
  // Servers of our own are being stopped: their lost sessions are no news.
  if (isLeaving()) return exit.failed;
  // Whoever read what is streamed left: no connection to a database was lost.
  if ((error as NodeJS.ErrnoException | null)?.code === "EPIPE" && (readerLeft || process.stdout.errored))
    return exit.done;
  const known = isBelayError(error)
    ? error
    : isConnectionLost(error) || isServersRefusal(error)
      ? databaseError(error)
      : new BelayError("internal", error instanceof Error ? error.message : String(error), {
          hint: "This is a fault in Belay. Run again with BELAY_DEBUG=1 for the place, and report it.",
          cause: error,
        });
  if (terminal.json)
    terminal.document({
      error: { code: known.code, message: known.message, hint: known.hint ?? null, details: known.details },
    });
  else {
    terminal.error(`[${known.code}] ${known.message}`, known.hint);
  }
  if (process.env.BELAY_DEBUG) console.error(error);
  return exitCodeOf(known.code);
}

process.exitCode = await main(process.argv.slice(2));
