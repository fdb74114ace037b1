import { BelayError } from "../../../errors.ts";
import { identityOf, sameDatabase } from "../../../postgres/identity.ts";
import type { Session } from "../../../postgres/session.ts";
import type { Manifest } from "../../types.ts";

/** Throws `restore_target` when the database is the one that the archive was made from, whatever URL led there. */
export async function refuseSource(session: Session, manifest: Manifest | null): Promise<void> {
  if (manifest === null) return;
  const { source } = manifest;
  if (!sameDatabase(await identityOf(session), source)) return;
  throw new BelayError(
    "restore_target",
    `this is the database ${source.database} itself, which the archive was made from`,
    {
      hint: "Nothing was changed. Restore into another database: --create makes the one that the URL names.",
      details: { reason: "source" },
    },
  );
}
