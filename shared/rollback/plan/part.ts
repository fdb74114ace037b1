import { classOid } from "../effect/dependency-graph.ts";
import type { Gate, GateName } from "../gate-types.ts";
import type { Facts } from "./facts.ts";
import { judgeGates } from "./gates.ts";
import { unitView } from "./gates-of-set.ts";
import type { Policy } from "./policy.ts";
import { firstUnits, type MigrationSet } from "./set.ts";

/** The newest part of a set that can go although the whole cannot. */
export interface PartFacts {
  /** In the order in which they run. */
  readonly migrations: readonly string[];
  readonly stopsAt: string;
  readonly why: string;
  /** Words that plan this part. */
  readonly words: string;
}

/** Gates that say that a rollback cannot be; the others ask for something that can still be had. */
const cannot: readonly GateName[] = [
  "status",
  "rollback_sql",
  "syntax",
  "transactional",
  "checksum",
  "dependents",
  "provenance",
  "undoable",
  "supported",
];

/**
 * Looks for the longest part, from the newest on, of a set that cannot go as a whole. `look` gathers the facts of a
 * smaller set. Null when the whole can go, or nothing can.
 */
export async function findPart(
  whole: Facts,
  set: MigrationSet,
  policy: Policy,
  look: (smaller: MigrationSet) => Promise<Facts>,
): Promise<PartFacts | null> {
  let facts = whole;
  let why = stops(facts, policy);
  let count = set.units.length;
  let stopped = "";
  while (why !== null) {
    count = Math.min(why.unit, count - 1);
    if (count <= 0) return null;
    stopped = why.evidence;
    facts = await look(firstUnits(set, count));
    why = stops(facts, policy);
  }
  if (count === set.units.length) return null;
  const part = firstUnits(set, count);
  const names = part.units.flatMap((unit) => [...unit.together].reverse().map(({ name }) => name));
  const stopsAt = set.units[count]!.migration.name;
  return { migrations: names, stopsAt, why: stopped, words: wordsFor(part, names, stopsAt, whole) };
}

/** The first unit that cannot go, and the evidence of the gate that says so; null when all can. */
function stops(facts: Facts, policy: Policy): { unit: number; evidence: string } | null {
  const found = judgeGates(facts, policy).filter(
    ({ name, state, blocking }) => blocking && state === "failed" && cannot.includes(name),
  );
  if (found.length === 0) return null;
  const placed = found.map((gate) => ({ unit: unitOf(gate, facts, policy), evidence: gate.evidence }));
  return placed.reduce((first, each) => (each.unit < first.unit ? each : first));
}

/** Gates that look at each rollback SQL alone. */
const alone: readonly GateName[] = ["status", "rollback_sql", "syntax", "transactional", "checksum"];

/** The first unit that a failed gate is about. */
function unitOf(gate: Gate, facts: Facts, policy: Policy): number {
  if (!alone.includes(gate.name)) return Math.min(facts.units.length - 1, ...blamed(gate.name, facts));
  const fails = (unit: number) =>
    judgeGates(unitView(facts, unit), policy).some(({ name, state }) => name === gate.name && state === "failed");
  return facts.units.findIndex((_, unit) => fails(unit));
}

/** The units whose statements are to blame; without any it is the last, oldest one. */
function blamed(gate: GateName, facts: Facts): number[] {
  const { effect, provenance, losses } = facts;
  if (gate === "supported") return [...effect.failures, ...effect.unsupported].map(({ unit }) => unit ?? 0);
  if (gate === "provenance") return provenance.overreach.flatMap(({ key }) => effect.takenBy.objects.get(key) ?? []);
  if (gate === "undoable")
    return losses.columns.filter(({ key }) => key === null).flatMap(({ oid }) => columnUnits(effect, oid));
  return gate === "dependents" ? heldUp(facts) : [];
}

function columnUnits({ takenBy }: Facts["effect"], oid: number): number[] {
  return [...takenBy.gone].flatMap(([address, unit]) =>
    address.startsWith(`${classOid.relation}/${oid}/`) ? [unit] : [],
  );
}

/** Units that a migration outside of the set needs. */
function heldUp({ units, dependents, obstacles, provenance }: Facts): number[] {
  const outside = new Set(dependents.map(({ migration }) => migration));
  const declared = units.flatMap(({ together }, unit) =>
    together.some((row) => row.dependents.some((name) => outside.has(name))) ? [unit] : [],
  );
  const found = obstacles.flatMap(({ key, unit }) =>
    unit !== undefined && outside.has(provenance.makers.get(key ?? "")?.migration ?? "") ? [unit] : [],
  );
  return [...declared, ...found];
}

/** `--to X` where that means the same; else the names. */
function wordsFor(part: MigrationSet, names: readonly string[], stopsAt: string, whole: Facts): string {
  const after = whole.together.slice(whole.together.findIndex(({ name }) => name === stopsAt) + 1);
  const same = after.length === part.rows.length && after.every(({ name }) => names.includes(name));
  return whole.asked.kind === "to" && same ? `--to ${stopsAt}` : names.join(" ");
}
