import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "../../servers/cleanup.ts";
import { debianPrograms } from "../../servers/debian.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { corpusNames, readCorpus } from "./corpus.ts";
import { type Outcome, proposeForCorpus } from "./propose.ts";

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
  },
});

if (!existsSync(values.corpora)) {
  console.error(`no corpora at ${values.corpora}: pass --corpora DIR`);
  process.exit(2);
}
const server = values.server ?? (await startPostgres({ major: 15 })).url;
const programs = debianPrograms(15);
const all: { corpus: string; outcomes: Outcome[] }[] = [];
for (const corpus of values.only ?? corpusNames(values.corpora)) {
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
if (!values.json) summary();
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

function summary(): void {
  const states = ["proved", "column_order", "differs", "none", "nothing_to_do", "up_fails"] as const;
  console.log(["corpus", "migrations", ...states, "pg_dump equal", "ms"].join("\t"));
  for (const { corpus, outcomes } of all) {
    const counts = states.map((state) => outcomes.filter((outcome) => outcome.state === state).length);
    const equal = outcomes.filter(({ stock }) => stock === "equal").length;
    const ms = Math.round(outcomes.reduce((sum, outcome) => sum + outcome.ms, 0));
    console.log([corpus, outcomes.length, ...counts, equal, ms].join("\t"));
  }
}
