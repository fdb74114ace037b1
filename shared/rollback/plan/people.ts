/** Who acts, as far as it can be shown: a signed-in user's id, or else the database role of the connection. */
export interface Person {
  /** The name on record: over HTTP the user's e-mail address, elsewhere what --actor says. */
  readonly actor: string;
  /** The id of a user whose token was verified; null: only the database role and the name are known. */
  readonly subject: string | null;
  /** session_user of the connection. */
  readonly databaseRole: string;
}

/**
 * Whether two records may be of one person. A name alone proves nobody: behind one database role all are one, and one
 * name behind two roles is one too.
 */
export function maybeSamePerson(a: Person, b: Person): boolean {
  if (a.subject !== null && b.subject !== null) return a.subject === b.subject;
  if (a.actor.trim().toLowerCase() === b.actor.trim().toLowerCase()) return true;
  return a.subject === null && b.subject === null && a.databaseRole === b.databaseRole;
}

/** `nora@example.com (signed in)`, `ann (database role postgres)`. */
export function personText({ actor, subject, databaseRole }: Person): string {
  return subject === null ? `${actor} (database role ${databaseRole})` : `${actor} (signed in)`;
}
