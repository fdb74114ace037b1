import { expect } from "vitest";
import * as dev from "../../dev/effect-corpora/told-and-done.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog } from "../../shared/catalog/types.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { type ResolvedEffect, resolveEffect } from "../../shared/rollback/effect/effect.ts";
import { entriesOfGraph } from "../../shared/rollback/effect/graph-entries.ts";
import { graphScope } from "../../shared/rollback/effect/graph-scope.ts";
import { readDependencyGraph } from "../../shared/rollback/effect/read-graph.ts";
import type { Statement } from "../../shared/sql/parse.ts";
import { prepareRollbackSql } from "../../shared/sql/prepare.ts";

export { toldKeys } from "../../dev/effect-corpora/told-and-done.ts";

/** Tells and does a rollback; the plan, which reads a part of the catalog alone, must tell the same. */
export async function tellAndDo(session: Session, rollback: string): Promise<dev.ToldAndDone> {
  const { statements } = prepareRollbackSql(rollback, { file: "rollback.sql", line: 1 });
  const catalog = await readCatalog(session);
  const told = resolveEffect(statements, await readDependencyGraph(session), catalog);
  await expectSameFromPart(session, statements, told, catalog);
  return await dev.tellAndDo(session, rollback);
}

/** A plan reads only what the SQL can reach: it must tell the same as one that reads all. */
async function expectSameFromPart(
  session: Session,
  statements: readonly Statement[],
  told: ResolvedEffect,
  catalog: Catalog,
): Promise<void> {
  const graph = await readDependencyGraph(session, graphScope(statements));
  const only = entriesOfGraph(graph);
  expect(only).not.toBeNull();
  const part = await readCatalog(session, { only: only!, exact: true });
  const same = resolveEffect(statements, graph, part);
  expect(same).toEqual(told);
  const keys = new Set(told.objects.map((each) => each.key));
  const touched = ({ entries }: Catalog) => {
    const own = entries
      .filter((each) => keys.has(each.key))
      .map(({ key, hash, dependencies }) => ({ key, hash, dependencies }));
    return own.sort((a, b) => (a.key < b.key ? -1 : 1));
  };
  expect(touched(part)).toEqual(touched(catalog));
}
