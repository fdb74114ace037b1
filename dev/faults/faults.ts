import type { ChildProcess } from "node:child_process";
import type { Command } from "./command.ts";
import { type StoreFault, type StoreRequest, storeFaults } from "./proxy/store.ts";
import type { Break, Link, Statement } from "./proxy/wire.ts";
import type { Random } from "./random.ts";
import { type Course, slownessOf } from "./templates.ts";
import { limits, type World } from "./world.ts";

/** A running command and what can be done to it. */
export interface Target {
  readonly world: World;
  readonly course: Course;
  readonly database: string;
  readonly command: Command;
  /** What the round waits for before it looks: a server that starts again, locks that must go. */
  readonly pending: Promise<unknown>[];
  /** What went wrong already while the fault lasted. */
  readonly wrong: string[];
}

/** One planned fault; `words` say it for people. */
export interface Fault {
  readonly group: "process" | "connection" | "server" | "store" | "none";
  readonly kind: string;
  readonly words: string;
  arm(target: Target): void;
}

type Act = (target: Target, link: Link | null) => void | Promise<void>;

/** Longest time that locks may outlive a client that hangs: an idle limit, or a statement and then an idle limit. */
const locksGoWithinMs = Math.max(limits.idleMs, limits.criticalSectionMs + 1_000) + limits.criticalSectionMs + 3_000;

const acts: Readonly<Record<"process" | "connection" | "server", readonly (readonly [string, Act])[]>> = {
  process: [
    ["SIGKILL", ({ command }) => void processOf(command).kill("SIGKILL")],
    ["SIGTERM", ({ command }) => void processOf(command).kill("SIGTERM")],
    ["SIGINT", ({ command }) => void processOf(command).kill("SIGINT")],
    ["freeze a moment", ({ command }) => freeze(processOf(command), 400, "SIGCONT")],
    ["freeze a moment, then SIGKILL", ({ command }) => freeze(processOf(command), 400, "SIGKILL")],
    ["freeze until the locks are gone", (target) => freezeLong(target, "SIGCONT")],
    ["freeze until the locks are gone, then SIGKILL", (target) => freezeLong(target, "SIGKILL")],
  ],
  connection: [
    ...(["cut", "lost_client", "lost_server", "frozen"] as const).map((how): [string, Act] => [
      how,
      (target, link) => breakOne(target, link, how),
    ]),
    ["cut all", ({ world }) => breakAll(world, "cut")],
    [
      "cut all, no new ones for 2 s",
      ({ world }) => {
        breakAll(world, "cut");
        away(world);
      },
    ],
    ["cut the control session", ({ world }) => breakAll(world, "cut", "belay control")],
    ["freeze all", ({ world }) => breakAll(world, "frozen")],
    ["every answer late", ({ world }) => world.wire.delay(15)],
    ["pg_terminate_backend", (target, link) => end(target, link, "pg_terminate_backend")],
    ["pg_cancel_backend", (target, link) => end(target, link, "pg_cancel_backend")],
    ["pg_terminate_backend of all", (target) => end(target, null, "pg_terminate_backend")],
  ],
  server: [
    ["immediate shutdown and restart", (target) => crash(target, "SIGQUIT")],
    ["kill -9 of the postmaster and restart", (target) => crash(target, "SIGKILL")],
    ["kill -9 of a backend", (target, link) => killBackend(target, link)],
  ],
};

/** Statements at which a round is worth more than at any other. */
const named: readonly (readonly [string, RegExp])[] = [
  ["intent", /insert into belay\.rollbacks/],
  ["lock", /^lock table|pg_advisory_xact_lock/],
  ["xid", /update belay\.rollbacks set xid/],
  ["snapshot", /pg_export_snapshot/],
  ["copy out", /^copy .* to stdout/i],
  ["copy in", /^copy .* from stdin/i],
  ["savepoint", /^savepoint belay_sql/],
  ["the SQL", /^(drop|alter|delete|update|do) /],
  ["record", /set outcome = 'committed'/],
  ["commit", /^commit$/],
];

/** One fault at one moment, of all that there are. */
export function chooseFault(random: Random, course: Course): Fault {
  const group = random.pick([
    "process",
    "process",
    "connection",
    "connection",
    "connection",
    "server",
    "store",
    "store",
    "store",
  ] as const);
  if (group === "store" && course.requests.length > 0) return storeFault(random, course);
  const [kind, act] = random.pick(acts[group === "store" ? "process" : group]);
  const actual = group === "store" ? "process" : group;
  if (random.chance(0.2)) {
    const ms = random.int(0, Math.round(course.ms));
    return {
      group: actual,
      kind,
      words: `${kind} after ${ms} ms`,
      arm: (target) => {
        const timer = setTimeout(() => run(target, act, null), ms);
        void target.command.ended.then(() => clearTimeout(timer));
      },
    };
  }
  const { statement, name } = chooseStatement(random, course);
  const when = random.pick(["before", "after"] as const);
  return {
    group: actual,
    kind,
    words: `${kind} ${when} ${name} (${statement.application} ${statement.ordinal})`,
    arm: (target) => {
      let done = false;
      target.world.wire.watch((now, at, link) => {
        if (done || at !== when || now.application !== statement.application || now.ordinal !== statement.ordinal)
          return;
        done = true;
        return run(target, act, link);
      });
    },
  };
}

