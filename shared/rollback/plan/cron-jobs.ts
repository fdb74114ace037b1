import type { Session } from "../../postgres/session.ts";
import type { Effect } from "../types.ts";
import { namedInSql } from "./command-names.ts";

type Job = Effect["jobs"][number];

/** What goes, as a job's command may name it. */
export interface Going {
  readonly objects: readonly {
    readonly kind: string;
    readonly schema: string | null;
    readonly name: string;
    readonly change: string;
  }[];
  readonly columns: readonly { readonly schema: string; readonly table: string; readonly columns: readonly string[] }[];
}

interface JobRow {
  readonly id: string;
  readonly name: string | null;
  readonly schedule: string;
  readonly command: string;
  readonly active: boolean;
}

/**
 * pg_cron's jobs of this database whose command names something that goes: they stay, and fail from then on. Without
 * pg_cron, none; of a role that may see only its own jobs, those.
 */
export async function readCronJobs(session: Session, going: Going): Promise<Job[]> {
  const rows = await readJobs(session);
  return rows.flatMap(({ id, name, schedule, command, active }) => {
    const uses = usedBy(command, going);
    return uses.length === 0 ? [] : [{ id: Number(id), name, schedule, active, uses }];
  });
}

/** pg_cron shows each role its own jobs by row-level security, which the plan's session has switched to an error. */
async function readJobs(session: Session): Promise<JobRow[]> {
  const [there] = await session.sql`
    select c.oid is not null and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable,
           current_setting('row_security') as row_security
      from (select to_regclass('cron.job') as oid) c left join pg_namespace n on n.nspname = 'cron'`;
  if (there?.readable !== true) return [];
  await session.sql`select set_config('row_security', 'on', false)`;
  try {
    return await session.sql<JobRow[]>`
      select jobid::text as id, to_jsonb(j) ->> 'jobname' as name, schedule, command, active
        from cron.job j where database = current_database() order by jobid`;
  } finally {
    await session.sql`select set_config('row_security', ${there.row_security}, false)`;
  }
}

/** What of all that goes a command names, in words. */
export function usedBy(command: string, { objects, columns }: Going): string[] {
  const named = namedInSql(command);
  const names = (schema: string | null, name: string) =>
    named.objects.some((each) => each.name === name && (each.schema === null || each.schema === schema));
  const gone = objects
    .filter(({ kind, change }) => change === "destroyed" && usable.test(kind))
    .map(({ kind, schema, name }) => ({ kind, schema, name: name.replace(/\(.*$/s, "") }))
    .filter(({ schema, name }) => names(schema, name));
  const lost = columns.flatMap(({ schema, table, columns: own }) =>
    own
      .filter((column) => named.columns.has(column) && names(schema, table))
      .map((column) => `column ${column} of ${schema}.${table}`),
  );
  return [
    ...gone.map(({ kind, schema, name }) => `${kind.toLowerCase()} ${schema === null ? "" : `${schema}.`}${name}`),
    ...lost,
  ];
}

const usable = /^(TABLE|FOREIGN TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|PROCEDURE|AGGREGATE|SEQUENCE)$/;
