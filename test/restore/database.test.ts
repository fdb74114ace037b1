import { describe, expect, it } from "vitest";
import type { Toc, TocEntry } from "../../shared/archive/format/toc.ts";
import { databaseSteps } from "../../shared/archive/restore/plan/database.ts";

describe("what belongs to the database itself", () => {
  const statements = (from: string, to: string, entries: Partial<TocEntry>[]) => {
    const database = { desc: "DATABASE", tag: from, owner: "ada", defn: "CREATE DATABASE ..." };
    const toc = { entries: [database, ...entries] } as unknown as Toc;
    return databaseSteps(toc, to, { owners: true, grants: true }).map((step) => (step.kind === "sql" ? step.sql : ""));
  };

  it("goes to the one that is restored into, also where its name begins with the archived one's", () => {
    const defn = "ALTER DATABASE app SET work_mem TO '5MB';\nALTER ROLE bob IN DATABASE app SET work_mem TO '6MB';\n";
    expect(statements("app", "app2", [{ desc: "DATABASE PROPERTIES", tag: "app", defn }])).toEqual([
      "ALTER DATABASE app2 OWNER TO ada;",
      "ALTER DATABASE app2 SET work_mem TO '5MB';\nALTER ROLE bob IN DATABASE app2 SET work_mem TO '6MB';\n",
    ]);
  });

  it("leaves the text of values as it is", () => {
    const comment = { desc: "COMMENT", tag: "DATABASE app", defn: "COMMENT ON DATABASE app IS 'the DATABASE app ';\n" };
    expect(statements("app", 'b"c', [comment])[1]).toBe(`COMMENT ON DATABASE "b""c" IS 'the DATABASE app ';\n`);
  });

  it("is found under names that need quotes or mean something in a pattern", () => {
    const grant = { desc: "ACL", tag: "DATABASE a.*b", defn: 'GRANT CONNECT ON DATABASE "a.*b" TO bob;\n' };
    expect(statements("a.*b", "c", [grant])[1]).toBe("GRANT CONNECT ON DATABASE c TO bob;\n");
  });
});
