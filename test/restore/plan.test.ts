import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Toc, TocEntry } from "../../shared/archive/format/toc.ts";
import { createQueue } from "../../shared/archive/restore/execute/queue.ts";
import { databaseOptions } from "../../shared/archive/restore/plan/database.ts";
import { grantsOfGroup } from "../../shared/archive/restore/plan/large-objects.ts";
import { planRestore } from "../../shared/archive/restore/plan/plan.ts";
import { segmentsOf } from "../../shared/archive/restore/plan/segments.ts";
import type { PlanOptions, Step, Task } from "../../shared/archive/restore/plan/types.ts";
import { rolesNamed } from "../../shared/archive/restore/preflight/role-names.ts";

const options: PlanOptions = {
  owners: true,
  grants: true,
  rows: true,
  self: "me",
  serverVersion: 150_000,
  selected: null,
  tablespaces: new Set(["pg_default", "fast"]),
  foreignKeys: false,
  dataBytes: () => 1_000,
};

function entry(dumpId: number, desc: string, tag: string, fields: Partial<TocEntry> = {}): TocEntry {
  return {
    dumpId,
    desc,
    tag,
    hadDumper: desc === "TABLE DATA",
    tableoid: "0",
    oid: "0",
    section: "pre-data",
    defn: `MAKE ${tag};\n`,
    dropStmt: `DROP ${desc} public.${tag};\n`,
    copyStmt: desc === "TABLE DATA" ? `COPY public.${tag} (id) FROM stdin;\n` : null,
    namespace: "public",
    tablespace: null,
    tableam: null,
    owner: "me",
    dependencies: [],
    file: "",
    ...fields,
  };
}

const searchPath = entry(1, "SEARCHPATH", "SEARCHPATH");
function toc(entries: readonly TocEntry[]): Toc {
  const head = {
    minor: 14,
    format: "directory",
    compression: "gzip",
    intSize: 4,
    encoding: "UTF8",
    createdAt: new Date(0),
  } as const;
  return { ...head, database: "d", serverVersion: "15.1", dumpVersion: "15.1", entries: [searchPath, ...entries] };
}

const sqlOf = (steps: readonly Step[]) => steps.map((step) => (step.kind === "sql" ? step.sql : step.kind));
const names = (steps: readonly Step[]) => steps.map(({ entry }) => `${entry.desc} ${entry.tag}`);

