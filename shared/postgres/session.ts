import postgres from "postgres";
import { BelayError } from "../errors.ts";
import { learnArrayTypes } from "./array-types.ts";
import { databaseError } from "./errors.ts";
import { setParameters } from "./settings.ts";
import { createSockets, type Wire } from "./socket.ts";
import { takeTlsMode } from "./tls.ts";

/** Tagged template that runs one parameterised query on the session's own connection. */
export type Sql = postgres.Sql;

/**
 * Exactly one connection to a database. A driver that reconnects by itself would run the rest of a transaction
 * outside of it, so a session whose connection was lost refuses every further query with `connection_lost`.
 */
export interface Session {
  readonly sql: Sql;
  /** Runs SQL text as one simple query: several statements, no parameters. */
  run(text: string): Promise<postgres.RowList<postgres.Row[]>>;
  /** Process id of the server's backend. */
  readonly pid: number;
  /** Server version as `server_version_num`, for example 150018. */
  readonly serverVersion: number;
  readonly alive: boolean;
  /** The connection beneath the driver, for COPY alone. */
  readonly wire: Wire;
  /** Ends the connection after what is running. */
  close(): Promise<void>;
  /** Cuts the connection at once: the server rolls back. */
  destroy(): Promise<void>;
}

export interface SessionOptions {
  readonly applicationName?: string;
  readonly connectTimeoutSeconds?: number;
  /** Run-time parameters set at connection, for example { row_security: "off" }. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * Keeps queries prepared on the server: half the time of a catalog that is read again and again. Default false, because
   * poolers lend another server connection. Ends by itself once `run` gets a DEALLOCATE or DISCARD.
   */
  readonly prepare?: boolean;
  /** Milliseconds that the server may be silent after a request until the connection counts as lost; default: for ever. */
  readonly silenceMs?: number;
  /** Sets nothing on the server, not even what makes text output the same everywhere. */
  readonly unset?: boolean;
  /** Looks at the connection before anything is set there; what it throws ends the connection. */
  readonly beforeSettings?: (connection: Pick<Session, "sql" | "pid">) => Promise<void>;
}

/**
 * Settings that make text output of values the same on every server and session, and by which a server notices a
 * client that has vanished. They are set by a query: poolers refuse or forget what a connection asks for at its start.
 */
const pinnedParameters = {
  TimeZone: "UTC",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  extra_float_digits: "3",
  client_encoding: "UTF8",
  bytea_output: "hex",
  tcp_keepalives_idle: "30",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
} as const;

const earlyGraceMs = 250;

/** From connecting to the last setting, a session may take this many connect timeouts. */
const openingTimes = 2;

