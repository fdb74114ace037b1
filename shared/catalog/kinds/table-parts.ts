import type { Address } from "../types.ts";
import type { Check } from "./checks.ts";
import type { Column } from "./columns.ts";
import { addressKey, type References, reaches } from "./references.ts";
import { addressOf, catalogOid } from "./relations.ts";

/** A default or CHECK that CREATE TABLE carries unless it has to come after the table. */
interface Part {
  readonly table: number;
  readonly address: Address;
}

/**
 * Keys (`classid objid`) of the defaults and CHECK constraints that need their own table to exist first, as
 * nextval of a sequence that the table owns does. pg_dump writes these after the table; generation expressions
 * stay, because there is no syntax to add them later.
 */
export function partsAfterTable(
  columns: Iterable<readonly Column[]>,
  checks: readonly Check[],
  references: References,
): ReadonlySet<string> {
  const parts: Part[] = [];
  for (const list of columns)
    for (const column of list)
      if (column.defaultOid !== null && column.generated === null)
        parts.push({ table: column.relation, address: addressOf(catalogOid.attrdef, column.defaultOid) });
  for (const check of checks)
    if (check.validated) parts.push({ table: check.relation, address: addressOf(catalogOid.constraint, check.oid) });

  const after = new Set<string>();
  // Owned sequences first: with those loops broken, fewer others remain (pg_dump, too, breaks the short ones first).
  for (const part of parts) if (needsOwnedSequence(part, references)) after.add(addressKey(part.address));
  const inline = inlineParts(parts, after);
  for (const part of parts) {
    if (after.has(addressKey(part.address))) continue;
    const start = withoutTable(part, references);
    const also = (address: Address) =>
      address.classid === catalogOid.class ? (inline.get(address.objid) ?? []) : noAddresses;
    if (reaches(references, start, (address) => isTable(address, part.table), also))
      after.add(addressKey(part.address));
  }
  return after;
}

const noAddresses: readonly Address[] = [];

function isTable(address: Address, table: number): boolean {
  return address.classid === catalogOid.class && address.objid === table;
}

/** What a part refers to besides its own table. */
function withoutTable(part: Part, references: References): readonly Address[] {
  return references.of(part.address.classid, part.address.objid).filter((reference) => !isTable(reference, part.table));
}

function needsOwnedSequence(part: Part, references: References): boolean {
  return withoutTable(part, references).some(
    (reference) =>
      reference.classid === catalogOid.class &&
      references.of(reference.classid, reference.objid).some((owner) => isTable(owner, part.table)),
  );
}

function inlineParts(parts: readonly Part[], after: ReadonlySet<string>): ReadonlyMap<number, Address[]> {
  const inline = new Map<number, Address[]>();
  for (const part of parts) {
    if (after.has(addressKey(part.address))) continue;
    const list = inline.get(part.table);
    if (list === undefined) inline.set(part.table, [part.address]);
    else list.push(part.address);
  }
  return inline;
}
