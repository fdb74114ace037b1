import { join } from "node:path";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { stopAll } from "../../servers/cleanup.ts";
import { repository } from "../../servers/paths.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { withDatabase } from "../../shared/postgres/url.ts";
import { publishedMigrations, type WalkResult, walk } from "./walk.ts";

const usage = `npm run watch:corpora -- [NAME...]

Walks published migrations (default: all of ../shared/corpora) up and down, and compares at every step what the
catalog's watch tells with a whole read. Exits 1 where they differ.

  --server URL      a server where databases may be made (default: an embedded one, PostgreSQL 15)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { server: { type: "string" }, help: { type: "boolean" } },
});

async function main(): Promise<void> {
  const server = values.server ?? (await startPostgres({ major: 15 })).url;
  const names = positionals.length > 0 ? positionals : ["cratesio", "openmeter", "concourse", "horizon", "kratos"];
  for (const name of names) print(name, await walkPublished(server, name));
}

async function walkPublished(server: string, name: string): Promise<WalkResult> {
  const database = `watch_${name}_${process.pid}`;
  await onServer(server, `create database ${database} template template0`);
  try {
    const session = await openSession(withDatabase(server, database), { prepare: true });
    const migrations = await publishedMigrations(join(repository, "../shared/corpora", name));
    return await walk(session, migrations).finally(() => session.close());
  } finally {
    await onServer(server, `drop database ${database} with (force)`);
  }
}

async function onServer(server: string, statement: string): Promise<void> {
  const admin = postgres(server, { max: 1, onnotice: () => {} });
  await admin.unsafe(statement).finally(() => admin.end());
}

function print(name: string, { compared, failed, wrong, watchMs, wholeMs }: WalkResult): void {
  const middle = (all: readonly number[]) => [...all].sort((a, b) => a - b)[all.length >> 1]?.toFixed(1) ?? "-";
  console.log(
    `${name}: ${compared} steps, ${wrong.length} wrong, ${failed.length} migrations failed; ` +
      `median ${middle(watchMs)} ms a watch, ${middle(wholeMs)} ms a whole read`,
  );
  for (const one of wrong.slice(0, 5)) console.log(`  ${one.slice(0, 1000)}`);
  if (wrong.length > 0) process.exitCode = 1;
}

try {
  if (values.help) console.log(usage);
  else await main();
} finally {
  await stopAll();
}
