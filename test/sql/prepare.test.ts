import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareRollbackSql } from "../../shared/sql/prepare.ts";

const prepare = (sql: string) => prepareRollbackSql(sql, { file: "x.sql", line: 1 });

describe("preparing rollback SQL", () => {
  it("takes one BEGIN ... COMMIT around the whole off, and says so", () => {
    for (const [begin, end] of [
      ["BEGIN", "COMMIT"],
      ["begin transaction isolation level serializable", "end"],
      ["start transaction", "commit work"],
    ]) {
      const prepared = prepare(`-- a\n${begin};\ndrop table t;\n${end};\n`);
      expect(prepared.statements.map((statement) => [statement.text, statement.line])).toEqual([["drop table t", 3]]);
      expect(prepared.refusals).toEqual([]);
      expect(prepared.rewrites).toEqual([
        `${begin} (line 2) and ${end} (line 4) taken off: the rollback runs in one transaction of its own`,
      ]);
    }
  });

  it("refuses any other transaction control, with line and column", () => {
    const cases = [
      "commit",
      "drop table t; commit; drop table u",
      "begin; drop table t",
      "begin; savepoint a; drop table t; commit",
      "begin; drop table t; commit; drop table u",
      "begin; drop table t; commit and chain",
      "begin; drop table t; rollback",
      "prepare transaction 'a'",
      "set transaction read only",
    ];
    for (const sql of cases) expect(prepare(sql).refusals, sql).not.toEqual([]);
    expect(prepare("drop table t;\n  commit;").refusals).toEqual([
      {
        line: 2,
        column: 3,
        statement: "commit",
        reason: "it controls the transaction, and a rollback runs as one transaction",
      },
    ]);
  });

  it("refuses what cannot run in a transaction, with the reason", () => {
    const cases = [
      "vacuum t",
      "alter system set work_mem = '1MB'",
      "create database d",
      "drop database d",
      "cluster",
      "reindex schema public",
      "reindex (concurrently) database d",
      "create tablespace s location '/x'",
      "discard all",
      "drop subscription s",
      "copy t from stdin",
    ];
    for (const sql of cases) expect(prepare(sql).refusals, sql).toHaveLength(1);
    for (const sql of [
      "analyze t",
      "cluster t using i",
      "reindex table t",
      "discard temp",
      "refresh materialized view concurrently m",
    ])
      expect(prepare(sql).refusals, sql).toEqual([]);
  });

  it("rewrites CONCURRENTLY, and nothing that only looks like it", () => {
    const cases: [string, string][] = [
      ["drop index concurrently if exists i", "drop index              if exists i"],
      ["create unique index concurrently on t (a)", "create unique index              on t (a)"],
      ["reindex index concurrently i", "reindex index              i"],
      ["reindex (verbose, concurrently) table t", "reindex (verbose, concurrently off) table t"],
      ["reindex (concurrently true) table t", "reindex (concurrently off) table t"],
      [
        'alter table t detach partition "concurrently" concurrently',
        'alter table t detach partition "concurrently"             ',
      ],
    ];
    for (const [sql, plain] of cases) {
      const prepared = prepare(sql);
      expect(prepared.sql).toBe(plain);
      expect(prepared.rewrites).toHaveLength(1);
      expect(prepared.refusals).toEqual([]);
    }
    expect(prepare("select 'concurrently'; drop index i; drop table \"concurrently\"").rewrites).toEqual([]);
  });

  it("finds only comments empty", () => {
    expect(prepare("-- nothing\n/* at all */;")).toEqual({
      sql: "-- nothing\n/* at all */;",
      statements: [],
      rewrites: [],
      refusals: [],
    });
  });

  it("keeps every statement at its line, whatever is taken off", () => {
    const part = fc.constantFrom(
      "drop table é",
      "drop index concurrently i",
      "reindex table concurrently t",
      "select '😀'",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.boolean(), (parts, wrapped) => {
        const lines = wrapped ? ["begin", ...parts, "commit"] : parts;
        const prepared = prepare(lines.map((line) => `${line};`).join("\r\n"));
        expect(prepared.statements.map((statement) => statement.line)).toEqual(
          parts.map((_, index) => index + (wrapped ? 2 : 1)),
        );
        expect(prepared.refusals).toEqual([]);
        expect(prepared.sql).not.toMatch(/concurrently/i);
      }),
    );
  });
});
