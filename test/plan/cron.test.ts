import { describe, expect, it } from "vitest";
import { namedInSql } from "../../shared/rollback/plan/command-names.ts";
import { usedBy } from "../../shared/rollback/plan/cron-jobs.ts";
import { planRollback } from "../../shared/rollback/plan/plan-rollback.ts";
import { projectOf } from "./project.ts";

/** pg_cron cannot be installed everywhere: a stand-in with the columns and the policy of its table cron.job (1.6). */
const standIn = `
  create schema cron;
  create table cron.job (
    jobid bigint generated always as identity primary key, schedule text not null, command text not null,
    nodename text not null default 'localhost', nodeport int not null default 5432,
    database text not null default current_database(), username text not null default current_user,
    active boolean not null default true, jobname text
  );
  alter table cron.job enable row level security;
  create policy cron_job_policy on cron.job using (username = current_user);
  grant usage on schema cron to public; grant select on cron.job to public;
`;

describe("scheduled jobs that name what goes (a stand-in for pg_cron)", () => {
  it("are in the plan with what they name, and raise the risk", async () => {
    const { belay, session } = await projectOf(
      [
        { name: "01_users", up: "create table users (id int primary key, seen int);", down: "drop table users;" },
        {
          name: "02_visits",
          up: "create table visits (id int primary key); create function tidy() returns void language sql as 'delete from visits'; alter table users add column note text;",
          down: "drop function tidy();\ndrop table visits;\nalter table users drop column note;",
        },
      ],
      { before: standIn },
    );
    await session.run(`insert into cron.job (schedule, command, jobname, active, database) values
      ('0 3 * * *', 'delete from public.visits where id < 10', 'purge', true, current_database()),
      ('* * * * *', 'select tidy()', null, true, current_database()),
      ('@daily', 'update users set note = null', 'notes', false, current_database()),
      ('@daily', 'update users set seen = 0', 'seen', true, current_database()),
      ('@daily', 'delete from other.visits', 'another schema', true, current_database()),
      ('@daily', 'truncate visits', 'another database', true, 'elsewhere')`);
    const plan = await planRollback(belay, { migration: "02_visits" });
    expect(plan.effect.jobs).toEqual([
      { id: 1, name: "purge", schedule: "0 3 * * *", active: true, uses: ["table public.visits"] },
      { id: 2, name: null, schedule: "* * * * *", active: true, uses: ["function public.tidy"] },
      { id: 3, name: "notes", schedule: "@daily", active: false, uses: ["column note of public.users"] },
    ]);
    expect(plan.riskReasons).toContain("2 scheduled jobs name what goes, and would fail");
    const [after] = await session.sql`select current_setting('row_security') as off`;
    expect(after!.off).toBe("on");
  });

  it("are none where there is no pg_cron, or none that this role may read", async () => {
    const { belay } = await projectOf([{ name: "01_t", up: "create table t (id int);", down: "drop table t;" }]);
    expect((await planRollback(belay, { migration: "01_t" })).effect.jobs).toEqual([]);
  });

  it.each([
    ["vacuum analyze visits", ["table public.visits"]],
    ["call tidy_up()", ["procedure public.tidy_up"]],
    ["do $$ begin delete from visits; end $$", ["table public.visits"]],
    ["with gone as (delete from visits returning 1) select count(*) from gone", ["table public.visits"]],
    ["delete frm visits", ["table public.visits"]],
    ["select 'visits'", []],
  ])("%s names %j", (command, uses) => {
    const objects = [
      { kind: "TABLE", schema: "public", name: "visits", change: "destroyed" },
      { kind: "PROCEDURE", schema: "public", name: "tidy_up(integer)", change: "destroyed" },
      { kind: "TABLE", schema: "public", name: "gone", change: "changed" },
    ];
    expect(usedBy(command, { objects, columns: [] })).toEqual(uses);
  });

  it("of whatever text end in an answer", () => {
    for (const text of ["", ";", "'", "\\", "select", "🙂", "/*"])
      expect(namedInSql(text).objects).toBeInstanceOf(Array);
  });
});
