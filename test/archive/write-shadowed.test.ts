import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyArchive } from "../../shared/archive/verify.ts";
import { dumpDatabase } from "../../shared/archive/write/dump.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

/** Functions that fit an argument better than the server's own of that name, as CVE-2018-1058 tells of. */
const traps = `
  create function public.trap() returns void language plpgsql as $$ begin raise exception 'a trap was run'; end $$;
  create function public.unnest(text[]) returns setof text language plpgsql as $$ begin perform public.trap(); end $$;
  create function public.gather(text[], text) returns text[] language plpgsql as $$ begin perform public.trap(); end $$;
  create aggregate public.array_agg(text) (sfunc = public.gather, stype = text[], initcond = '{}');`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase({
    sql: `${traps}
      create table items as select generate_series(1, 10) as id; create sequence numbers;
      select lo_from_bytea(4711, 'large');`,
  });
});
afterAll(async () => {
  await database?.drop();
});

test("a dump runs no function that somebody put in the way of the server's own", async () => {
  const belay = testBelay({ database: database.url });
  const { id } = await dumpDatabase(belay, { reason: "shadowed" });
  expect((await verifyArchive(belay.store, id)).problems).toEqual([]);
});
