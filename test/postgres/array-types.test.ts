import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseArray, writeArray } from "../../shared/postgres/array-types.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { serverUrl } from "../support/postgres.ts";
import { proxied } from "../support/proxied.ts";

let session: Session;

beforeAll(async () => {
  session = await openSession(await serverUrl());
});

afterAll(() => session.close());

const element = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("NULL", "null", "", "{", "}", ",", '"', "\\"),
);
const valid = element.filter((text) => !text.includes("\0") && text.isWellFormed());

test("a list is the same after the server had it, whatever its elements are", async () => {
  const lists = fc.array(fc.option(valid), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      const [row] =
        await session.sql`select ${list}::text[] as list, ${list}::text[] is not distinct from ${list}::text[] as same`;
      expect(row).toEqual({ list, same: true });
    }),
    { numRuns: 60 },
  );
});

test("what is written of a nested list reads as the same", () => {
  const nested = fc.array(fc.array(fc.option(valid), { minLength: 1 }), { minLength: 1 });
  fc.assert(
    fc.property(nested, (list) => {
      expect(parseArray(writeArray(list), (text) => text)).toEqual(list);
    }),
  );
});

test("elements have the types that they have alone; empty, nested and NULL elements, and bounds", async () => {
  const [row] = await session.sql`
    select array[1, null, 3] as numbers, array[true, false] as flags, array[[1, 2], [3, 4]] as nested, '{}'::text[] as empty,
           '[2:3]={a,b}'::text[] as bounds, array[box '((1,1),(0,0))', box '((2,2),(0,0))'] as boxes, array['{"a": [1]}'::jsonb] as documents,
           array[timestamptz '2026-01-02T03:04:05Z'] as times, array['pg_class'::regclass, 'pg_type'::regclass] as names,
           proargtypes as types from pg_proc where proname = 'pg_terminate_backend'`;
  expect(row).toEqual({
    numbers: [1, null, 3],
    flags: [true, false],
    nested: [
      [1, 2],
      [3, 4],
    ],
    empty: [],
    bounds: ["a", "b"],
    boxes: ["(1,1),(0,0)", "(2,2),(0,0)"],
    documents: [{ a: [1] }],
    times: [new Date("2026-01-02T03:04:05Z")],
    names: ["pg_class", "pg_type"],
    types: expect.anything(),
  });
});

test("a connection that is cut at any statement of its beginning is told as lost, and nothing else", async () => {
  const { proxy, url } = await proxied(await serverUrl());
  const seen: string[] = [];
  proxy.watch((statement, when) => void (when === "before" && seen.push(statement.sql)));
  await (await openSession(url)).close();
  expect(seen.length).toBeGreaterThan(3);
  for (let at = 0; at < seen.length; at++)
    for (const when of ["before", "after"] as const) {
      proxy.watch((statement, now, link) => {
        if (statement.ordinal === at && now === when) link.break("cut");
      });
      const opened = openSession(url).then((one) => one.close());
      // What sets the check interval may fail: the session is then lost from the start.
      await opened.catch((error) => expect(error).toMatchObject({ code: "connection_lost" }));
    }
  await new Promise((resolve) => setTimeout(resolve, 100));
  proxy.close();
}, 30_000);
