import type { Belay } from "../../context.ts";
import type { Migration, MigrationFolder } from "../types.ts";
import { type Chain, openChain, type ScratchPlace } from "./chain.ts";
import { chainKeys } from "./chain-key.ts";
import { notLookedFor, openFixer } from "./fix.ts";
import { openTimeLimit } from "./limit.ts";
import {
  applyMember,
  type EarlierFailure,
  type OpenUnit,
  openUnit,
  proveUnit,
  type UnitOptions,
} from "./prove-unit.ts";
import { dropNewRoles } from "./roles.ts";
import type { SeedOptions } from "./rows/types.ts";
import { setUpChain } from "./set-up.ts";
import type { State } from "./state.ts";
import { type Subject, subjectOf } from "./subject.ts";
import type { Proof } from "./types.ts";
import { isScattered, type Unit, unitsOf } from "./unit.ts";

/** Proofs of earlier runs by chain. */
export interface ProofCache {
  get(chain: string): Proof | undefined;
  put(proof: Proof): Promise<void>;
}

export interface ProveOptions {
  readonly folder: MigrationFolder;
  /** Names the server in the chain: a proof holds for one major version. */
  readonly server: string;
  /** Opens the scratch server; not called when every proof is known. */
  readonly openServer: () => Promise<ScratchPlace>;
  readonly setup?: { readonly file: string; readonly sql: string } | undefined;
  /** Which migrations are asked for; default all. */
  readonly wanted?: (migration: Migration) => boolean;
  readonly cache?: ProofCache | undefined;
  /** Longest run of one file; default 60 s. */
  readonly timeoutMs?: number;
  /** Rows to put into every table, to see what a rollback does to them; default none. */
  readonly seed?: SeedOptions | undefined;
  /** Look for SQL that would mend a rollback; default false. */
  readonly fix?: boolean;
  /** Rehearse on copies alone, as the team's tool would: slower, with the same verdicts. */
  readonly onCopies?: boolean;
  /** Told of the state before and after each migration that is not known from earlier. */
  readonly onStates?: (migration: Migration, before: State, after: State) => void;
  readonly onProof?: (proof: Proof) => void;
  readonly report?: Belay["report"];
}

/**
 * Proves the rollback of every migration asked for, in the order of their versions; of those that one rollback reverses
 * together, with the last. Throws what the server and the setup throw.
 */
export async function proveFolder(options: ProveOptions): Promise<Proof[]> {
  const work = planWork(options);
  const proofs: Proof[] = [];
  const tell = (proof: Proof) => {
    proofs.push(proof);
    options.onProof?.(proof);
  };
  if (work.last >= 0) await onServer(options, work, tell);
  for (const index of work.subjects.keys()) if (index > work.last) tellKnown(work, index, tell);
  return proofs;
}

interface Work {
  readonly subjects: readonly Subject[];
  /** By the place of the migration. */
  readonly units: readonly Unit[];
  readonly wanted: readonly boolean[];
  readonly known: readonly (Proof | undefined)[];
  /** The last that has to be applied; -1: all is known. */
  readonly last: number;
}

type Tell = (proof: Proof) => void;

function planWork(options: ProveOptions): Work {
  const { folder, server, setup, seed } = options;
  const settings = { server, setupSql: setup?.sql ?? null, seedRows: seed?.rows ?? 0, seed: seed?.seed ?? 0 };
  const keys = chainKeys(folder.migrations, settings);
  const subjects = folder.migrations.map((migration, index) => subjectOf(migration, keys[index]!));
  const units = unitsOf(subjects);
  const wanted = subjects.map(({ migration }) => options.wanted?.(migration) ?? true);
  const known = subjects.map(({ chain }, index) => (wanted[index] ? knownProof(options, chain) : undefined));
  const work = { subjects, units, wanted, known, last: -1 };
  return { ...work, last: Math.max(-1, ...units.filter((unit) => isNeeded(work, unit)).map(({ last }) => last)) };
}

/** A proof for which no fix was looked for is not enough where one is wanted. */
function knownProof({ cache, fix }: ProveOptions, chain: string): Proof | undefined {
  const proof = cache?.get(chain);
  return fix === true && proof?.no_fix?.startsWith(notLookedFor) === true ? undefined : proof;
}

function isNeeded({ subjects, wanted, known }: Omit<Work, "last">, { members }: Unit): boolean {
  return members.some((member) => {
    const index = subjects.indexOf(member);
    return wanted[index] && known[index] === undefined;
  });
}

function tellKnown({ known }: Work, index: number, tell: Tell): void {
  const proof = known[index];
  if (proof !== undefined) tell({ ...proof, cached: true });
}