/** Opens one connection; throws `database_unreachable`, `database_auth` or `database_error`, never with the password. */
export async function openSession(url: string, options: SessionOptions = {}): Promise<Session> {
  let lost = false;
  let forgotten = false;
  let ended = false;
  const connectTimeout = options.connectTimeoutSeconds ?? 10;
  const onLost = () => {
    if (lost || ended) return;
    lost = true;
    // The driver forgets what is in its queue behind the first; the errors it knows come before that.
    setTimeout(() => void client.end({ timeout: 0 }).catch(() => {}), earlyGraceMs);
  };
  const early = Promise.withResolvers<never>();
  early.promise.catch(() => {});
  const { url: place, tls } = takeTlsMode(url);
  const patience = { connectMs: connectTimeout * 1000, silenceMs: options.silenceMs ?? null };
  const sockets = createSockets(patience, tls, () => {
    onLost();
    // The server's own reason, where it gave one, comes first.
    setTimeout(() => early.reject(connectionLost()), earlyGraceMs);
  });
  const client = connect(place, {
    max: 1,
    ssl: false,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: connectTimeout,
    socket: sockets.open,
    prepare: options.prepare ?? false,
    fetch_types: false,
    onnotice: () => {},
    onclose: onLost,
    connection: { application_name: options.applicationName ?? "belay" },
  } as postgres.Options<Record<string, never>>);
  // A connection that is there may still say nothing: whoever opens one waits for it.
  const opening = setTimeout(() => sockets.destroyAll(), connectTimeout * openingTimes * 1000);
  const destroy = async () => {
    ended = true;
    sockets.destroyAll();
    await client.end({ timeout: 0 });
  };
  const guarded = new Proxy(client, {
    apply(target, thisArg, args) {
      if (lost) return refused();
      const made = Reflect.apply(target, thisArg, args);
      return forgotten ? unprepared(made) : made;
    },
    get(target, property, receiver) {
      if (property === "unsafe" && lost) return refusedQuery;
      return Reflect.get(target, property, receiver);
    },
  });
  try {
    // A proxy without a server behind it accepts and hangs up, and the driver would try again for ever.
    const [row] = await Promise.race([
      client`select pg_backend_pid() as pid, current_setting('server_version_num')::int as version`,
      early.promise,
    ]);
    await learnArrayTypes(client);
    await options.beforeSettings?.({ sql: guarded, pid: row!.pid });
    if (!options.unset) await pin(client, options.parameters);
    clearTimeout(opening);
    return {
      sql: guarded,
      run: (text) => {
        if (lost) return refused();
        forgotten ||= forgets.test(text);
        return client.unsafe(text) as unknown as Promise<postgres.RowList<postgres.Row[]>>;
      },
      pid: row!.pid,
      serverVersion: row!.version,
      get alive() {
        return !lost && !ended;
      },
      wire: sockets,
      close: async () => {
        ended = true;
        // Nothing more comes from one that is lost.
        await client.end({ timeout: lost ? 0 : 5 });
        // An end that does not answer would keep the process alive.
        sockets.destroyAll();
      },
      destroy,
    };
  } catch (error) {
    clearTimeout(opening);
    await destroy().catch(() => {});
    throw databaseError(error, { url });
  }
}

async function pin(client: postgres.Sql, parameters: SessionOptions["parameters"]): Promise<void> {
  await setParameters({ sql: client }, { ...pinnedParameters, ...parameters });
  // Only some operating systems can watch for a client that went away during a query.
  await setParameters({ sql: client }, { client_connection_check_interval: "5s" }).catch(() => {});
}

/** What may drop the statements that the driver believes prepared; words in strings count too, which costs only time. */
const forgets = /\bdeallocate\b|\bdiscard\b(?!\s+(?:temp|temporary|sequences|plans)\b)/i;

/** A query of the driver that is not run yet; pieces of queries and helpers pass through. */
function unprepared<T>(made: T): T {
  const { options } = made as { options?: { prepare?: boolean } };
  if (options !== undefined) options.prepare = false;
  return made;
}

/** The driver's client; a URL that it cannot read is the caller's fault, and is not repeated: it may hold a password. */
function connect(url: string, options: postgres.Options<Record<string, never>>): postgres.Sql {
  try {
    return postgres(url, options);
  } catch {
    throw new BelayError("usage", "the database's URL cannot be read", {
      hint: "Write postgres://user:password@host:port/database, with %25 for a % and %40 for an @ in the password.",
    });
  }
}

/** Whoever asks without waiting, as a timer does, has nowhere to catch it. */
function refused(): Promise<never> {
  const refusal = Promise.reject(connectionLost());
  refusal.catch(() => {});
  return refusal;
}

/** As `unsafe` answers it. It never throws: beside it, other queries have been started already, and nobody would hear of them. */
function refusedQuery() {
  const query = Object.assign(refused(), {
    simple: () => query,
    values: () => query,
    reject: (_error: unknown) => {},
    execute: () => {
      query.reject(connectionLost());
      return query;
    },
  }) as RefusedQuery;
  return query;
}

interface RefusedQuery extends Promise<never> {
  simple(): RefusedQuery;
  values(): RefusedQuery;
  execute(): RefusedQuery;
  /** Hooked by COPY. */
  reject(error: unknown): void;
}

function connectionLost(): BelayError {
  return new BelayError("connection_lost", "the connection to the database was lost", {
    hint: "The server has rolled back what was not committed. Run the same command again.",
  });
}
