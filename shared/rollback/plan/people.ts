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
 * Whether who approved may be the other person too. A name alone proves nobody: an approval from behind a database role
 * may be of anybody behind it, and one name behind two roles is one person.
 */
export function maybeSamePerson(approver: Person, other: Person): boolean {
  if (approver.subject !== null && other.subject !== null) return approver.subject === other.subject;
  if (sameName(approver.actor, other.actor)) return true;
  return approver.subject === null && approver.databaseRole === other.databaseRole;
}

/** `nora` and `Nora@example.com` are one name. */
function sameName(a: string, b: string): boolean {
  const [one, two] = [a.trim().toLowerCase(), b.trim().toLowerCase()];
  if (one.includes("@") && two.includes("@")) return one === two;
  return one.split("@")[0] === two.split("@")[0];
}

/** `nora@example.com (signed in)`, `ann (database role postgres)`. */
export function personText({ actor, subject, databaseRole }: Person): string {
  return subject === null ? `${actor} (database role ${databaseRole})` : `${actor} (signed in)`;
}
