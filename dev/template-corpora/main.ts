import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "../../servers/cleanup.ts";
import { debianPrograms } from "../../servers/debian.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { corporaOf } from "../corpora.ts";
import { readCorpus } from "./corpus.ts";
import { type Outcome, proposeForCorpus } from "./propose.ts";
import { reportOf } from "./report.ts";

const { values } = parseArgs({
  options: {
    corpora: { type: "string", default: join(repository, "../shared/corpora") },
    /** Corpora to run, default all. */
    only: { type: "string", multiple: true },
    /** A migration's number; default all whose own rollback is wrong. */
    migration: { type: "string", multiple: true },
    /** A server that is there; default an embedded PostgreSQL 15. */
    server: { type: "string" },
    json: { type: "boolean" },
    sql: { type: "boolean" },
    /** A document whose part below its mark is written anew. */
    write: { type: "string" },
  },
});

if (!existsSync(values.corpora)) {
  console.error(`no corpora at ${values.corpora}: pass --corpora DIR`);
  process.exit(2);
}
const server = values.server ?? (await startPostgres({ major: 15 })).url;
const programs = debianPrograms(15);
const all: { corpus: string; outcomes: Outcome[] }[] = [];
for (const corpus of values.only ?? corporaOf(values.corpora).map((folder) => basename(folder))) {
  const outcomes = await proposeForCorpus(readCorpus(join(values.corpora, corpus)), {
    server,
    prefix: `belay_template_${corpus}`,
    programs,
    wanted: ({ isWrong, name }) =>
      values.migration === undefined ? isWrong : values.migration.some((number) => name.startsWith(number)),
    report: (outcome) => print(corpus, outcome),
  });
  all.push({ corpus, outcomes });
}
if (!values.json) console.log(reportOf(all));
if (values.write !== undefined) writeReport(values.write);
await stopAll();

function print(corpus: string, outcome: Outcome): void {
  if (values.json) console.log(JSON.stringify({ corpus, ...outcome }));
  else {
    const { state, stock, ms, migration, reasons, sql } = outcome;
    console.log([corpus, migration, state, `pg_dump ${stock}`, `${Math.round(ms)} ms`].join("  "));
    for (const reason of reasons) console.log(`    ${reason}`);
    if (values.sql) console.log(sql);
  }
}

function writeReport(file: string): void {
  const mark = "<!-- npm run template:corpora -- --write FILE -->";
  const [head] = readFileSync(file, "utf8").split(mark);
  writeFileSync(file, `${head}${mark}\n\n${reportOf(all)}`);
}
