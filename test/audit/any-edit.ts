import fc from "fast-check";
import { rehashFrom } from "./support.ts";

/** Rows of the log that is edited. */
export const rows = 12;
const row = fc.integer({ min: 1, max: rows });
const columns: Readonly<Record<string, string>> = {
  occurred_at: "occurred_at + interval '1 microsecond'",
  actor: "actor || ' '",
  action: "upper(action)",
  subject: "'other'",
  details: `details || '{"z": 1.50}'`,
  previous_hash: "translate(previous_hash, '0123456789abcdef', '123456789abcdef0')",
  hash: "translate(hash, '0123456789abcdef', '123456789abcdef0')",
  id: "id + 1000",
};
const change = fc.tuple(row, fc.constantFrom(...Object.keys(columns))).map(([id, column]) => ({
  what: `${column} of row ${id} changed`,
  sql: `update belay.audit_log set ${column} = ${columns[column]} where id = ${id}`,
}));
const remove = row.map((id) => ({ what: `row ${id} deleted`, sql: `delete from belay.audit_log where id = ${id}` }));
const cut = row.map((id) => ({ what: `rows cut from ${id} on`, sql: `delete from belay.audit_log where id >= ${id}` }));
const swap = fc
  .tuple(row, row)
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => ({
    what: `rows ${a} and ${b} swapped`,
    sql: `update belay.audit_log set id = -id where id in (${a}, ${b});
      update belay.audit_log set id = case id when -${a} then ${b} else ${a} end where id < 0`,
  }));
const insert = row.map((id) => ({
  what: `a row put in before ${id}`,
  sql: `update belay.audit_log set id = -(id + 1) where id >= ${id}; update belay.audit_log set id = -id where id < 0;
    insert into belay.audit_log select ${id}, occurred_at, 'eve', action, subject, details, previous_hash, hash
      from belay.audit_log where id <> ${id} limit 1`,
}));
const before = fc.constantFrom(0, -7, 5_000_000_000_000).map((id) => ({
  what: `a row ${id} put in`,
  sql: `insert into belay.audit_log select ${id}, occurred_at, 'eve', action, subject, details, previous_hash, hash from belay.audit_log where id = 1`,
}));
const plain = fc.oneof(change, remove, swap, insert);
/** Whoever knows how writes all hashes from there anew: the chain alone cannot tell. */
const rewritten = plain
  .filter(({ what }) => !/hash/.test(what))
  .map(({ what, sql }) => ({
    what: `${what}, and the chain computed anew`,
    sql: `${sql}; ${rehashFrom(1)}`,
  }));
const renumbered = row.map((id) => ({
  what: `row ${id} deleted, the rest moved up and computed anew`,
  sql: `delete from belay.audit_log where id = ${id}; update belay.audit_log set id = -(id - 1) where id > ${id};
    update belay.audit_log set id = -id where id < 0; ${rehashFrom(1)}`,
}));
/** One edit of the log, by somebody who may do anything in the database and knows how the chain is made. */
export const edit = fc.oneof(
  { arbitrary: plain, weight: 3 },
  { arbitrary: cut, weight: 1 },
  { arbitrary: before, weight: 1 },
  { arbitrary: rewritten, weight: 2 },
  { arbitrary: renumbered, weight: 1 },
);
