import { connect, createServer, type Socket } from "node:net";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isBelayError } from "../../shared/errors.ts";
import { copyIn, copyOut } from "../../shared/postgres/copy.ts";
import { openSession, type Session } from "../../shared/postgres/session.ts";
import { createDatabase } from "../support/postgres.ts";

const rows = 200_000;
let database: Awaited<ReturnType<typeof createDatabase>>;
beforeAll(async () => {
  database = await createDatabase();
  const session = await openSession(database.url);
  await session.run(`
    create table big as select i, repeat(md5(i::text), 4) as text from generate_series(1, ${rows}) i;
    create table target (i integer primary key, text text);
    create table empty ();
    create table zero_columns ();
    insert into zero_columns default values;
    create table wide as select string_agg(md5(i::text), '') as text from generate_series(1, 60000) i;
  `);
  await session.close();
});
afterAll(() => database?.drop());

async function withSession<T>(body: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession(database.url);
  try {
    return await body(session);
  } finally {
    await session.destroy();
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Fails the test, instead of hanging it, when `doing` does not end. */
async function ends<T>(doing: Promise<T>, ms = 8_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still not over after ${ms} ms`)), ms);
  });
  return await Promise.race([doing, late]).finally(() => clearTimeout(timer));
}

async function errorOf(doing: Promise<unknown>): Promise<{ code: string; message: string; sqlstate: unknown }> {
  try {
    await ends(doing);
  } catch (error) {
    if (isBelayError(error)) return { code: error.code, message: error.message, sqlstate: error.details.sqlstate };
    throw error;
  }
  throw new Error("there was no error");
}

async function backends(pid: number): Promise<number> {
  return await withSession(async ({ sql }) => {
    const [row] = await sql`select count(*)::int as n from pg_stat_activity where pid = ${pid}`;
    return row!.n;
  });
}

async function* linesFrom(first: number, count: number, per = 1000): AsyncGenerator<Uint8Array> {
  for (let i = first; i < first + count; i += per) {
    let text = "";
    for (let j = i; j < Math.min(i + per, first + count); j += 1) text += `${j}\ttext of row ${j}\n`;
    yield Buffer.from(text);
  }
}

/** A relay before the server whose connections a test can cut. */
async function relay(): Promise<{ url: string; cut(): void; close(): void }> {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(database.url);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as { port: number }).port);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: url.href,
    cut,
    close: () => {
      cut();
      server.close();
    },
  };
}

describe("reading rows with COPY", () => {
  test("gives every row, in batches of at most 128 KiB", async () => {
    await withSession(async (session) => {
      const batches = await ends(collect(copyOut(session, "copy big to stdout")));
      const text = Buffer.concat(batches).toString();
      expect(text.split("\n").length - 1).toBe(rows);
      expect(batches.length).toBe(Math.ceil(text.length / (128 * 1024)));
      expect(batches.slice(0, -1).every((batch) => batch.length === 128 * 1024)).toBe(true);
    });
  });

  test("a consumer slower than the server: 20 times over the same session, each ends and the session stays usable", async () => {
    await withSession(async (session) => {
      for (let run = 0; run < 20; run += 1) {
        let bytes = 0;
        const reading = (async () => {
          for await (const batch of copyOut(session, `copy (select * from big limit ${5_000 + run * 997}) to stdout`)) {
            bytes += batch.length;
            await pause(1);
          }
        })();
        await ends(reading);
        const [row] = await ends(session.sql`select 1 as one`);
        expect(row!.one).toBe(1);
        expect(bytes).toBeGreaterThan(500_000);
      }
    });
  }, 60_000);

  test("memory stays flat: the server waits while the consumer sleeps", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      const reader = copyOut(session, "copy (select repeat('x', 1000) from generate_series(1, 300000)) to stdout");
      await reader.next();
      const before = process.memoryUsage().arrayBuffers;
      await pause(500);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
      let bytes = 128 * 1024;
      for await (const batch of reader) bytes += batch.length;
      expect(bytes).toBe(300_000 * 1001);
    });
  });

  test("leaving early ends the server's work at once, also when it is blocked in sending", async () => {
    const session = await openSession(database.url);
    await session.run("begin; lock table target in access exclusive mode");
    for await (const _ of copyOut(session, "copy (select * from big, generate_series(1, 50)) to stdout")) break;
    await pause(300);
    expect(session.alive).toBe(false);
    expect(await ends(backends(session.pid))).toBe(0);
    await withSession((other) =>
      ends(
        other.run("lock table target in access exclusive mode nowait").catch((error) => {
          if (error.code !== "25P01") throw error;
        }),
      ),
    );
  });

  test("an error in the middle of the rows is thrown, and the session is usable after ROLLBACK", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      const reading = collect(copyOut(session, "copy (select 1 / (i - 150000) from big) to stdout"));
      expect(await errorOf(reading)).toMatchObject({ code: "database_error", sqlstate: "22012" });
      await ends(session.run("rollback"));
      const [row] = await ends(session.sql`select 1 as one`);
      expect(row!.one).toBe(1);
    });
  });

  test("an error before the first row is thrown", async () => {
    await withSession(async (session) => {
      const reading = collect(copyOut(session, "copy absent to stdout"));
      expect(await errorOf(reading)).toMatchObject({ code: "database_error", sqlstate: "42P01" });
    });
  });

  test("a statement that is no COPY is an error", async () => {
    await withSession(async (session) => {
      expect((await errorOf(collect(copyOut(session, "select 1")))).code).toBe("internal");
    });
  });

  test.each([
    ["no rows", "empty", ""],
    ["no columns and one row", "zero_columns", "\n"],
  ])("a table with %s", async (_, table, text) => {
    await withSession(async (session) => {
      expect(Buffer.concat(await ends(collect(copyOut(session, `copy ${table} to stdout`)))).toString()).toBe(text);
    });
  });

  test("a row larger than a batch is cut into batches", async () => {
    await withSession(async (session) => {
      const batches = await ends(collect(copyOut(session, "copy wide to stdout")));
      expect(Buffer.concat(batches).length).toBe(60_000 * 32 + 1);
      expect(Math.max(...batches.map((batch) => batch.length))).toBe(128 * 1024);
    });
  });

  test("a connection cut in the middle is connection_lost, never a short but clean end", async () => {
    const middle = await relay();
    const session = await openSession(middle.url);
    const reading = (async () => {
      let batches = 0;
      for await (const _ of copyOut(session, "copy (select * from big, generate_series(1, 20)) to stdout")) {
        batches += 1;
        if (batches === 3) middle.cut();
      }
    })();
    expect((await errorOf(reading)).code).toBe("connection_lost");
    expect(session.alive).toBe(false);
    expect((await errorOf(collect(copyOut(session, "copy big to stdout")))).code).toBe("connection_lost");
    await session.destroy();
    middle.close();
  });

  test("a backend that is terminated is connection_lost", async () => {
    await withSession(async (session) => {
      const reading = (async () => {
        for await (const _ of copyOut(session, "copy (select * from big, generate_series(1, 50)) to stdout")) {
          await withSession(({ sql }) => sql`select pg_terminate_backend(${session.pid})`);
        }
      })();
      expect((await errorOf(reading)).code).toBe("connection_lost");
    });
  });
});

describe("loading rows with COPY", () => {
  const statement = "copy target (i, text) from stdin";

  test("loads what it is given, in the caller's transaction", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      expect(await ends(copyIn(session, statement, linesFrom(1, 50_000)))).toBe(50_000);
      const [inside] = await session.sql`select count(*)::int as n from target`;
      expect(inside!.n).toBe(50_000);
      await session.run("rollback");
      const [after] = await session.sql`select count(*)::int as n from target`;
      expect(after!.n).toBe(0);
    });
  });

  test("no rows are fine", async () => {
    await withSession(async (session) => {
      expect(await ends(copyIn(session, statement, linesFrom(1, 0)))).toBe(0);
    });
  });

  const bad = async function* (lines: string, after: number) {
    yield* linesFrom(1, after);
    yield Buffer.from(lines);
    yield* linesFrom(1_000_000, 200_000);
  };
  test.each([
    ["a value of the wrong type", "x\ttext\n", "22P02"],
    ["a duplicate key", "1\tagain\n", "23505"],
    ["a row with too few columns", "900000\n", "22P04"],
    ["bytes that are not UTF-8", Buffer.from([0x39, 0x09, 0xff, 0xfe, 0x0a]).toString("latin1"), undefined],
  ])("%s in the middle is thrown, and ROLLBACK works", async (_, lines, sqlstate) => {
    await withSession(async (session) => {
      await session.run("begin");
      const loading = copyIn(session, statement, bad(lines, 30_000));
      if (sqlstate === undefined) await ends(loading.catch(() => 0));
      else expect(await errorOf(loading)).toMatchObject({ code: "database_error", sqlstate });
      await ends(session.run("rollback"));
      const [row] = await ends(session.sql`select count(*)::int as n from target`);
      expect(row!.n).toBe(0);
    });
  });

  test.each([
    ["a value of the wrong type", "x\ttext\n", "22P02"],
    ["a duplicate key", "1\tagain\n", "23505"],
  ])("%s in the only, last row is thrown", async (_, line, sqlstate) => {
    await withSession(async (session) => {
      await session.run("begin; insert into target values (1, 'there')");
      const only = (async function* () {
        yield Buffer.from(line);
      })();
      expect(await errorOf(copyIn(session, statement, only))).toMatchObject({ sqlstate });
      await ends(session.run("rollback"));
    });
  });

  test("a constraint that is checked at the end of the COPY is thrown", async () => {
    await withSession(async (session) => {
      await session.run("begin; create table child (i integer references target)");
      const loading = copyIn(
        session,
        "copy child from stdin",
        (async function* () {
          yield Buffer.from("77\n");
        })(),
      );
      expect(await errorOf(loading)).toMatchObject({ sqlstate: "23503" });
      await ends(session.run("rollback"));
    });
  });

  test("a source that fails: its own error is thrown, nothing is loaded, ROLLBACK works", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      const failing = (async function* () {
        yield* linesFrom(1, 10_000);
        throw new Error("the source broke");
      })();
      expect((await errorOf(copyIn(session, statement, failing))).message).toMatch(/the source broke/);
      await ends(session.run("rollback"));
      const [row] = await ends(session.sql`select count(*)::int as n from target`);
      expect(row!.n).toBe(0);
    });
  });

  test("a source that is slow holds nothing up but itself", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      const slow = (async function* () {
        for (let i = 0; i < 20; i += 1) {
          await pause(20);
          yield* linesFrom(i * 10, 10);
        }
      })();
      expect(await ends(copyIn(session, statement, slow))).toBe(200);
      await session.run("rollback");
    });
  });

  test("the source is left when the server refuses a row", async () => {
    await withSession(async (session) => {
      await session.run("begin");
      let sent = 0;
      let released = false;
      const source = (async function* () {
        try {
          yield Buffer.from("x\tbad\n");
          for await (const lines of linesFrom(1, 3_000_000)) {
            sent += 1000;
            yield lines;
          }
        } finally {
          released = true;
        }
      })();
      expect((await errorOf(copyIn(session, statement, source))).sqlstate).toBe("22P02");
      expect(sent).toBeLessThan(2_000_000);
      expect(released).toBe(true);
    });
  });

  test("a connection cut in the middle is connection_lost", async () => {
    const middle = await relay();
    const session = await openSession(middle.url);
    await session.run("begin");
    const source = (async function* () {
      let sent = 0;
      for await (const lines of linesFrom(1, 2_000_000)) {
        sent += 1;
        if (sent === 50) middle.cut();
        yield lines;
      }
    })();
    expect((await errorOf(copyIn(session, statement, source))).code).toBe("connection_lost");
    await session.destroy();
    middle.close();
  });

  test("a backend that is terminated is connection_lost", async () => {
    await withSession(async (session) => {
      const source = (async function* () {
        yield* linesFrom(1, 1000);
        await withSession(({ sql }) => sql`select pg_terminate_backend(${session.pid})`);
        await pause(100);
        yield* linesFrom(10_000, 500_000);
      })();
      expect((await errorOf(copyIn(session, statement, source))).code).toBe("connection_lost");
    });
  });

  test("a statement timeout ends a load", async () => {
    await withSession(async (session) => {
      await session.run("set statement_timeout = '300ms'");
      const source = (async function* () {
        yield* linesFrom(1, 1000);
        await pause(600);
        yield* linesFrom(5000, 1000);
      })();
      expect((await errorOf(copyIn(session, statement, source))).sqlstate).toBe("57014");
    });
  });
});

describe("the driver alone, without the wrapper (if these fail, the driver was mended and the wrapper can be smaller)", () => {
  const over = async (doing: Promise<unknown>) =>
    await Promise.race([
      doing.then(
        () => "over",
        () => "over",
      ),
      pause(1_500).then(() => "hangs"),
    ]);

  test("leaving a COPY early wedges the connection", async () => {
    const sql = postgres(database.url, { max: 1 });
    const stream = await sql.unsafe("copy (select * from big, generate_series(1, 50)) to stdout").readable();
    for await (const _ of stream) break;
    expect(await over(sql`select 1`.then(() => {}))).toBe("hangs");
    await withSession(
      (other) => other.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query like 'copy (select%' and pid <> pg_backend_pid()`,
    );
    await sql.end({ timeout: 0 });
  });

  test("a bad row in a COPY fires no event", async () => {
    const sql = postgres(database.url, { max: 1 });
    const stream = await sql.unsafe("copy target (i, text) from stdin").writable();
    const settled = new Promise<void>((resolve) => {
      for (const event of ["finish", "error", "close"]) stream.on(event, () => resolve());
    });
    stream.write("x\tbad\n");
    stream.end();
    expect(await over(settled)).toBe("hangs");
    await sql.end({ timeout: 0 });
  });
});
