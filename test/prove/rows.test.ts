import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRows } from "../../shared/migrations/prove/rows/read-rows.ts";
import { seedRows } from "../../shared/migrations/prove/rows/seed.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let session: Session;

beforeAll(async () => {
  database = await createDatabase();
  session = await openSession(database.url);
});

afterAll(async () => {
  await session.close();
  await database.drop();
});

/** Makes tables, puts rows in, looks, and takes all of it back. */
async function seeded<T>(
  sql: string,
  look: (unseeded: readonly { table: string; why: string }[]) => Promise<T>,
  rows = 2,
) {
  await session.run("begin");
  try {
    await session.run(sql);
    const { unseeded } = await seedRows(session, { rows, seed: 1 });
    return await look(unseeded);
  } finally {
    await session.run("rollback");
  }
}

async function count(table: string): Promise<number> {
  const [row] = await session.run(`select count(*)::int as n from only ${table}`);
  return row!.n;
}

/** What a table asks of its rows, by what it is about. */
const shapes: readonly [name: string, sql: string, tables: readonly string[]][] = [
  ["a foreign key", "create table a (id int primary key); create table b (a_id int not null references a)", ["a", "b"]],
  ["a reference to itself", "create table a (id int primary key, up int not null references a)", ["a"]],
  [
    "a reference to another row of itself",
    "create table a (id int primary key, up int references a check (up <> id))",
    ["a"],
  ],
  [
    "two tables that refer to each other, both NOT NULL",
    `create table a (id int primary key, b_id int not null); create table b (id int primary key, a_id int not null references a);
     alter table a add foreign key (b_id) references b`,
    ["a", "b"],
  ],
  [
    "two tables that refer to each other, looked at by COMMIT",
    `create table a (id int primary key, b_id int not null); create table b (id int primary key, a_id int not null references a);
     alter table a add foreign key (b_id) references b deferrable initially deferred`,
    ["a", "b"],
  ],
  [
    "keys of two columns that share one",
    `create table t (id int primary key); create table u (t int references t, id int, primary key (t, id));
     create table v (t int not null references t, u int not null, w int, foreign key (t, u) references u, foreign key (t, w) references u)`,
    ["t", "u", "v"],
  ],
  ["a list of words", "create table a (x text not null check (x in ('on', 'off')))", ["a"]],
  ["a range of numbers", "create table a (x int not null check (x between 3 and 5), y numeric(3, 2) not null)", ["a"]],
  [
    "a length",
    "create table a (x text not null check (length(x) = 64), y bytea not null check (length(y) = 32))",
    ["a"],
  ],
  ["a pattern", "create table a (x text not null check (x ~ '^[a-z]+@[a-z.]+$'))", ["a"]],
  [
    "conditions over several columns",
    `create table p (id int primary key); create table a (p_id int references p, q text, from_ date, to_ date, n int,
       check ((p_id is null) <> (q is null)), check (from_ < to_), check (n > 10 or q is not null))`,
    ["p", "a"],
  ],
  [
    "enums, domains, composites, arrays and ranges",
    `create type mood as enum ('sad', 'ok'); create domain short as text not null check (length(value) < 3);
     create domain few as int[] check (array_length(value, 1) = 3); create type pair as (a int, b mood);
     create table a (m mood not null, ms mood[] not null, s short, f few not null, p pair not null, ps pair[],
       r int4range not null, t tstzrange, mr datemultirange)`,
    ["a"],
  ],
  [
    "the server's own types",
    `create table a (a json not null, b jsonb not null, c uuid not null, d inet not null, e cidr not null, f macaddr not null,
       g tsvector not null, h tsquery not null, i bytea not null, j xml, k bit(5) not null, l varbit(3) not null, m money not null, n interval not null,
       o time not null, p timetz not null, q point not null, r box not null, s pg_lsn not null, t "char" not null, u name not null,
       v char(2) not null, w varchar(1) not null, x real not null, y smallint not null, z oid not null, aa jsonpath not null, ab path, ac polygon, ad circle)`,
    ["a"],
  ],
  [
    "identity, serial and generated columns",
    `create table a (id int generated always as identity primary key, n serial, twice int generated always as (n * 2) stored, note text)`,
    ["a"],
  ],
  [
    "unique keys and exclusion",
    `create extension if not exists btree_gist; create table a (x text unique, y boolean unique, room int, during tstzrange, unique (room, x),
       exclude using gist (room with =, during with &&))`,
    ["a"],
  ],
  [
    "partitions by range, list and hash, and what refers to them",
    `create table a (id int, at date, primary key (id, at)) partition by range (at);
     create table a1 partition of a for values from ('2020-01-01') to ('2020-02-01'); create table a2 partition of a default;
     create table l (k text not null) partition by list (k); create table l1 partition of l for values in ('x', 'y');
     create table h (id int primary key) partition by hash (id); create table h0 partition of h for values with (modulus 2, remainder 0);
     create table h1 partition of h for values with (modulus 2, remainder 1); create table r (a_id int, at date, foreign key (a_id, at) references a)`,
    ["a1", "a2", "l1", "h0", "h1", "r"],
  ],
  ["inheritance", "create table a (id int primary key, x text); create table b (y int) inherits (a)", ["a", "b"]],
  ["no columns", "create table a ()", ["a"]],
  [
    "a trigger that refuses what is no version",
    `create function f() returns trigger language plpgsql as $$ begin if new.v !~ '^\\d+\\.\\d+\\.\\d+$' then raise 'no version'; end if; return new; end $$;
     create table a (v text); create trigger t before insert on a for each row execute function f()`,
    ["a"],
  ],
  [
    "a table that a trigger fills",
    `create table a (id int primary key); create table b (a_id int primary key references a);
     create function f() returns trigger language plpgsql as $$ begin insert into b values (new.id); return new; end $$;
     create trigger t after insert on a for each row execute function f()`,
    ["a", "b"],
  ],
  ["one row alone", "create table a (one boolean primary key default true check (one))", ["a"]],
  ["names in need of quotes", `create table "A b" ("Sel ect" int, "x""y" text check ("x""y" in ('it''s')))`, ['"A b"']],
];