describe("the plan of a restore", () => {
  test("sorts entries into stages; settings and what belongs to the database are left out", () => {
    const plan = planRestore(
      toc([
        entry(2, "DATABASE", "d"),
        entry(3, "TABLE", "t"),
        entry(4, "ACL", "TABLE t", { section: "none", dependencies: [3] }),
        entry(5, "COMMENT", "DATABASE d", { section: "none" }),
        entry(6, "TABLE DATA", "t", { section: "data", dependencies: [3] }),
        entry(7, "INDEX", "i", { section: "post-data", dependencies: [3] }),
        entry(8, "COMMENT", "INDEX i", { section: "none", dependencies: [7] }),
        entry(9, "EVENT TRIGGER", "e", { section: "post-data" }),
        entry(10, "COMMENT", "EVENT TRIGGER e", { section: "none", dependencies: [9] }),
        entry(11, "MATERIALIZED VIEW DATA", "m", { section: "post-data" }),
        entry(12, "DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES", { section: "post-data" }),
      ]),
      options,
    );
    expect(names(plan.before)).toEqual(["TABLE t"]);
    expect(names(plan.tasks.map(({ step }) => step))).toEqual(["TABLE DATA t", "INDEX i", "COMMENT INDEX i"]);
    expect(names(plan.grants)).toEqual(["ACL TABLE t", "DEFAULT ACL DEFAULT PRIVILEGES FOR TABLES"]);
    expect(names(plan.refreshes.map(({ step }) => step))).toEqual(["MATERIALIZED VIEW DATA m"]);
    expect(names(plan.last)).toEqual(["EVENT TRIGGER e", "COMMENT EVENT TRIGGER e"]);
    const [, index, comment] = plan.tasks;
    expect(index).toMatchObject({ needs: [6], shared: [3], exclusive: [], weight: 1_000 });
    expect(comment).toMatchObject({ needs: [7], exclusive: [7] });
  });

  test("a foreign key of a partitioned table waits for the rows of its partitions and takes them alone; dangling dependencies are ignored", () => {
    const plan = planRestore(
      toc([
        entry(2, "TABLE", "whole"),
        entry(3, "TABLE", "part", { dependencies: [2] }),
        entry(4, "TABLE ATTACH", "part", { dependencies: [3, 2] }),
        entry(5, "TABLE", "other"),
        entry(6, "TABLE DATA", "part", { section: "data", dependencies: [3] }),
        entry(7, "TABLE DATA", "other", { section: "data", dependencies: [5] }),
        entry(8, "CONSTRAINT", "other pkey", { section: "post-data", dependencies: [5] }),
        entry(9, "FK CONSTRAINT", "whole fkey", { section: "post-data", dependencies: [2, 8, 5, 4_000, 9, 2] }),
      ]),
      options,
    );
    const key = plan.tasks.at(-1)!;
    expect([...key.needs].sort()).toEqual([6, 7, 8]);
    expect([...key.exclusive].sort()).toEqual([2, 3, 5, 8, 9]);
    expect(key.weight).toBe(2_000);
  });

  test("what a partition's trigger is set to waits for the partitioned table's trigger, of which pg_dump says nothing", () => {
    const set = { section: "post-data", defn: '\nALTER TABLE public.part ENABLE ALWAYS TRIGGER "on it";\n' } as const;
    const create = { section: "post-data", defn: "CREATE TRIGGER ...;\n" } as const;
    const plan = planRestore(
      toc([
        entry(2, "TABLE", "whole"),
        entry(3, "TABLE", "part"),
        entry(4, "TABLE DATA", "whole", { section: "data", dependencies: [2] }),
        entry(5, "TRIGGER", "whole on it", { ...create, dependencies: [2] }),
        entry(6, "TRIGGER", "whole other", { ...create, dependencies: [2] }),
        entry(7, "TRIGGER", "part on it", { ...set, dependencies: [3] }),
      ]),
      options,
    );
    const needs = new Map(plan.tasks.map(({ step, needs }) => [step.entry.dumpId, needs]));
    expect(needs.get(7)).toEqual([5]);
    expect(needs.get(5)).toEqual([4]);
  });

  test("rows that go through a partitioned table's root come before everything behind them, and their table is not emptied", () => {
    const plan = planRestore(
      toc([
        entry(2, "TABLE", "part"),
        entry(3, "TABLE", "other"),
        entry(4, "TABLE DATA", "part", {
          section: "data",
          dependencies: [2],
          defn: "-- load via partition root public.whole",
        }),
        entry(5, "INDEX", "i", { section: "post-data", dependencies: [3] }),
      ]),
      options,
    );
    expect(plan.tasks.map(({ needs }) => needs)).toEqual([[], [4]]);
    expect(plan.tasks[0]!.step).toMatchObject({ own: false });
  });

  test("owners are set where they are not the restoring role's own, also of a schema that is there already", () => {
    const comment = "-- *not* creating schema, since initdb creates it\n";
    const entries = [
      entry(2, "SCHEMA", "public", { namespace: null, defn: comment, dropStmt: comment }),
      entry(3, "TABLE", "mine"),
      entry(4, "VIEW", "Theirs", { owner: "the other" }),
      entry(5, "FUNCTION", "f(int, text)", { owner: "o", dropStmt: "DROP FUNCTION public.f(integer, text);\n" }),
      entry(6, "EXTENSION", "x", { owner: "o", namespace: null }),
      entry(7, "SEQUENCE", "identity", { owner: "o", dropStmt: "" }),
    ];
    expect(sqlOf(planRestore(toc(entries), options).before)).toEqual([
      "ALTER SCHEMA public OWNER TO me;",
      "MAKE mine;\n",
      'MAKE Theirs;\n\n;\nALTER VIEW public."Theirs" OWNER TO "the other";',
      "MAKE f(int, text);\n\n;\nALTER FUNCTION public.f(integer, text) OWNER TO o;",
      "MAKE x;\n",
      "MAKE identity;\n",
    ]);
    expect(sqlOf(planRestore(toc(entries), { ...options, owners: false }).before).join()).not.toContain("OWNER");
  });

  test("tablespaces and access methods are set for their entry alone; a tablespace that is not there is named", () => {
    const plan = planRestore(
      toc([
        entry(2, "TABLE", "a", { tablespace: "fast", tableam: "heap" }),
        entry(3, "TABLE", "b", { tablespace: "gone", tableam: "columnar" }),
      ]),
      options,
    );
    expect(sqlOf(plan.before)).toEqual([
      "SET LOCAL default_tablespace = 'fast';\nMAKE a;\n\n;SET LOCAL default_tablespace = '';",
      "SET LOCAL default_table_access_method = 'columnar';\nMAKE b;\n\n;SET LOCAL default_table_access_method = heap;",
    ]);
    expect(plan.leftOut).toEqual(["the tablespace gone of public.b: the server has none of that name"]);
  });

  test("without a SEARCHPATH entry names are looked up in each entry's schema", () => {
    const old = { ...toc([]), entries: [entry(2, "TABLE", "t", { namespace: "My App" })] };
    expect(sqlOf(planRestore(old, options).before)[0]).toContain('SET LOCAL search_path = "My App", pg_catalog;');
  });

  test("planner statistics of 18 are left to servers that can take them", () => {
    const archive = toc([entry(2, "STATISTICS DATA", "t", { section: "data" })]);
    expect(planRestore(archive, options).tasks).toHaveLength(0);
    expect(planRestore(archive, { ...options, serverVersion: 180_000 }).tasks).toHaveLength(1);
  });

  test("large objects of 17: made from their list, for their owner; grants are for each of the group", () => {
    const group = entry(2, "BLOB METADATA", "7..9", {
      section: "data",
      defn: "7\n9\n",
      namespace: null,
      owner: "o",
      dropStmt: "-- dummy",
    });
    const acl = entry(3, "ACL", "LARGE OBJECTS 7..9", {
      section: "none",
      dependencies: [2],
      defn: "GRANT SELECT ON LARGE OBJECT 7 TO r;\n",
    });
    const plan = planRestore(toc([group, acl]), options);
    expect(sqlOf(plan.tasks.map(({ step }) => step))[0]).toBe(
      "SELECT pg_catalog.lo_create('7');\nALTER LARGE OBJECT 7 OWNER TO o;\nSELECT pg_catalog.lo_create('9');\nALTER LARGE OBJECT 9 OWNER TO o;",
    );
    expect(sqlOf(plan.grants)[0]).toContain("GRANT SELECT ON LARGE OBJECT 9 TO r;");
    expect(grantsOfGroup("GRANT SELECT ON LARGE OBJECT 7 TO a;\nGRANT ALL ON LARGE OBJECT 7 TO b;", ["7"])).toBe(
      "GRANT SELECT ON LARGE OBJECT 7 TO a;\nGRANT ALL ON LARGE OBJECT 7 TO b;",
    );
    expect(() => planRestore(toc([{ ...group, defn: "7; DROP TABLE x" }]), options)).toThrow(/not a list of numbers/);
  });

  test("tables that know nothing of each other are apart, in their order; what depends stays together", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(120), { minLength: 70, maxLength: 120 }), (needs) => {
        const steps = needs.map(
          (need, at): Step => ({
            kind: "sql",
            sql: "",
            entry: entry(at + 10, "TABLE", `t${at}`, { dependencies: need < at ? [need + 10] : [] }),
          }),
        );
        const [segment] = segmentsOf(steps);
        const groupOf = new Map(
          segment!.groups.flatMap((group, at) => group.map(({ entry }) => [entry.dumpId, at] as const)),
        );
        expect(groupOf.size).toBe(steps.length);
        for (const { entry } of steps)
          for (const id of entry.dependencies) expect(groupOf.get(id)).toBe(groupOf.get(entry.dumpId));
        for (const group of segment!.groups)
          expect(group.map(({ entry }) => entry.dumpId)).toEqual(
            group.map(({ entry }) => entry.dumpId).sort((a, b) => a - b),
          );
      }),
    );
  });
});

