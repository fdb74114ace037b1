import type { Manifest } from "../../shared/archive/types.ts";
import { managedSchemas, withoutManaged } from "../../shared/archive/write/profile.ts";
import { entryKey } from "../../shared/catalog/entry.ts";
import { keptSchemasWords } from "../../shared/catalog/kept-schemas.ts";
import { readCatalog } from "../../shared/catalog/read.ts";
import type { Catalog, CatalogScope } from "../../shared/catalog/types.ts";
import type { Session } from "../../shared/postgres/session.ts";
import { type Check, count, failed, naming, passed } from "./check.ts";

/** Each object that the archive names is there with the same definition, owner and grants, and no other. */
export const catalogCheck: Check = {
  name: "catalog",
  async run({ scratch, manifest }) {
    const catalog = await readRestored(scratch, manifest);
    const found = new Map(catalog.entries.map((entry) => [entry.key, entry.hash]));
    const wanted = manifest.entries;
    const named = new Set(wanted.map((entry) => entry.key));
    const missing = wanted.filter((entry) => !found.has(entry.key)).map((entry) => entry.key);
    const changed = wanted.filter((entry) => found.has(entry.key) && found.get(entry.key) !== entry.hash);
    const extra = [...found.keys()].filter((key) => !named.has(key));
    if (missing.length > 0) return failed(naming("objects are missing", missing));
    if (changed.length > 0)
      return failed(
        naming(
          "objects differ",
          changed.map((entry) => entry.key),
        ),
      );
    if (extra.length > 0) return failed(naming("objects are not in the archive", extra));
    const kept = keptSchemasWords(catalog.entries).map((words) => `; ${words}`);
    return passed(`${count(wanted.length, "object")} equal, owners and grants too${kept.join("")}`);
  },
};

/** Without what the scratch setup made, where the archive is without it too. */
async function readRestored(scratch: Session, manifest: Manifest): Promise<Catalog> {
  if (manifest.profile !== "supabase") return await readCatalog(scratch, scopeOf(manifest));
  const whole = await readCatalog(scratch, { excludeSchemas: [], largeObjects: true });
  return withoutManaged(whole, await managedSchemas(scratch));
}

/** A whole database's archive holds Belay's own schema and the large objects too. */
function scopeOf({ entries }: Manifest): CatalogScope {
  const holds = (key: string) => entries.some((entry) => entry.key === key);
  const ownSchema = holds(entryKey({ kind: "SCHEMA", schema: null, name: "belay", owner: null }));
  return {
    ...(ownSchema ? { excludeSchemas: [] } : {}),
    largeObjects: entries.some(({ key }) => key.startsWith("BLOB ")),
  };
}
