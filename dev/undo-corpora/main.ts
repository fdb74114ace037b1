import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { stopAll } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import type { Major } from "../../servers/postgres-programs.ts";
import { corporaOf } from "../corpora.ts";
import { type Counted, countsOf, describe, describeRefusals, tableOf } from "./print.ts";
import { walkFolder } from "./walk.ts";

const usage = `npm run undo:corpora -- [FOLDER...]

Applies every migration of the folders (default: those with a verdicts.tsv in ../shared/corpora), rolls all back from
the top to zero over generated rows, and undoes them back to the top. At each level the catalog, every row, sequences,
materialised views, the ledger and the tool's table must be what they were on the way down; only columns may stand in
another order, and are counted. Exits 1 when something differs or an undo fails.

  --corpus NAME     only that one
  --limit N         only the newest N migrations of each
  --server URL      a server where databases may be made (default: an embedded one)
  --postgres MAJOR  the embedded server's major version (default 15)
  --rows N          generated rows per table (default 3)
  --seed N          of the generated rows (default 1)
  --refusals        print what was refused, too
  --json FILE       write what became of each migration there, one object per line`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    corpus: { type: "string" },
    limit: { type: "string", default: "1000000" },
    server: { type: "string" },
    postgres: { type: "string", default: "15" },
    rows: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    refusals: { type: "boolean" },
    json: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const all = positionals.length > 0 ? positionals : corporaOf(join(repository, "../shared/corpora"));
const folders = all.filter((folder) => values.corpus === undefined || basename(folder) === values.corpus);
if (folders.length === 0) {
  console.error("no folders: pass those to roll back");
  process.exit(2);
}
const server = values.server ?? (await startPostgres({ major: Number(values.postgres) as Major })).url;
const counted: Counted[] = [];
for (const folder of folders) {
  const corpus = basename(folder);
  const one = await walkFolder(server, folder, {
    corpus,
    limit: Number(values.limit),
    rows: Number(values.rows),
    seed: Number(values.seed),
    onUp: (walked) => {
      for (const line of describe({ corpus, walked: [walked] })) console.log(line);
    },
    progress: (word) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${corpus}: ${word.slice(0, 70)}`);
    },
  });
  if (values.refusals) for (const line of describeRefusals(one)) console.log(line);
  counted.push(one);
}
const walked = counted.flatMap((each) => each.walked);
for (const row of tableOf(counted)) console.log(row.join("\t"));
for (const [why, times] of countsOf(walked.flatMap(({ down }) => down.refusal?.why ?? [])))
  console.log(`refused: ${why}: ${times}`);
for (const [way, times] of countsOf(walked.flatMap(({ up }) => up?.way ?? []))) console.log(`${way}: ${times}`);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    counted
      .flatMap((each) => each.walked.map((one) => `${JSON.stringify({ corpus: each.corpus, ...one })}\n`))
      .join(""),
  );
await stopAll();
process.exit(walked.some(({ up }) => up !== null && up.wrong.length > 0) ? 1 : 0);
