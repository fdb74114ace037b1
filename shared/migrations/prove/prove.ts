import type { Belay } from "../../context.ts";
import type { Migration, MigrationFolder } from "../types.ts";
import { type Chain, openChain, type ScratchPlace } from "./chain.ts";
import { chainKeys } from "./chain-key.ts";
import { openTimeLimit } from "./limit.ts";
import { type EarlierFailure, proveOne } from "./prove-one.ts";
import type { SeedOptions } from "./rows/types.ts";
import { runScript } from "./run-script.ts";
import { setUpChain } from "./set-up.ts";
import { type Subject, subjectOf } from "./subject.ts";
import type { Proof } from "./types.ts";

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
  readonly onProof?: (proof: Proof) => void;
  readonly report?: Belay["report"];
}

/** Proves the rollback of every migration asked for, in the order of their versions. Throws what the server and the setup throw. */
export async function proveFolder(options: ProveOptions): Promise<Proof[]> {
  const subjects = readSubjects(options);
  const wanted = subjects.map(({ migration }) => options.wanted?.(migration) ?? true);
  const known = subjects.map(({ chain }, index) => (wanted[index] ? options.cache?.get(chain) : undefined));
  const last = subjects.findLastIndex((_, index) => wanted[index] && known[index] === undefined);
  const proofs: Proof[] = [];
  const tell = (proof: Proof) => {
    proofs.push(proof);
    options.onProof?.(proof);
  };
  const work: Work = { options, subjects, known, wanted, last, tell };
  if (last >= 0) await onServer(work);
  for (const proof of known.slice(last + 1)) if (proof !== undefined) tell({ ...proof, cached: true });
  return proofs;
}

interface Work {
  readonly options: ProveOptions;
  readonly subjects: readonly Subject[];
  readonly wanted: readonly boolean[];
  readonly known: readonly (Proof | undefined)[];
  /** The last that has to be proved; what follows is not even applied. */
  readonly last: number;
  readonly tell: (proof: Proof) => void;
}

async function onServer(work: Work): Promise<void> {
  const { options } = work;
  const scratch = await options.openServer();
  const limit = openTimeLimit(scratch.scratchUrl!, options.timeoutMs ?? 60_000);
  const chain = await openChain(scratch, limit.limited);
  try {
    if (options.setup !== undefined) await setUpChain(chain, options.setup);
    await walk(chain, work);
  } finally {
    await chain.drop().catch(() => {});
    await limit.close();
  }
}

async function walk(chain: Chain, { options, subjects, known, wanted, last, tell }: Work): Promise<void> {
  const failures: EarlierFailure[] = [];
  let before: Awaited<ReturnType<typeof proveOne>>["after"] | null = null;
  for (const [index, subject] of subjects.slice(0, last + 1).entries()) {
    const { name } = subject.migration;
    options.report?.({ phase: "prove", message: name, done: index + 1, total: last + 1, unit: "migrations" });
    const earlierProof = known[index];
    if (earlierProof !== undefined || !wanted[index]) {
      const { error } = await runScript((await chain.place()).session, subject.up, chain.limited);
      before = null;
      if (error !== null) failures.push({ name, verdict: verdictOf(earlierProof) });
      if (earlierProof !== undefined) tell({ ...earlierProof, cached: true });
      continue;
    }
    before ??= await (await chain.place()).read();
    const { proof, after } = await proveOne(chain, subject, before, failures, options.seed ?? null);
    if (proof.verdict === "up-fails" || proof.verdict === "environment")
      failures.push({ name, verdict: proof.verdict });
    await options.cache?.put(proof);
    tell(proof);
    before = after;
  }
}

function verdictOf(proof: Proof | undefined): EarlierFailure["verdict"] {
  return proof?.verdict === "environment" ? "environment" : "up-fails";
}

function readSubjects({ folder, server, setup, seed }: ProveOptions): Subject[] {
  const settings = { server, setupSql: setup?.sql ?? null, seedRows: seed?.rows ?? 0, seed: seed?.seed ?? 0 };
  const keys = chainKeys(folder.migrations, settings);
  return folder.migrations.map((migration, index) => subjectOf(migration, keys[index]!));
}
