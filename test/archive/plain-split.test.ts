import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitScript } from "../../shared/archive/read/plain/split.ts";
import { skipBlank } from "../../shared/sql/blank.ts";
import { describeWithDebian, tryProgram } from "../support/debian.ts";
import { type EchoServer, startEchoServer } from "./echo-server.ts";

const samples = join(import.meta.dirname, "../../../shared/corpora/samples");

describe("a script is split", () => {
  it.each([
    ["at semicolons", "select 1;\nselect 2;", ["select 1", "select 2"]],
    [
      "not in strings, names and comments",
      `select ';', ";" /* ; /* ; */ ; */ -- ;\n;`,
      [`select ';', ";" /* ; /* ; */ ; */ -- ;`],
    ],
    ["not in dollar quotes", "do $a$ ; $b$ ; $a$; select $$;$$, a$b$ ;", ["do $a$ ; $b$ ; $a$", "select $$;$$, a$b$"]],
    [
      "not in parentheses",
      "create rule r as on insert to t do (select 1; select 2);",
      ["create rule r as on insert to t do (select 1; select 2)"],
    ],
    ["by E'' strings' backslashes", `select E'\\';', '\\';`, [`select E'\\';', '\\'`]],
    [
      "by the script's standard_conforming_strings",
      `set standard_conforming_strings = off; select '\\';';`,
      ["set standard_conforming_strings = off", `select '\\';'`],
    ],
    [
      "not in a function's SQL body",
      "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3;",
      ["create function f() returns int begin atomic select case when true then 1 end; select 2; end", "select 3"],
    ],
    ["with the last semicolon left out", "select 1; select 2", ["select 1", "select 2"]],
    ["without its empty statements and byte order mark", "\uFEFF;;\r\n select 1 ;;", ["select 1"]],
  ])("%s", async (_, script, wanted) => {
    expect((await parts(script)).map(({ text }) => text)).toEqual(wanted);
  });

  it("with the rows of COPY, and the lines of everything", async () => {
    const script =
      "-- x\n\ncopy t (a) from stdin;\n1\n\\.x\n\\.\n\nselect\n1;copy t from stdin csv; -- none\n\\.\r\n select 2;";
    expect(await parts(script)).toEqual(
      [
        { kind: "comment", text: "-- x", line: 1 },
        { kind: "copy", text: "copy t (a) from stdin", line: 3, rows: "1\n\\.x\n", dataLine: 4 },
        { kind: "statement", text: "select\n1", line: 8 },
        { kind: "copy", text: "copy t from stdin csv", line: 9, rows: "", dataLine: 10 },
        { kind: "comment", text: "-- none", line: 9 },
        { kind: "statement", text: "select 2", line: 11 },
      ].filter(({ text }) => text !== "-- none"),
    );
  });

  it("the same wherever the chunks end", async () => {
    const script =
      "\uFEFF-- a\r\n/* b /* c */ */select 'd''e', E'f\\'g', \"h\"\"i\", $j$ $k $j$, 1-1, 2/1 -- l\n;\ncopy t from stdin;\nm\\n\t\\.\n\\.n\n\\.\r\nselect U&'o', b'1';\\restrict p\nselect 'ä€𝄞';\n\\unrestrict p\nselect 1";
    const bytes = Buffer.from(script);
    const whole = await parts(script);
    expect(whole.length).toBe(6);
    for (let at = 1; at < bytes.length; at += 1)
      expect(await parts([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toEqual(whole);
    expect(await parts([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it("whatever statements it is made of", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(statement(), { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), async (list, size) => {
        const script = list.map((text) => `${text};\n`).join("");
        const bytes = Buffer.from(script);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
          bytes.subarray(n * size, (n + 1) * size),
        );
        const found = (await parts(chunks)).filter(({ kind }) => kind === "statement").map(({ text }) => text);
        expect(found).toEqual(list);
      }),
    );
  });
});

describe("a script is refused with its line", () => {
  it.each([
    ["select 1;\n\nselect 'abc;\n;", "x.sql:3: a string begins here and never ends"],
    ["select 1;\n\n/* never\n", "x.sql:3: a comment begins here and never ends"],
    ["\n do $x$ begin\n", "x.sql:2: a dollar-quoted string begins here and never ends"],
    ['select\n"a', "x.sql:2: a quoted name begins here and never ends"],
    ["copy t from stdin;\n1\n2\n", "x.sql:4: the rows of the COPY in line 1 end without \\."],
    ["copy t from stdin; select 1;\n\\.\n", "x.sql:1: something stands behind COPY"],
    ["copy t from stdin (format binary);\n", "x.sql:1: binary COPY data"],
    ["select 1\n\\g\n", "x.sql:2: a psql command stands in the middle of a statement"],
    ["\n\\! rm -rf /\n", "x.sql:2: psql's command \\! runs a program"],
    ["\\i other.sql\n", "x.sql:1: psql's command \\i reads another script"],
    ["\\copy t from 'x'\n", "psql's command \\copy reads or writes a file"],
    ["select 'drop table t';\n\\gexec\n", "x.sql:2: psql's command \\gexec"],
    ["\\frobnicate\n", "psql's command \\frobnicate is not known here"],
    ["\\set name value\n", "psql's variable name is set"],
    ["\\echo `rm x`\n", "needs psql to be read"],
    ["\\echo a \\! rm x\n", "needs psql to be read"],
    ["\\restrict k\n\\connect other\n", "x.sql:2: a psql command stands between \\restrict and \\unrestrict"],
    ["\\restrict k\n\\unrestrict other\n", "x.sql:2: \\unrestrict has another key"],
    ["\\connect other someone\n", "names another user or server"],
    ["set client_encoding = 'SJIS';\n", "x.sql:1: SQL in SJIS cannot be split safely"],
    ["set local standard_conforming_strings = off;\n", "changed in a way that cannot be followed"],
    ["select 1;\nselect\n'a\0b';", "x.sql:3: the SQL holds a NUL byte"],
  ])("%j: %s", async (script, problem) => {
    await expect(parts(script)).rejects.toMatchObject({
      code: "archive_invalid",
      message: expect.stringContaining(problem),
    });
  });

  it("when it is not UTF-8 and does not say what it is", async () => {
    await expect(parts([Buffer.from("\nselect 'caf\xe9';", "latin1")])).rejects.toThrow(
      "x.sql:2: the statement is not UTF-8",
    );
    await expect(
      parts([Buffer.from("select 1;", "utf16le").subarray(0)].map((b) => Buffer.concat([Buffer.of(255, 254), b]))),
    ).rejects.toThrow("UTF-16");
  });

  it("when a statement is longer than the bound", async () => {
    const chunks = ["-- x\n", "select '", ..."a".repeat(50), "';"].map((text) => Buffer.from(text));
    await expect(parts(chunks, 40)).rejects.toThrow("x.sql:2: a statement is longer than 40 bytes");
    expect(await parts(chunks, 100)).toHaveLength(2);
  });
});

describeWithDebian("psql's own lexer", () => {
  let server: EchoServer;
  beforeAll(async () => {
    server = await startEchoServer();
  });
  afterAll(() => server.close());

  const byPsql = async (script: string) => {
    server.queries.length = 0;
    const { stderr } = await tryProgram("psql", ["-X", "-q", "-f", "-"], { url: server.url, input: script });
    expect(stderr).not.toMatch(/connection|fatal/i);
    return server.queries.map(folded).filter((text) => text !== "");
  };

  it("makes the same statements of scripts put together at random", async () => {
    await fc.assert(
      fc.asyncProperty(soup(), async (script) => {
        const ours: Found[] = [];
        // psql sends what is left at the end, closed or not.
        const whole = await parts(script, undefined, ours).then(
          () => true,
          (error) => expect(error.message).toMatch(/never ends/),
        );
        const statements = ours.map(({ kind, text }) => (kind === "comment" ? "" : folded(text!)));
        const sent = await byPsql(script);
        const wanted = statements.filter((text) => text !== "");
        expect(sent.slice(0, wanted.length)).toEqual(wanted);
        expect(sent.length - wanted.length).toBeLessThanOrEqual(whole === true ? 0 : 1);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  it.each(readdirSync(samples).filter((name) => name.endsWith(".sql")))(
    "makes the same statements of %s",
    async (name) => {
      const script = readFileSync(join(samples, name), "utf8").replace(/^COPY .* FROM stdin;\n[\s\S]*?^\\\.\n/gm, "");
      const ours = (await parts(script)).filter(({ kind }) => kind !== "comment").map(({ text }) => folded(text!));
      expect(ours).toEqual(await byPsql(script));
      expect(ours.length).toBeGreaterThan(10);
    },
  );
});

/** What psql sends, without the comments before it and in its lines, and the semicolon that it keeps. */
function folded(text: string): string {
  return text
    .slice(skipBlank(text, 0))
    .replace(/--[^\r\n]*/g, "")
    .replace(/\s+/g, "")
    .replace(/;$/, "");
}

/** A statement as a person would write it, without a semicolon outside quotes. */
function statement() {
  const filler = fc.string({ maxLength: 12 }).map((text) => text.replace(/[\0\uFFFD\p{Cs}]/gu, ""));
  const piece = fc.oneof(
    filler.map((text) => `'${text.replaceAll("'", "''")}'`),
    filler.map((text) => `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`),
    filler.map((text) => `"${text.replaceAll('"', '""')}"`),
    filler.map((text) => `$q$${text.replaceAll("$", "")}$q$`),
    filler.map((text) => `/*${text.replace(/[*/]/g, "")}/*;*/*/`),
    filler.map((text) => `--${text.replace(/[\r\n]/g, "")}\n`),
    fc.constantFrom("a$1", "x", "1", "- ", "/ ", "$1", "(1;2)", "::int", "e", "\n", ", "),
  );
  return fc.array(piece, { maxLength: 10 }).map((pieces) => `select ${pieces.join(" ")} end`);
}

/** Pieces on which lexers disagree, in any order; no single colon: psql's variables are not filled in. */
function soup() {
  const pieces = [
    "'",
    '"',
    "''",
    "$$",
    "$a$",
    "$a",
    "$1",
    "a$b$",
    "--",
    "/*",
    "*/",
    "\n",
    "\r\n",
    ";",
    "(",
    ")",
    " ",
    "e'",
    "E'",
  ];
  const words = [
    "u&'",
    'U&"',
    "b'",
    "x'",
    "n'",
    "create",
    "or",
    "replace",
    "function",
    "procedure",
    "begin",
    "case",
    "end",
  ];
  const odd = ["-", "/", "*", "+", "::", "=", "é", "x", "1", "1e5", "set standard_conforming_strings = off;", "\n;\n"];
  return fc
    .array(fc.constantFrom(...pieces, ...words, ...words, ...odd), { minLength: 1, maxLength: 25 })
    .map((list) => list.map((piece) => (/^[a-z]{2,}$/.test(piece) ? ` ${piece} ` : piece)).join(""));
}

interface Found {
  kind: string;
  text?: string;
  line?: number;
  rows?: string;
  dataLine?: number;
}

async function parts(script: string | Uint8Array[], largestStatement?: number, found: Found[] = []): Promise<Found[]> {
  const chunks = typeof script === "string" ? [Buffer.from(script)] : script;
  for await (const part of splitScript(each(chunks), { name: "x.sql", largestStatement })) {
    if (part.kind === "copy") {
      const rows: Uint8Array[] = [];
      for await (const chunk of part.rows) rows.push(chunk);
      const { statement: text, line, dataLine } = part;
      found.push({ kind: "copy", text, line, rows: Buffer.concat(rows).toString(), dataLine });
    } else if (part.kind === "statement") found.push({ kind: "statement", text: part.text, line: part.line });
    else if (part.kind === "comment") found.push({ ...part });
    else found.push({ kind: part.kind, line: part.line });
  }
  return found;
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
