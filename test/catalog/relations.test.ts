import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCatalog } from "../../shared/catalog/read.ts";
import { openSession } from "../../shared/postgres/session.ts";
import { createDebianDatabase, describeWithDebian } from "../support/debian.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { type ExampleDatabase, exampleDatabases, hasCorpora, load, oddRelations } from "./databases.ts";
import { missingNeeds } from "./needs.ts";
import { compareWithPgDump, formatDifferences, pgDumpEntries } from "./oracle.ts";

const relationKinds = [
  "TABLE",
  "TABLE ATTACH",
  "DEFAULT",
  "SEQUENCE",
  "SEQUENCE OWNED BY",
  "VIEW",
  "MATERIALIZED VIEW",
  "INDEX",
  "INDEX ATTACH",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "FK CONSTRAINT",
  "TRIGGER",
  "RULE",
  "POLICY",
  "ROW SECURITY",
  "STATISTICS",
];

describeWithDebian("relations are worded as stock pg_dump words them", () => {
  equalsPgDump(oddRelations);
  const pagila = exampleDatabases.find(({ name }) => name === "pagila")!;
  if (hasCorpora) equalsPgDump(pagila);
  else it.skip("pagila (not on this machine)", () => {});
});

function equalsPgDump(example: ExampleDatabase): void {
  describe(example.name, () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createDebianDatabase();
      await load(database.url, example);
    });
    afterAll(() => database.drop());

    it("has every entry with the same text, owner, section and place", async () => {
      const differences = await compareWithPgDump(database.url, { kinds: relationKinds });
      expect(formatDifferences(differences)).toBe("");
    });

    it("needs, directly or through others, all that pg_dump says it needs", async () => {
      const expected = await pgDumpEntries(database.url);
      const session = await openSession(database.url);
      const catalog = await readCatalog(session, { excludeSchemas: [] }).finally(() => session.close());
      expect(missingNeeds(expected, catalog, relationKinds)).toEqual([]);
    });
  });
}
