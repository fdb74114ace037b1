import { type ExpiryRequest, expireArchive, lookAtExpiry } from "../../shared/archive/retention/expire.ts";
import { parseAge, parsePolicy, type RetentionPolicy } from "../../shared/archive/retention/policy.ts";
import { applyPrune, planPrune, removalsOf, requireRecords } from "../../shared/archive/retention/prune.ts";
import { applyUnfinished, planUnfinished } from "../../shared/archive/retention/unfinished.ts";
import { BelayError } from "../../shared/errors.ts";
import type { Command, FlagValues, Invocation } from "../command.ts";
import { type ExitCode, exit } from "../exit.ts";
import { expiryLines, lastLine, pruneLines, removedLines, unfinishedLines } from "../render/retention.ts";
import { bytes, count } from "../terminal.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;

const usualSilenceMs = 24 * 3_600_000;

const rules: Readonly<Record<string, keyof RetentionPolicy>> = {
  "keep-last": "keepLast",
  "keep-daily": "keepDaily",
  "keep-weekly": "keepWeekly",
  "keep-monthly": "keepMonthly",
  "keep-yearly": "keepYearly",
};

export const prune: Command = {
  name: "prune",
  summary: "say which archives a policy lets go; with --apply, remove them",
  usage: "",
  flags: {
    ...Object.fromEntries(Object.keys(rules).map((name) => [name, text])),
    "older-than": text,
    expire: text,
    reason: text,
    "give-up-undo": flag,
    unfinished: flag,
    apply: flag,
    yes: { type: "boolean", short: "y" },
    "without-records": flag,
  },
  help: [
    ["--keep-last N", "keep the newest N dumps of each database"],
    ["--keep-daily N", "and the newest of each of the last N days that have one (UTC),"],
    ["--keep-weekly N", "of the last N weeks, from Monday,"],
    ["--keep-monthly N", "of the last N months,"],
    ["--keep-yearly N", "of the last N years"],
    ["--older-than AGE", "and all that are not older than AGE, counted from the newest: 24h, 30d, 8w, 2y"],
    ["--expire ARCHIVE", "instead: remove this one, of a rollback too; needs --reason"],
    ["--give-up-undo", "with --expire: though a rollback can still be undone from it"],
    ["--unfinished", "instead: remove what was never finished and is silent for --older-than (24h)"],
    ["--apply", "remove; without it nothing is changed"],
    ["--reason TEXT", "why, for the record"],
    ["--without-records", "remove without a database: drills and rollbacks are not known then"],
    ["-y, --yes", "do not ask on a terminal"],
  ],
  words: { min: 0, max: 0 },
  run: async (invocation) => {
    const { flags } = invocation;
    const ways = [
      flags.expire !== undefined,
      flags.unfinished === true,
      Object.keys(rules).some((name) => name in flags),
    ];
    if (ways.filter(Boolean).length > 1)
      throw new BelayError("usage", "--expire, --unfinished and the --keep rules do not go together", {
        hint: "See: belay prune --help",
      });
    if (typeof flags.expire === "string") return expire(invocation, flags.expire);
    return flags.unfinished === true ? unfinished(invocation) : byPolicy(invocation);
  },
};

async function byPolicy(invocation: Invocation): Promise<ExitCode> {
  const { belay, terminal, flags } = invocation;
  const policy = policyOf(flags);
  let plan = await planPrune(belay, policy);
  terminal.settle();
  for (const line of pruneLines(plan, belay, terminal.width)) terminal.line(line);
  const what = `${count(removalsOf(plan).length, "archive")} of ${plan.verdicts.length} (${bytes(freedBy(plan))})`;
  const nothing = removalsOf(plan).length + plan.broken.length === 0;
  if (flags.apply === true && plan.refusals.length === 0 && !nothing)
    requireRecords(plan.recordsKnown, withoutRecords(flags));
  const wanted = plan.refusals.length === 0 && !nothing && (await agree(invocation, `Remove ${what}?`));
  if (wanted && invocation.terminal.interactive) {
    // The answer may have taken an hour.
    const shown = new Set(removalsOf(plan));
    const now = await planPrune(belay, policy);
    const stays = (id: string) => !shown.has(id);
    const verdicts = now.verdicts.map((one) => (stays(one.archive.id) ? { ...one, action: "keep" as const } : one));
    plan = { ...now, verdicts };
  }
  const reason = reasonOf(flags) ?? "retention policy";
  const removed = wanted ? await applyPrune(belay, plan, { reason, withoutRecords: withoutRecords(flags) }) : [];
  terminal.settle();
  if (terminal.json)
    terminal.document({
      store: belay.store.url,
      policy,
      recordsKnown: plan.recordsKnown,
      refusals: plan.refusals,
      archives: plan.verdicts.map(({ archive, action, reasons }) => ({ ...archive, action, reasons })),
      broken: plan.broken,
      applied: wanted,
      removed,
    });
  if (plan.refusals.length > 0) {
    terminal.line("Nothing is removed: settle this first. Removing archives can wait.");
    return exit.blocked;
  }
  if (wanted) return ended(invocation, removed);
  terminal.line(lastLine(nothing ? null : what, flags.apply === true));
  return exit.done;
}

