/**
 * How the names of the schemas begin in which a rollback keeps what it took (`--preserve`). Like `belay` they are no part
 * of the team's catalog.
 */
export const keptPrefix = "belay_kept_";

/** Whether rows that a rollback keeps are in this schema. */
export function isKeptSchema(name: string): boolean {
  return name.startsWith(keptPrefix);
}
