import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { openChain } from "./chain.ts";
import { walkDown } from "./down.ts";
import type { Counted } from "./print.ts";
import type { Walked, WalkOptions } from "./types.ts";
import { walkUp } from "./up.ts";

/** Applies a folder, or its `oldest` migrations, to an empty server, rolls its newest `limit` migrations back over generated rows, and undoes them. */
export async function walkFolder(
  server: string,
  directory: string,
  options: WalkOptions & { readonly corpus: string; readonly limit: number; readonly oldest?: number },
): Promise<Counted> {
  const started = performance.now();
  const whole = await readMigrationFolder(directory);
  const folder = { ...whole, migrations: whole.migrations.slice(0, options.oldest) };
  const from = Math.max(0, folder.migrations.length - options.limit);
  const chain = await openChain(server, folder, from, options.progress);
  try {
    const segments = await walkDown(chain, folder, from, options);
    const walked: Walked[] = [];
    const chains: number[] = [];
    for (const segment of segments) {
      const up = await walkUp(chain, segment, options);
      walked.push(...up.walked);
      chains.push(...up.chains.filter((length) => length > 0));
    }
    return {
      corpus: options.corpus,
      walked,
      chains,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await chain.close();
  }
}
