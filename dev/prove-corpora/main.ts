import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { proveFolder } from "../../shared/migrations/prove/prove.ts";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import { readMigrationFolder } from "../../shared/migrations/read-folder.ts";
import { corporaOf } from "../corpora.ts";
import { compare } from "./compare.ts";
import { readMeasured } from "./measured.ts";
import { type Compared, describe, enough, printTable } from "./print.ts";

const usage = `npm run prove:corpora -- [FOLDER...]

Proves every migration of the folders (default: those with a verdicts.tsv in ../shared/corpora) with generated rows in
the tables, and compares with what each verdicts.tsv measured. Exits 1 when verdicts, or whether a
rollback destroys rows that stand after its migration, agree in less than 99 %.

  --server URL      a server where databases may be made (default: an embedded one)
  --postgres MAJOR  the embedded server's major version (default 15)
  --rows N          generated rows per table (default 2)
  --seed N          of the generated rows (default 1)
  --json FILE       write all proofs there, one object per line`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string" },
    postgres: { type: "string", default: "15" },
    rows: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
    json: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const folders = positionals.length > 0 ? positionals : corporaOf(join(repository, "../shared/corpora"));
if (folders.length === 0) {
  console.error("no folders: pass those to prove");
  process.exit(2);
}
const major = Number(values.postgres) as Major;
const server = values.server ?? (await startPostgres({ major })).url;
const all: Compared[] = [];
const lines: string[] = [];
for (const folder of folders) all.push(await proveCorpus(folder));
if (values.json !== undefined) writeFileSync(values.json, lines.join(""));
for (const each of all) for (const line of describe(each)) console.log(line);
printTable(all);
await stopAll();
process.exit(enough(all) ? 0 : 1);

async function proveCorpus(folder: string): Promise<Compared> {
  const measured = readMeasured(folder);
  const started = performance.now();
  const proofs = await proveFolder({
    folder: await readMigrationFolder(folder),
    server: `PostgreSQL ${major}`,
    openServer: async () => ({ scratchUrl: server, now: () => new Date() }),
    seed: { rows: Number(values.rows), seed: Number(values.seed) },
    onProof: progress,
  });
  for (const proof of proofs) lines.push(`${JSON.stringify({ corpus: basename(folder), ...proof })}\n`);
  return {
    corpus: basename(folder),
    proofs,
    seconds: (performance.now() - started) / 1000,
    answers: proofs.flatMap((proof) => {
      const known = measured?.get(proof.migration);
      return known === undefined
        ? []
        : compare(proof, known).map((answer) => ({ migration: proof.migration, ...answer }));
    }),
    unproved: [...(measured?.keys() ?? [])].filter((name) => !proofs.some(({ migration }) => migration === name)),
  };
}

function progress({ migration }: Proof): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${migration.slice(0, 70)}`);
}
