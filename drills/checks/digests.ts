import { tableDigest } from "../../shared/archive/table-digest.ts";
import { type Check, count, failed, naming, passed, wholeTables } from "./check.ts";

/** Every table's rows have the digest that was taken from the source's snapshot. */
export const digestsCheck: Check = {
  name: "digests",
  async run({ scratch, manifest }) {
    const wrong: string[] = [];
    for (const table of wholeTables(manifest)) {
      const { digest } = await tableDigest(scratch, table);
      if (digest !== table.digest) wrong.push(`${table.schema}.${table.table}`);
    }
    if (wrong.length > 0) return failed(naming("tables hold other rows than the manifest says", wrong));
    return passed(`${count(wholeTables(manifest).length, "digest")} equal`);
  },
};