async function onServer(options: ProveOptions, work: Work, tell: Tell): Promise<void> {
  const scratch = await options.openServer();
  const limit = openTimeLimit(scratch.scratchUrl!, options.timeoutMs ?? 60_000);
  let roles: ReadonlySet<string> | null = null;
  try {
    await withChain(scratch, limit.limited, options, async (chain) => {
      roles = chain.rolesAtStart;
      const behind = () => startChain(scratch, limit.limited, options);
      const fixer = options.fix === true ? openFixer(chain, work.subjects, behind) : null;
      try {
        await walk(chain, options, work, tell, scratch, { seed: options.seed ?? null, fixer });
      } finally {
        await fixer?.close();
      }
    });
  } finally {
    await limit.close();
    const texts = [options.setup?.sql ?? "", ...work.subjects.flatMap(({ up, down }) => [up.text, down?.text ?? ""])];
    if (roles !== null) await dropNewRoles(scratch.scratchUrl!, roles, texts).catch(() => {});
  }
}

async function startChain(
  scratch: ScratchPlace,
  limited: Chain["limited"],
  { setup, onCopies }: Pick<ProveOptions, "setup" | "onCopies">,
): Promise<Chain> {
  const chain = await openChain(scratch, limited, onCopies);
  try {
    if (setup !== undefined) await setUpChain(chain, setup);
    return chain;
  } catch (error) {
    await chain.drop().catch(() => {});
    throw error;
  }
}

async function withChain<T>(
  scratch: ScratchPlace,
  limited: Chain["limited"],
  options: ProveOptions,
  use: (chain: Chain) => Promise<T>,
): Promise<T> {
  const chain = await startChain(scratch, limited, options);
  try {
    return await use(chain);
  } finally {
    // One that stays is marked, and a later run removes it.
    await chain.drop().catch(() => {});
  }
}

async function walk(
  chain: Chain,
  options: ProveOptions,
  work: Work,
  tell: Tell,
  scratch: ScratchPlace,
  besides: UnitOptions,
): Promise<void> {
  const { subjects, units, last } = work;
  const failures: EarlierFailure[] = [];
  const open = new Map<Unit, OpenUnit>();
  let state: State | null = null;
  for (const [index, subject] of subjects.slice(0, last + 1).entries()) {
    const { name } = subject.migration;
    options.report?.({ phase: "prove", message: name, done: index + 1, total: last + 1, unit: "migrations" });
    const unit = units[index]!;
    if (!isNeeded(work, unit)) {
      const { error } = await chain.apply(subject.up);
      if (error !== null) failures.push({ name, verdict: verdictOf(work.known[index]) });
      state = null;
      tellKnown(work, index, tell);
      continue;
    }
    state ??= await (await chain.place()).read();
    if (index === unit.first) open.set(unit, await openUnit(chain, unit, state, besides));
    const applied = await applyMember(chain, subject, state, failures);
    open.get(unit)!.applied.push(applied);
    options.onStates?.(subject.migration, state, applied.after);
    state = applied.after;
    if (index === unit.last) {
      const ready = await withWantedState(open.get(unit)!, chain, options, subjects, scratch);
      open.delete(unit);
      for (const proof of await proveUnit(chain, ready, besides)) await keep(proof, work, options, tell);
    }
    if (applied.failure !== null) failures.push({ name, verdict: applied.failure.verdict });
  }
}

async function keep(proof: Proof, { subjects, wanted }: Work, { cache }: ProveOptions, tell: Tell): Promise<void> {
  await cache?.put(proof);
  if (wanted[subjects.findIndex(({ chain }) => chain === proof.chain)]) tell(proof);
}

/** Where other migrations stand between the members, the rollback should end where those alone lead. */
async function withWantedState(
  open: OpenUnit,
  { limited }: Chain,
  options: ProveOptions,
  subjects: readonly Subject[],
  scratch: ScratchPlace,
): Promise<OpenUnit> {
  if (!isScattered(open.unit)) return open;
  const others = subjects.slice(0, open.unit.last).filter((subject) => !open.unit.members.includes(subject));
  return await withChain(scratch, limited, options, async (chain) => {
    for (const { up } of others) {
      const { error } = await chain.apply(up);
      // One of them needs a member: then the state before the first member is what is left to compare with.
      if (error !== null) return open;
    }
    return { ...open, before: await (await chain.place()).read() };
  });
}

function verdictOf(proof: Proof | undefined): EarlierFailure["verdict"] {
  return proof?.verdict === "environment" ? "environment" : "up-fails";
}