describe("the queue of tasks", () => {
  test("never gives out what conflicts or is not ready, and gives out everything", () => {
    const task = fc.record({
      needs: fc.array(fc.nat(40), { maxLength: 3 }),
      exclusive: fc.array(fc.nat(5), { maxLength: 2 }),
      shared: fc.array(fc.nat(5), { maxLength: 2 }),
      weight: fc.oneof(fc.nat(10), fc.constant(5_000_000)),
    });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 40 }), fc.infiniteStream(fc.nat(3)), (drawn, choices) => {
        const tasks = drawn.map(
          ({ needs, ...rest }, at): Task => ({
            ...rest,
            step: { kind: "sql", sql: "", entry: entry(at, "INDEX", `i${at}`) },
            needs: needs.filter((id) => id < at),
          }),
        );
        const queue = createQueue(tasks, 2);
        const running: (readonly Task[])[] = [];
        const done = new Set<number>();
        while (queue.left > 0) {
          const batch = choices.next().value! > 0 || running.length === 0 ? queue.take() : null;
          if (batch === null) {
            expect(running.length, "nothing is under way and nothing is given out").toBeGreaterThan(0);
            const finished = running.shift()!;
            for (const { step } of finished) done.add(step.entry.dumpId);
            queue.finish(finished);
            continue;
          }
          for (const one of batch) {
            expect(one.needs.every((id) => done.has(id))).toBe(true);
            for (const other of running.flat()) {
              expect(one.exclusive.some((id) => other.exclusive.includes(id) || other.shared.includes(id))).toBe(false);
              expect(one.shared.some((id) => other.exclusive.includes(id))).toBe(false);
            }
          }
          running.push(batch);
        }
        expect(done.size).toBe(tasks.length);
      }),
    );
  });

  test("tasks in a circle are a damaged archive, not a wait without end", async () => {
    const circle = [1, 2].map(
      (id): Task => ({
        step: { kind: "sql", sql: "", entry: entry(id, "INDEX", `i${id}`) },
        needs: [3 - id],
        exclusive: [],
        shared: [],
        weight: 0,
      }),
    );
    const queue = createQueue(circle, 2);
    expect(queue.take()).toBeNull();
    await expect(queue.changed()).rejects.toMatchObject({ code: "archive_invalid" });
  });
});