function chooseStatement(random: Random, { statements }: Course): { statement: Statement; name: string } {
  if (random.chance(0.5)) {
    const [name, pattern] = random.pick(named);
    const found = statements.filter(({ sql }) => pattern.test(sql.trim()));
    if (found.length > 0) return { statement: random.pick(found), name };
  }
  // What comes before the intent holds no locks: less often.
  const first = statements.findIndex(({ sql }) => named[0]![1].test(sql.trim()));
  const statement = random.pick(random.chance(0.85) ? statements.slice(Math.max(0, first)) : statements);
  return { statement, name: statement.sql.trim().slice(0, 24).replaceAll(/\s+/g, " ") };
}

async function run(target: Target, act: Act, link: Link | null): Promise<void> {
  try {
    await act(target, link);
  } catch (error) {
    target.wrong.push(`harness: ${String(error)}`);
  }
}

function processOf({ child }: Command): ChildProcess {
  if (child === null) throw new Error("the command has no process of its own");
  return child;
}

function freeze(child: ChildProcess, ms: number, then: "SIGCONT" | "SIGKILL"): void {
  child.kill("SIGSTOP");
  setTimeout(() => child.kill(then), ms);
}

/** Stops the process until the server has ended what it held; a server that does not end it is wrong. */
function freezeLong(target: Target, then: "SIGCONT" | "SIGKILL"): void {
  const { world, database, course } = target;
  const child = processOf(target.command);
  const limitMs = locksGoWithinMs * slownessOf(course);
  child.kill("SIGSTOP");
  const wait = async () => {
    const since = performance.now();
    for (;;) {
      const rows = await world.run(heldLocks(database)).catch(() => [{}]);
      if (rows.length === 0) break;
      if (performance.now() - since > limitMs) {
        target.wrong.push(`a frozen client kept its locks for ${limitMs} ms: ${JSON.stringify(rows[0])}`);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    child.kill(then);
  };
  target.pending.push(wait());
}

/** Locks by which others would have to wait. */
export function heldLocks(database: string): string {
  return `select a.application_name as application, a.state, l.mode, left(a.query, 60) as query from pg_locks l join pg_stat_activity a using (pid)
    where a.datname = '${database}' and a.application_name like 'belay%' and l.granted
      and l.mode in ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') and l.locktype in ('relation', 'advisory') and a.application_name <> 'belay around' limit 1`;
}

function breakOne({ world }: Target, link: Link | null, how: Break): void {
  const one = link ?? [...world.wire.links].at(-1);
  one?.break(how);
}

function breakAll(world: World, how: Break, application?: string): void {
  for (const link of world.wire.links)
    if (application === undefined || link.application === application) link.break(how);
}

function away(world: World): void {
  world.wire.refuse(true);
  setTimeout(() => world.wire.refuse(false), 2_000);
}

async function end({ world, database }: Target, link: Link | null, by: string): Promise<void> {
  const only = link === null ? "" : `and application_name = '${link.application}'`;
  await world.run(
    `select ${by}(pid) from pg_stat_activity where datname = '${database}' and application_name like 'belay%' ${only}`,
  );
}

function crash({ world, pending }: Target, signal: "SIGQUIT" | "SIGKILL"): void {
  const pid = world.postmaster();
  if (pid === null) return;
  process.kill(pid, signal);
  pending.push(world.restart());
}

async function killBackend({ world, database }: Target, link: Link | null): Promise<void> {
  const only = link === null ? "" : `and application_name = '${link.application}'`;
  const [row] = await world.run(
    `select pid from pg_stat_activity where datname = '${database}' and application_name like 'belay%' ${only} limit 1`,
  );
  if (row !== undefined) process.kill(row.pid as number, "SIGKILL");
}

function storeFault(random: Random, course: Course): Fault {
  const kind = random.pick(storeFaults);
  const fitting = course.requests.filter((request) => fits(kind, request));
  if (fitting.length === 0) return storeFault(random, course);
  const request = random.pick(fitting);
  const times = random.pick([1, 1, 2, Number.POSITIVE_INFINITY]);
  const file = request.key.split("/").at(-1);
  return {
    group: "store",
    kind,
    words: `${kind}${times === 1 ? "" : times === 2 ? " twice" : " from there on"} at ${request.method} ${file || "list"} (${request.ordinal})`,
    arm: ({ world, command }) => {
      let left: number = times;
      world.store.watch((now) => {
        if (left <= 0 || now.ordinal < request.ordinal || !fits(kind, now)) return null;
        left -= 1;
        return kind;
      });
      // A store that stalls for ever would only show the client's own time limits, again and again.
      const timer = setTimeout(() => world.store.heal(), 9_000);
      void command.ended.then(() => clearTimeout(timer));
    },
  };
}

function fits(kind: StoreFault, { method, key }: StoreRequest): boolean {
  const list = method === "GET" && key.endsWith("/");
  if (kind === "forgets" || kind === "stored_but_500" || kind === "507" || kind === "409" || kind === "412")
    return method === "PUT";
  if (kind === "cut_read" || kind === "short_read" || kind === "flipped_byte") return method === "GET" && !list;
  if (kind === "late_list") return list;
  if (kind === "delete_fails") return method === "DELETE";
  return true;
}
