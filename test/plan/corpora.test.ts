import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { parseSql } from "../../shared/sql/parse.ts";
import { createDatabase } from "../support/postgres.ts";
import { tellAndDo, toldKeys } from "./really.ts";

const corpora = new URL("../../../shared/corpora/", import.meta.url);

/** Every n-th migration of a project: horizon whole, of the others a sample. */
const samples = [
  { project: "horizon", every: 1 },
  { project: "cratesio", every: 12 },
  { project: "concourse", every: 8 },
];

describe.skipIf(!existsSync(corpora))(
  "rollbacks that teams published, told and then run (needs ../shared/corpora)",
  () => {
    for (const { project, every } of samples)
      it(`${project}, one in ${every}: destroyed is what was told`, async () => {
        const database = await createDatabase({ major: 15 });
        const session = await openSession(database.url);
        try {
          const compared = await compareProject(session, project, every);
          expect(compared).toBeGreaterThan(10);
        } finally {
          await session.close();
          await database.drop();
        }
      });
  },
);

async function compareProject(session: Session, project: string, every: number): Promise<number> {
  const folder = new URL(`${project}/`, corpora);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".up.sql"))
    .sort();
  let compared = 0;
  for (const [position, file] of files.entries()) {
    await apply(session, readFileSync(new URL(file, folder), "utf8"));
    const down = new URL(file.replace(".up.sql", ".down.sql"), folder);
    if (position % every !== 0 || !existsSync(down)) continue;
    const { told, error, destroyed } = await tellAndDo(session, readFileSync(down, "utf8"));
    if (error === null) expect(told.failures, file).toEqual([]);
    if (error !== null || told.opaque.length > 0) continue;
    expect(toldKeys(told, "destroyed"), file).toEqual(destroyed.sort());
    compared++;
  }
  return compared;
}

async function apply(session: Session, sql: string): Promise<void> {
  if (!/concurrently/i.test(sql)) await session.run(sql);
  else for (const statement of parseSql(sql, { file: "up", line: 1 })) await session.run(statement.text);
  await session.run("reset all");
}
