import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { corporaOf } from "../corpora.ts";
import { type Outcome, type Told, walkFolder } from "./walk.ts";

const usage = `npm run effect:corpora -- [FOLDER...]

Tells the effect of every rollback of the folders (default: those with a verdicts.tsv in ../shared/corpora), runs it, and
compares: objects, locks, sequences, and generated rows. Exits 1 when one was told wrong.

  --server URL      a server where databases may be made (default: an embedded one)
  --postgres MAJOR  the embedded server's major version (default 15)
  --every N         only each N-th migration`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string" },
    postgres: { type: "string", default: "15" },
    every: { type: "string", default: "1" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const folders = positionals.length > 0 ? positionals : corporaOf(join(repository, "../shared/corpora"));
const server = values.server ?? (await startPostgres({ major: Number(values.postgres) as Major })).url;
const every = Number(values.every);
const outcomes: readonly Outcome[] = ["equal", "opaque", "fails", "refused", "empty", "wrong"];
const all: { readonly corpus: string; readonly told: Told[] }[] = [];
for (const folder of folders) all.push({ corpus: basename(folder), told: await walk(folder) });
console.log(["corpus", "rollbacks", ...outcomes, "objects", "over rows", "losses of rows"].join("\t"));
for (const { corpus, told } of all) console.log([corpus, ...counts(told)].join("\t"));
console.log(["all", ...counts(all.flatMap(({ told }) => told))].join("\t"));
await stopAll();
process.exit(all.some(({ told }) => told.some(({ outcome }) => outcome === "wrong")) ? 1 : 0);

function counts(told: readonly Told[]): number[] {
  const of = (outcome: Outcome) => told.filter((each) => each.outcome === outcome).length;
  const sum = (number: (each: Told) => number) => told.reduce((total, each) => total + number(each), 0);
  return [
    told.length,
    ...outcomes.map(of),
    sum(({ objects }) => objects),
    sum(({ overRows }) => (overRows ? 1 : 0)),
    sum(({ rowsGone }) => rowsGone),
  ];
}

async function walk(folder: string): Promise<Told[]> {
  const told: Told[] = [];
  const name = `belay_effect_${process.pid}`;
  const admin = await openSession(server);
  await admin.run(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  try {
    await walkFolder(url.href, folder, {
      every,
      onTold: (one) => {
        told.push(one);
        if (one.rowsError !== null)
          console.log(`${basename(folder)} ${one.migration}: not over rows: ${one.rowsError}`);
        for (const line of one.wrong) console.log(`${basename(folder)} ${one.migration}: ${one.outcome}: ${line}`);
      },
    });
    return told;
  } finally {
    await admin.run(`drop database ${name} with (force)`);
    await admin.close();
  }
}
