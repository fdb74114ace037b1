/** Compares one database with pg_dump by hand: `node test/catalog/oracle-run.ts URL [KIND...]`. */
import { compareWithPgDump, formatDifferences } from "./oracle.ts";

const [url, ...kinds] = process.argv.slice(2);
if (url === undefined) throw new Error("usage: node test/catalog/oracle-run.ts URL [KIND...]");
const differences = await compareWithPgDump(url, kinds.length > 0 ? { kinds } : {});
const counts = new Map<string, number>();
for (const found of differences)
  counts.set(`${found.what} ${found.kind}`, (counts.get(`${found.what} ${found.kind}`) ?? 0) + 1);
console.log(formatDifferences(differences));
console.log(Object.fromEntries(counts));
process.exitCode = differences.length === 0 ? 0 : 1;