describe("generated rows", () => {
  for (const [name, sql, tables] of shapes)
    it(`fit ${name}`, async () => {
      await seeded(sql, async (unseeded) => {
        expect(unseeded).toEqual([]);
        for (const table of tables) expect(await count(table), table).toBeGreaterThan(0);
      });
    });

  it("leave a table out that takes none, and say why", async () => {
    await seeded(
      `create table a (x int); create rule no as on insert to a do instead nothing;
       create function f() returns trigger language plpgsql as $$ begin raise 'closed'; end $$;
       create table b (x int); create trigger t before insert on b for each row execute function f();
       create table c (x int check (x > 1 and x < 1))`,
      async (unseeded) => {
        expect(unseeded).toEqual(
          [
            { table: "public.a", why: expect.stringMatching(/turned the rows away/) },
            { table: "public.b", why: "closed" },
            { table: "public.c", why: expect.stringMatching(/NULL|check constraint|sparse/i) },
          ].slice(0, unseeded.length),
        );
        expect(unseeded.length).toBeGreaterThanOrEqual(2);
      },
    );
  });

  it("are as many as asked for, with every third one sparse", async () => {
    await seeded(
      "create table a (id int primary key, x text)",
      async () => {
        const [row] = await session.run("select count(*)::int as n, count(x)::int as x from a");
        expect(row).toEqual({ n: 9, x: 6 });
      },
      9,
    );
  });

  it("are the same for the same seed, and others for another", async () => {
    const sql = "create table a (id int primary key, x text, at timestamptz)";
    const rowsOf = async (seed: number) => {
      await session.run(`begin; ${sql}`);
      await seedRows(session, { rows: 2, seed });
      const rows = (await readRows(session)).map((table) => table.rows);
      await session.run("rollback");
      return rows;
    };
    expect(await rowsOf(1)).toEqual(await rowsOf(1));
    expect(await rowsOf(1)).not.toEqual(await rowsOf(2));
  });

  it("leave nothing waiting for COMMIT, and deferred constraints deferred", async () => {
    await seeded(
      `create table a (id int primary key); create table b (a_id int references a deferrable initially deferred)`,
      async () => {
        await session.run("alter table b add column x int");
        await session.run("insert into b (a_id) values (-1)");
        await expect(session.run("set constraints all immediate")).rejects.toThrow(/foreign key/);
      },
    );
  });

  it("leave sequences past their columns, and as they were once rolled back", async () => {
    await session.run("create table kept (id serial primary key, x int)");
    await session.run("insert into kept (x) values (1)");
    await seeded("select 1", async () => {
      await session.run("insert into kept (x) values (2)");
      const [row] = await session.run("select max(id) - min(id) > 900 as past from kept where x = 2 or x = 1");
      expect(row!.past).toBe(true);
    });
    const [row] = await session.run("insert into kept (x) values (3) returning id");
    expect(row!.id).toBe(2);
    await session.run("drop table kept");
  });

  it("are unlike what the same transaction's triggers write", async () => {
    await seeded(
      `create function f() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
       create table a (x int, at timestamptz); create trigger t before insert or update on a for each row execute function f()`,
      async () => {
        const [row] = await session.run("select bool_and(at < now()) as earlier from a");
        expect(row!.earlier).toBe(true);
      },
    );
  });

  it("come in few round trips, whatever the number of tables", async () => {
    const tables = Array.from({ length: 60 }, (_, n) => {
      const parent = n === 0 ? "" : `, up int not null references t${n - 1}`;
      return `create table t${n} (id serial primary key, name text not null, state text check (state in ('a', 'b')), at timestamptz${parent});`;
    });
    let trips = 0;
    const counted: Session = {
      ...session,
      run: (text) => {
        trips++;
        return session.run(text);
      },
    };
    await session.run(`begin; ${tables.join("")}`);
    const { unseeded } = await seedRows(counted, { rows: 2, seed: 1 });
    await session.run("rollback");
    expect(unseeded).toEqual([]);
    expect(trips).toBeLessThan(10);
  });
});
