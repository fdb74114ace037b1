import { expect, test } from "vitest";
import { executeRollback } from "../../shared/rollback/execute/execute.ts";
import { testBelay } from "../support/belay.ts";
import { createDatabase, runSql } from "../support/postgres.ts";
import { apply, type Pair, run } from "./helpers.ts";

const pair: Pair = {
  name: "20250101000000_notes",
  up: "create table notes (id int primary key, body text); insert into notes values (1, 'a'); create sequence numbers;",
  down: "drop table notes; drop sequence numbers;",
};

/** Functions that fit an argument better than the server's own of that name (CVE-2018-1058). */
const traps = `
  create function public.trap() returns void language plpgsql as $$ begin raise exception 'a trap was run'; end $$;
  create function public.unnest(text[]) returns setof text language plpgsql as $$ begin perform public.trap(); end $$;
  create function public.unnest(oid[]) returns setof oid language plpgsql as $$ begin perform public.trap(); end $$;
  create function public.quote_ident(name) returns text language plpgsql as $$ begin perform public.trap(); end $$;
  create function public.gather(text[], text) returns text[] language plpgsql as $$ begin perform public.trap(); end $$;
  create aggregate public.array_agg(text) (sfunc = public.gather, stype = text[], initcond = '{}');`;

test("planning and rolling back run no function that somebody put in the way of the server's own", async () => {
  const database = await createDatabase({ installed: true });
  await apply(database.url, pair);
  await runSql(database.url, traps);
  await executeRollback(testBelay({ database: database.url }), { migration: pair.name, reason: "test" });
  expect(await run(database.url, "select to_regclass('notes') as there")).toEqual([{ there: null }]);
  await database.drop();
});