test.each([
  ['GRANT SELECT ON TABLE app."to" TO bob WITH GRANT OPTION;\nREVOKE ALL ON TABLE x FROM PUBLIC;', ["bob"]],
  [
    'ALTER DEFAULT PRIVILEGES FOR ROLE "My ""Role""" IN SCHEMA app GRANT SELECT ON TABLES TO amy;',
    ['My "Role"', "amy"],
  ],
  [
    "SET SESSION AUTHORIZATION carl;\nGRANT ALL ON FUNCTION f(x integer) TO dora;\nRESET SESSION AUTHORIZATION;",
    ["carl", "dora"],
  ],
  ["CREATE POLICY p ON t FOR SELECT TO amy, \"Bob B\" USING ((note = 'TO nobody'::text));", ["amy", "Bob B"]],
  ["CREATE POLICY p ON t TO PUBLIC USING (true);", []],
  ["CREATE USER MAPPING FOR carl SERVER s OPTIONS (\"user\" 'TO x');", ["carl"]],
  ["CREATE USER MAPPING FOR public SERVER s;", []],
])("roles named by %s", (sql, roles) => {
  expect(rolesNamed(sql)).toEqual(roles);
});

test("a database is made with the archived one's encoding and locale, not with its tablespace", () => {
  const defn =
    "CREATE DATABASE rich WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de' TABLESPACE = fast;\n";
  expect(databaseOptions(defn, 150_000)).toBe(
    " ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de'",
  );
  expect(databaseOptions("CREATE DATABASE x;", 150_000)).toBeNull();
});
