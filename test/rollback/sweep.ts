import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChain } from "./sweep/chain.ts";
import { readCorpus } from "./sweep/corpus.ts";
import { printOutcome, printSummary } from "./sweep/print.ts";
import { type Outcome, tryOne } from "./sweep/try-one.ts";

const corpora = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));

export interface SweepOptions {
  readonly server: string;
  readonly from?: number;
  readonly to?: number;
  readonly every?: number;
  readonly seed?: number;
  readonly report?: (outcome: Outcome) => void;
}

export function hasCorpus(name: string): boolean {
  return existsSync(`${corpora}${name}/manifest.tsv`);
}

/** Applies a corpus migration by migration; each that is asked for is rolled back and undone on a copy with rows. */
export async function sweep(corpus: string, options: SweepOptions): Promise<Outcome[]> {
  const { server, from = 1, to = Number.POSITIVE_INFINITY, every = 1, seed = 1, report = () => {} } = options;
  const published = readCorpus(`${corpora}${corpus}`);
  const chain = await openChain(server, `${corpora}${corpus}`, `sweep_${corpus}_${process.pid}`);
  const outcomes: Outcome[] = [];
  const wanted = (index: number) => index + 1 >= from && index + 1 <= to && (index + 1 - from) % every === 0;
  try {
    for (const [index, migration] of published.entries()) {
      if (index + 1 > to) break;
      await chain.apply(migration);
      // Only the state before a migration and the one after it are needed: the others enter the ledger with them.
      if (wanted(index) || wanted(index + 1)) await chain.register(migration.name);
      if (!wanted(index)) continue;
      const outcome = await tryOne(chain, server, migration, seed);
      outcomes.push(outcome);
      report(outcome);
    }
    return outcomes;
  } finally {
    await chain.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      server: { type: "string", default: process.env.BELAY_SCRATCH_URL },
      from: { type: "string", default: "1" },
      to: { type: "string", default: "100000" },
      every: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      json: { type: "string" },
    },
  });
  const [corpus] = positionals;
  if (corpus === undefined || !hasCorpus(corpus) || values.server === undefined) {
    console.error(
      "usage: node test/rollback/sweep.ts CORPUS --server URL [--from N] [--to N] [--every K] [--seed N] [--json FILE]",
    );
    process.exit(2);
  }
  const { server } = values;
  const [from, to, every, seed] = [values.from, values.to, values.every, values.seed].map(Number);
  console.log(`${corpus}, seed ${seed}`);
  const outcomes = await sweep(corpus, { server, from, to, every, seed, report: printOutcome });
  printSummary(corpus, outcomes);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(outcomes));
  process.exitCode = outcomes.some(({ wrong, refusal }) => wrong.length > 0 || refusal?.right === false) ? 1 : 0;
}
