import { createHash } from "node:crypto";
import type { Migration } from "../shared/migrations/types.ts";

export interface MigrationText {
  readonly name: string;
  readonly up: string;
  readonly down: string;
  /** Query that holds after the rollback. */
  readonly verify?: string;
}

/** A migration as it is read from a file of its own in the section layout. */
export function migrationOf({ name, up, down, verify }: MigrationText): Migration {
  const checksum = createHash("sha256").update(up).digest("hex");
  const file = `${name}.sql`;
  return {
    name,
    version: name.split("_")[0]!,
    layout: "section",
    file,
    forwardSql: up,
    rollback: { sql: down, file, line: 1, reverses: [name], selfReversing: false },
    emptyRollback: null,
    transactional: { up: true, down: true },
    checksum,
    fileChecksum: checksum,
    dependsOn: [],
    verifySql: verify ?? null,
  };
}
