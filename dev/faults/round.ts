import { type Place, runPlainly, startHere } from "./again.ts";
import { judgeDatabase, type Verdict, waitForNothingLeft } from "./checks.ts";
import { type Ended, startCommand } from "./command.ts";
import { chooseFault } from "./faults.ts";
import type { Random } from "./random.ts";
import { type Course, slownessOf, type Template } from "./templates.ts";
import type { World } from "./world.ts";

export interface Round {
  readonly number: number;
  readonly group: string;
  readonly kind: string;
  readonly words: string;
  readonly side: Verdict["side"];
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Empty when all is as it should be. */
  readonly wrong: readonly string[];
  readonly output: string;
  readonly ms: number;
}

/** No fault may make a command hang longer, on an idle machine. */
const endsWithinMs = 90_000;

/** Longer limits would make rounds that wait for them longer, too. */
const mostSlowness = 4;

/** Clones, breaks, looks, and runs the same command again. */
export async function playRound(world: World, template: Template, random: Random, number: number): Promise<Round> {
  const started = performance.now();
  const course = random.pick(template.courses);
  const fault = chooseFault(random, course);
  const name = `round_${number}`;
  const place = { database: name, prefix: name };
  // Copied through the log, a sequence's page counts as logged, and a crash takes back the numbers drawn since.
  await world.run(`create database ${name} template ${course.template} strategy file_copy`);
  if (course.action === "undo") world.copyStore(course.template, name);
  const wrong: string[] = [];
  const pending: Promise<unknown>[] = [];
  const broken = {
    keys: world.credentials,
    database: world.brokenUrl(name),
    store: world.brokenStoreUrl(name),
    policy: world.policies.short,
  };
  world.slowDown(Math.min(mostSlowness, slownessOf(course)));
  const byCommand = fault.group === "process" || number % 3 === 0;
  const command = byCommand ? startCommand(course.words, broken) : startHere(course.words, broken);
  const { child, ended } = command;
  fault.arm({ world, course, database: name, command, pending, wrong });
  const limitMs = endsWithinMs * slownessOf(course);
  const end = await within(ended, limitMs);
  if (end === null) {
    wrong.push(`it hung for ${limitMs} ms`);
    child?.kill("SIGKILL");
  }
  // What hangs here ends when its connections do.
  if (child === null && end === null) world.wire.heal();
  const last = await ended;
  await Promise.all(pending);
  world.wire.heal();
  world.store.heal();
  wrong.push(...(await waitForNothingLeft(world, name, course)));
  const verdict = await judgeDatabase(world, course, place);
  wrong.push(...verdict.wrong, ...judgeExit(last, verdict));
  if (wrong.length === 0) wrong.push(...(await again(world, template, course, place, verdict, number % 10 === 0)));
  await world.run(`drop database ${name} with (force)`);
  world.removeStore(name);
  return {
    number,
    group: fault.group,
    kind: fault.kind,
    words: `${course.action}: ${fault.words}`,
    side: verdict.side,
    exitCode: last.exitCode,
    signal: last.signal,
    wrong,
    output: last.output,
    ms: Math.round(performance.now() - started),
  };
}

/** What the command said must be true. */
function judgeExit({ exitCode, output, signal }: Ended, { side }: Verdict): string[] {
  if (signal !== null || side === "neither") return [];
  const wrong: string[] = [];
  if (exitCode === 0 && side === "before") wrong.push("it said that it was done, and it was not");
  const open = /was lost|not known/.test(output);
  if (exitCode !== 0 && side === "after" && !open) wrong.push(`it exited ${exitCode}, and it was done`);
  if (/\[internal\]| {4}at /.test(output)) wrong.push("it took the fault for one of its own");
  return wrong;
}

/** (vi) The same command again, and back. */
async function again(
  world: World,
  template: Template,
  course: Course,
  place: Place,
  first: Verdict,
  byCommand: boolean,
): Promise<string[]> {
  const second = await runPlainly(world, course.words, place, byCommand);
  const verdict = await judgeDatabase(world, course, place);
  const wrong = verdict.wrong.map((one) => `run again: ${one}`);
  const wanted = course.after === null ? "before" : "after";
  if (verdict.side !== wanted) wrong.push(`run again, it is in the state ${verdict.side}: ${second.output}`);
  const succeeds = first.side === "before" && course.after !== null;
  if ((second.exitCode === 0) !== succeeds) wrong.push(`run again, it exited ${second.exitCode}: ${second.output}`);
  if (first.side === "after" && !/already|rolled[ _]back|undone/.test(second.output))
    wrong.push(`run again, it did not say that it is done already: ${second.output}`);
  if (wrong.length > 0 || course.action !== "rollback" || course.after === null) return wrong;
  const undone = await runPlainly(world, ["undo", course.words[1]!, "--yes", "--reason", "back"], place, byCommand);
  if (undone.exitCode !== 0) return [`the undo exited ${undone.exitCode}: ${undone.output}`];
  const back = await judgeDatabase(world, template.courses[1]!, place);
  if (back.side !== "after") wrong.push(`the undo left the state ${back.side}`);
  return [...wrong, ...back.wrong.map((one) => `after the undo: ${one}`)];
}

function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
