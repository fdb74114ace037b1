import { quoteIdent } from "../identifiers.ts";
import type { KindReader, RawEntry } from "../kind.ts";
import { addressOf, catalogOid, relationName } from "./relations.ts";
import { readViews, type View } from "./view-model.ts";
import { createDummyView, createMaterializedView, createView } from "./view-text.ts";

/** VIEW entries; a view that can only be created after the data is a stand-in first, and a RULE `_RETURN` at the end. */
export const views: KindReader = async (context) => {
  const entries: RawEntry[] = [];
  for (const view of await readViews(context)) {
    if (view.relation.kind !== "v") continue;
    entries.push(viewEntry(view));
    if (view.late) entries.push(lateViewEntry(view));
  }
  return entries;
};

/** MATERIALIZED VIEW entries; filling them is the archive's business. */
export const materializedViews: KindReader = async (context) =>
  (await readViews(context)).filter((view) => view.relation.kind === "m").map(materializedViewEntry);

function viewEntry(view: View): RawEntry {
  const { relation } = view;
  return {
    ...viewFields(view),
    kind: "VIEW",
    section: "pre-data",
    create: view.late ? createDummyView(relation, view.columns) : createView(relation, view.query),
    drop: `DROP VIEW ${relationName(relation)};\n`,
    dependsOn: view.late ? [] : view.references,
  };
}

function lateViewEntry(view: View): RawEntry {
  const { relation } = view;
  return {
    ...viewFields(view),
    kind: "RULE",
    name: `${relation.name} _RETURN`,
    section: "post-data",
    create: createView(relation, view.query, "OR REPLACE "),
    drop: createDummyView(relation, view.columns, "OR REPLACE "),
    address: addressOf(catalogOid.rewrite, view.rule),
    dependsOn: [addressOf(catalogOid.class, relation.oid), ...view.references],
  };
}

function materializedViewEntry(view: View): RawEntry {
  const { relation } = view;
  return {
    ...viewFields(view),
    kind: "MATERIALIZED VIEW",
    section: view.late ? "post-data" : "pre-data",
    create:
      createMaterializedView(relation, view.columns, view.query) +
      view.extensions
        .map((name) => `ALTER MATERIALIZED VIEW ${relationName(relation)} DEPENDS ON EXTENSION ${quoteIdent(name)};\n`)
        .join(""),
    drop: `DROP MATERIALIZED VIEW ${relationName(relation)};\n`,
    tablespace: relation.tablespace,
    tableam: relation.accessMethod,
    dependsOn: view.references,
  };
}

function viewFields({ relation }: View) {
  return {
    schema: relation.schema,
    name: relation.name,
    owner: relation.owner,
    tablespace: null,
    tableam: null,
    copy: null,
    address: addressOf(catalogOid.class, relation.oid),
  };
}
