import type { Session } from "../../postgres/session.ts";
import type { Migration } from "../types.ts";
import { insertDependencies } from "./ledger.ts";

/** Writes what migrations declare that they depend on; answers how many were declared. Call within a transaction. */
export async function recordDeclared(
  session: Session,
  directory: string,
  migrations: readonly Migration[],
): Promise<number> {
  const declared = migrations.flatMap((migration) =>
    migration.dependsOn.map(({ name, place }) => ({
      name: migration.name,
      dependsOn: name,
      found: "declared" as const,
      why: `declared in ${within(directory, place.file)}:${place.line}`,
    })),
  );
  await insertDependencies(session, declared);
  return declared.length;
}

/** The file as seen from the migrations folder: the ledger is read on other machines too. */
function within(directory: string, file: string): string {
  const folder = directory.replace(/\/*$/, "/");
  return file.startsWith(folder) ? file.slice(folder.length) : file;
}
