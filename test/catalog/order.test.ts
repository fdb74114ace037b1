import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entryHash } from "../../shared/catalog/entry.ts";
import { creationOrder } from "../../shared/catalog/order.ts";
import { postponed } from "../../shared/catalog/postpone.ts";
import type { Entry } from "../../shared/catalog/types.ts";

function entry(kind: string, name: string, dependencies: string[] = [], section: Entry["section"] = "pre-data"): Entry {
  const fields = {
    kind,
    schema: "s",
    name,
    owner: null,
    section,
    create: "",
    drop: null,
    tablespace: null,
    tableam: null,
  };
  const address = { classid: 0, objid: 0, objsubid: 0 };
  return { ...fields, key: `${kind} s ${name}`, copy: null, address, dependencies, hash: entryHash(fields) };
}

const keys = (entries: readonly Entry[]) => entries.map((one) => one.key);

describe("creationOrder", () => {
  it("is pg_dump's order of kinds, then names, where nothing depends", () => {
    const entries = [entry("VIEW", "a"), entry("TABLE", "b"), entry("TABLE", "a"), entry("TYPE", "z")];
    expect(keys(creationOrder(entries))).toEqual(["TYPE s z", "TABLE s a", "TABLE s b", "VIEW s a"]);
  });

  it("puts what is needed first, against the order of kinds", () => {
    const entries = [entry("FUNCTION", "f", ["TABLE s t"]), entry("TABLE", "t")];
    expect(keys(creationOrder(entries))).toEqual(["TABLE s t", "FUNCTION s f"]);
  });

  it("puts comments and grants right behind the last entry that they need", () => {
    const entries = [
      entry("ACL", "TABLE a", ["TABLE s a"], "none"),
      entry("COMMENT", "TABLE a", ["TABLE s a"], "none"),
      entry("TABLE", "a"),
      entry("TABLE", "b"),
    ];
    expect(keys(creationOrder(entries))).toEqual(["TABLE s a", "COMMENT s TABLE a", "ACL s TABLE a", "TABLE s b"]);
  });

  it("ends on a cycle, with every entry once", () => {
    const entries = [entry("TABLE", "a", ["TABLE s b"]), entry("TABLE", "b", ["TABLE s a"])];
    expect(keys(creationOrder(entries)).sort()).toEqual(["TABLE s a", "TABLE s b"]);
  });

  it("holds for every graph without a cycle: all entries once, none before what it needs", () => {
    const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(graph, (edges) => {
        const name = (index: number) => `TABLE s ${(index * 7919) % 31}`;
        const entries = edges.map((targets, index) =>
          entry("TABLE", String((index * 7919) % 31), targets.filter((to) => to < index).map(name)),
        );
        const order = keys(creationOrder(entries));
        expect([...order].sort()).toEqual(keys(entries).sort());
        for (const one of entries)
          for (const needed of one.dependencies) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(one.key));
      }),
    );
  });
});

describe("postponed", () => {
  it("moves what needs a post-data entry behind it, through others", () => {
    const entries = [
      entry("CONSTRAINT", "pk", [], "post-data"),
      entry("MATERIALIZED VIEW", "m", ["CONSTRAINT s pk"]),
      entry("FUNCTION", "f", ["MATERIALIZED VIEW s m"]),
      entry("TABLE", "t"),
    ];
    expect(postponed(entries).map((one) => one.section)).toEqual(["post-data", "post-data", "post-data", "pre-data"]);
  });
});
