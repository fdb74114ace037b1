import type { Belay } from "../../context.ts";
import { createScratch, dropScratch, newScratchName, type ScratchDatabase } from "../../postgres/scratch.ts";
import { openSession, type Session } from "../../postgres/session.ts";
import { readRoles } from "./roles.ts";
import { type Limited, type Ran, runScript } from "./run-script.ts";
import type { Script } from "./script.ts";
import { readStates, type State, type StateReader } from "./state.ts";

/** Where databases may be made. */
export type ScratchPlace = Pick<Belay, "scratchUrl" | "now">;

/** A database with the migrations up to some point, and one session on it. */
export interface Place {
  readonly url: string;
  readonly session: Session;
  read(): Promise<State>;
}

/** The scratch database in which migrations are applied one after the other. */
export interface Chain {
  /** The place now; another session after a copy was made, or after the last one was ended. */
  place(): Promise<Place>;
  /** Runs a script there and commits. */
  apply(script: Script): Promise<Ran>;
  /** Works on a copy of the database that is dropped after. */
  onCopy<T>(work: (copy: Place) => Promise<T>): Promise<T>;
  readonly limited: Limited;
  /** Roles of the server that are not of these migrations. */
  readonly rolesAtStart: ReadonlySet<string>;
  /** Every rehearsal happens on a copy, as the team's tool would run it. */
  readonly onCopies: boolean;
  /** From now on reads look for invalid indexes too. */
  expectInvalidIndexes(): void;
  drop(): Promise<void>;
}

const owner = "prove";
/** The next migration is deployed on another day, through a session that begins with what these set. */
const setsForNewSessions = /\balter\s+(?:database|role|user|system)\b/i;
const sessionOptions = { applicationName: "belay scratch", prepare: true } as const;

/** Makes an empty chain on the scratch server; throws `scratch_unavailable`. */
export async function openChain(scratch: ScratchPlace, limited: Limited, onCopies = false): Promise<Chain> {
  const database = await createScratch(scratch, owner, newScratchName());
  let mayBeInvalid = false;
  const placeOf = (url: string, session: Session): Place => {
    const reader: StateReader = readStates(session, () => mayBeInvalid);
    return { url, session, read: reader.read };
  };
  let current: Place | null = placeOf(database.url, database.session);
  const place = async () => {
    if (current?.session.alive !== true)
      current = placeOf(database.url, await openSession(database.url, sessionOptions));
    return current;
  };
  return {
    place,
    apply: async (script) => {
      const { session } = await place();
      const ran = await runScript(session, script, limited);
      if (session.alive && setsForNewSessions.test(script.text)) await session.close();
      return ran;
    },
    limited,
    rolesAtStart: await readRoles(database.session),
    onCopies,
    expectInvalidIndexes: () => {
      mayBeInvalid = true;
    },
    onCopy: async (work) => {
      await current?.session.close();
      current = null;
      const copy: ScratchDatabase = await createScratch(scratch, owner, newScratchName(), database.name);
      try {
        return await work(placeOf(copy.url, copy.session));
      } finally {
        await copy.drop().catch(() => {});
      }
    },
    drop: async () => {
      await dropScratch(scratch.scratchUrl!, database.name, owner, current?.session ?? null);
    },
  };
}
