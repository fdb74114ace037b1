import { describe, expect, it } from "vitest";
import { columnDefinition, columnStatements } from "../../shared/catalog/kinds/column-text.ts";
import type { Column } from "../../shared/catalog/kinds/columns.ts";
import { optionList } from "../../shared/catalog/kinds/options.ts";

describe("columnDefinition", () => {
  it("is name and type for a plain column", () => {
    expect(columnDefinition(column({}))).toBe("note text");
  });

  it("quotes a name only where it must be", () => {
    expect(columnDefinition(column({ name: "user" }))).toBe('"user" text');
    expect(columnDefinition(column({ name: "Mixed" }))).toBe('"Mixed" text');
  });

  it("writes default, NOT NULL and collation in pg_dump's order", () => {
    const full = column({ expression: "'x'::text", notNull: true, collation: { schema: "pg_catalog", name: "C" } });
    expect(columnDefinition(full)).toBe("note text DEFAULT 'x'::text NOT NULL COLLATE pg_catalog.\"C\"");
  });

  it("leaves out default and NOT NULL where they come from elsewhere", () => {
    const full = column({ expression: "1", notNull: true });
    expect(columnDefinition(full, { expression: false, notNull: false })).toBe("note text");
  });

  it("writes generated columns, stored and virtual", () => {
    expect(columnDefinition(column({ expression: "a + 1", generated: "stored" }))).toBe(
      "note text GENERATED ALWAYS AS (a + 1) STORED",
    );
    expect(columnDefinition(column({ expression: "a + 1", generated: "virtual" }))).toBe(
      "note text GENERATED ALWAYS AS (a + 1)",
    );
  });

  it("writes a NOT NULL constraint's name where it is not the default one", () => {
    const named = column({
      notNull: true,
      notNullSource: "constraint",
      notNullName: "must be",
      notNullNoInherit: true,
    });
    expect(columnDefinition(named)).toBe('note text CONSTRAINT "must be" NOT NULL NO INHERIT');
  });
});

describe("columnStatements", () => {
  const table = { kind: "r", schema: "public", name: "t" } as const;

  it("is nothing for a column with defaults only", () => {
    expect(columnStatements(table, column({ expression: "1", notNull: true }))).toBe("");
  });

  it("sets statistics, storage, compression and options, in this order", () => {
    const tuned = column({ statistics: 0, storage: "EXTERNAL", compression: "lz4", options: "n_distinct=5" });
    expect(columnStatements(table, tuned)).toBe(
      "ALTER TABLE ONLY public.t ALTER COLUMN note SET STATISTICS 0;\n" +
        "ALTER TABLE ONLY public.t ALTER COLUMN note SET STORAGE EXTERNAL;\n" +
        "ALTER TABLE ONLY public.t ALTER COLUMN note SET COMPRESSION lz4;\n" +
        "ALTER TABLE ONLY public.t ALTER COLUMN note SET (n_distinct=5);\n",
    );
  });

  it("says FOREIGN TABLE, and gives the column's options, where it is one", () => {
    const far = column({ statistics: 5, foreignOptions: "column_name 'other'" });
    expect(columnStatements({ ...table, kind: "f" }, far, 180000)).toBe(
      "ALTER FOREIGN TABLE ONLY public.t ALTER COLUMN note SET STATISTICS 5;\n" +
        "ALTER FOREIGN TABLE ONLY public.t ALTER COLUMN note OPTIONS (\n    column_name 'other'\n);\n",
    );
  });
});

describe("optionList", () => {
  it("quotes values that are no plain words, and keeps an equals sign in a value", () => {
    expect(optionList(["fillfactor=70", "security_invoker=on", "buffering=auto", "x=a=b"])).toBe(
      "fillfactor='70', security_invoker='on', buffering=auto, x='a=b'",
    );
  });

  it("writes toast options with their prefix", () => {
    expect(optionList(["autovacuum_enabled=false"], "toast.")).toBe("toast.autovacuum_enabled='false'");
  });
});

function column(parts: Partial<Column>): Column {
  return {
    relation: 1,
    number: 1,
    name: "note",
    type: "text",
    collation: null,
    notNull: false,
    notNullSource: "attribute",
    notNullName: null,
    notNullNoInherit: false,
    notNullInherited: false,
    defaultOid: null,
    expression: null,
    generated: null,
    identity: null,
    isLocal: true,
    statistics: null,
    storage: null,
    compression: null,
    options: null,
    foreignOptions: null,
    ...parts,
  };
}
