import type { Belay } from "../../context.ts";
import { isConnectionLost } from "../../postgres/errors.ts";
import type { Session } from "../../postgres/session.ts";

/** Signs of life in the time after which a client counts as frozen. */
const beatsPerLimit = 6;
const lookSeconds = 0.5;

/**
 * Lets the server itself end the worker's session when this process stands still for `limitMs`: no timeout of the server
 * counts while it waits for rows of a COPY, and rollback SQL may switch the others off. The control session is the sign of
 * life. Answers how to stop it; where no session is left for it, there is none.
 */
export async function startWatchdog(
  belay: Belay,
  control: Session,
  worker: Session,
  limitMs: number,
): Promise<() => Promise<void>> {
  const parameters = { statement_timeout: "0", client_connection_check_interval: "1s" };
  const dog = await open(belay, parameters);
  if (dog === null) return async () => {};
  dog.run(watching(control.pid, worker.pid, limitMs)).catch(() => {});
  const beat = setInterval(() => control.sql`select 1`.catch(() => {}), limitMs / beatsPerLimit);
  return async () => {
    clearInterval(beat);
    // By itself the server notices only at its next look that nobody waits for the answer.
    if (worker.alive) await control.sql`select pg_terminate_backend(${dog.pid})`.catch(() => {});
    await dog.destroy().catch(() => {});
  };
}

async function open(belay: Belay, parameters: Readonly<Record<string, string>>): Promise<Session | null> {
  const applicationName = "belay watchdog";
  try {
    return await belay.openSession({ applicationName, parameters });
  } catch (error) {
    // Only some operating systems know the second one.
    if (isConnectionLost(error)) return null;
    return belay.openSession({ applicationName, parameters: { statement_timeout: "0" } }).catch(() => null);
  }
}

/** Each look is a statement of its own: no snapshot is held between them. */
function watching(control: number, worker: number, limitMs: number): string {
  return `do $watch$
    declare
      alive timestamptz := clock_timestamp();
      seen timestamptz;
    begin
      loop
        perform pg_catalog.pg_sleep(${lookSeconds});
        perform pg_catalog.pg_stat_clear_snapshot();
        exit when not exists (select from pg_catalog.pg_stat_activity where pid = ${worker} and datname = current_database());
        select case when state = 'active' then clock_timestamp() else state_change end into seen
          from pg_catalog.pg_stat_activity where pid = ${control} and datname = current_database();
        alive := greatest(alive, seen);
        if clock_timestamp() - alive > interval '${Math.round(limitMs)} milliseconds' then
          perform pg_catalog.pg_terminate_backend(${worker});
          exit;
        end if;
      end loop;
    end
  $watch$`;
}