async function expire(invocation: Invocation, id: string): Promise<ExitCode> {
  const { belay, terminal, flags } = invocation;
  const request: ExpiryRequest = {
    id,
    reason: reasonOf(flags) ?? "",
    giveUpUndo: flags["give-up-undo"] === true,
    withoutRecords: withoutRecords(flags),
  };
  if (request.reason === "")
    throw new BelayError("usage", "an archive goes by name only with a reason", { hint: 'Pass --reason "...".' });
  const plan = await lookAtExpiry(belay, request);
  terminal.settle();
  for (const line of expiryLines(plan)) terminal.line(line);
  const blocked = plan.blockers.length > 0;
  if (flags.apply === true && !blocked) requireRecords(plan.recordsKnown, request.withoutRecords);
  const wanted = !blocked && (await agree(invocation, `Remove ${id}?`));
  const now = wanted && terminal.interactive ? await lookAtExpiry(belay, request) : plan;
  const removed = wanted ? [await expireArchive(belay, now, request)] : [];
  terminal.settle();
  if (terminal.json) terminal.document({ store: belay.store.url, ...now, applied: wanted, removed });
  if (wanted) return ended(invocation, removed);
  terminal.line(blocked ? `${id} stays.` : lastLine(id, flags.apply === true));
  return blocked ? exit.blocked : exit.done;
}

async function unfinished(invocation: Invocation): Promise<ExitCode> {
  const { belay, terminal, flags } = invocation;
  const age = flags["older-than"];
  const silentMs = typeof age === "string" ? parseAge(age) : usualSilenceMs;
  const plan = await planUnfinished(belay, silentMs);
  terminal.settle();
  for (const line of unfinishedLines(plan, belay, terminal.width)) terminal.line(line);
  const archives = plan.archives.filter(({ action }) => action === "remove").length;
  const uploads = plan.uploads.filter(({ action }) => action === "remove").length;
  const what = `${count(archives, "unfinished archive")} and ${count(uploads, "unfinished upload")}`;
  const nothing = archives + uploads === 0;
  const wanted = !nothing && (await agree(invocation, `Remove ${what}?`));
  const done = wanted ? await applyUnfinished(belay, plan, reasonOf(flags) ?? "never finished") : null;
  terminal.settle();
  if (terminal.json) terminal.document({ store: belay.store.url, silentMs, ...plan, applied: wanted, removed: done });
  if (done !== null) {
    if (uploads > 0) terminal.line(`${count(done.uploads, "upload")} discarded`);
    return ended(invocation, done.archives);
  }
  terminal.line(lastLine(nothing ? null : what, flags.apply === true));
  return exit.done;
}

/** True when it is to be done: said by --apply, and on a terminal by an answer too. */
async function agree({ flags, terminal }: Invocation, question: string): Promise<boolean> {
  if (flags.apply !== true) return false;
  return flags.yes === true || !terminal.interactive || terminal.json || (await terminal.confirm(question));
}

function ended({ terminal }: Invocation, removed: Parameters<typeof removedLines>[0]): ExitCode {
  for (const line of removedLines(removed)) terminal.line(line);
  return removed.some(({ locked }) => locked !== null) ? exit.blocked : exit.done;
}

function policyOf(flags: FlagValues): RetentionPolicy {
  const given = Object.entries(rules).map(([name, rule]) => [rule, wholeNumber(flags, name)]);
  const age = flags["older-than"];
  const olderThanMs = typeof age === "string" ? parseAge(age) : undefined;
  return parsePolicy({ ...Object.fromEntries(given), olderThanMs });
}

function wholeNumber(flags: FlagValues, name: string): number | undefined {
  const given = flags[name];
  if (typeof given !== "string") return undefined;
  if (/^[1-9]\d{0,4}$/.test(given)) return Number(given);
  throw new BelayError("usage", `--${name} ${given} is not a number from 1 on`, { hint: `For example --${name} 7` });
}

function freedBy({
  verdicts,
}: {
  readonly verdicts: readonly { readonly action: string; readonly archive: { readonly bytes: number } }[];
}) {
  return verdicts.reduce((sum, { action, archive }) => sum + (action === "remove" ? archive.bytes : 0), 0);
}

const reasonOf = (flags: FlagValues): string | undefined =>
  typeof flags.reason === "string" && flags.reason.trim() !== "" ? flags.reason.trim() : undefined;

const withoutRecords = (flags: FlagValues): boolean => flags["without-records"] === true;
