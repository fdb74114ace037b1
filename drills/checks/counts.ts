import { qualified } from "../../shared/catalog/identifiers.ts";
import { type Check, count, failed, naming, passed, wholeTables } from "./check.ts";

/** Every table has as many rows as the manifest says. */
export const countsCheck: Check = {
  name: "counts",
  async run({ scratch, manifest }) {
    const wrong: string[] = [];
    let total = 0;
    for (const { schema, table, rows } of wholeTables(manifest)) {
      const [row] = await scratch.run(`select count(*)::float8 as count from only ${qualified(schema, table)}`);
      total += row!.count;
      if (row!.count !== rows) wrong.push(`${schema}.${table} has ${row!.count} rows instead of ${rows}`);
    }
    if (wrong.length > 0) return failed(naming("tables differ", wrong));
    return passed(`${count(total, "row")} in ${count(wholeTables(manifest).length, "table")}`);
  },
};
