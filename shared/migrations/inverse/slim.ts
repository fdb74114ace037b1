/** `public.t` or `"a b".t` at the start of a text. */
const name = /(?:"(?:[^"]|"")*"|[^\s".(;]+)(?:\.(?:"(?:[^"]|"")*"|[^\s".(;]+))?/.source;
const dropped = new RegExp(`^DROP TABLE (${name})$`);
const partOf = new RegExp(
  `^(?:ALTER TABLE (?:ONLY )?(${name}) (?:DROP CONSTRAINT|ALTER COLUMN \\S+ DROP DEFAULT)|(?:DROP (?:TRIGGER|POLICY|RULE) .* ON|COMMENT ON TABLE) (${name})(?: IS NULL)?$|COMMENT ON COLUMN (${name})\\.)`,
);

/** The statements without those that take a part off a table which is dropped whole further on. */
export function slimmed(statements: readonly string[]): string[] {
  const tables = new Map<string, number>();
  for (const [index, sql] of statements.entries()) {
    const [, table] = dropped.exec(sql) ?? [];
    if (table !== undefined) tables.set(table, index);
  }
  return statements.filter((sql, index) => {
    const found = partOf.exec(sql);
    const table = found?.[1] ?? found?.[2] ?? found?.[3];
    return table === undefined || (tables.get(table) ?? -1) < index;
  });
}
