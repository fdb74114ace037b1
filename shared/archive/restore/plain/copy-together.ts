import { copyIn } from "../../../postgres/copy-in.ts";
import type { Session } from "../../../postgres/session.ts";
import { createDealer, type RowShare } from "./dealer.ts";
import type { Helper } from "./helper.ts";

/** Bytes of a table's rows after which a second session is worth its while. */
const aloneBytes = 8 * 1024 * 1024;

export interface CopyTogether {
  readonly session: Session;
  readonly helper: Helper;
  readonly statement: string;
  readonly rows: AsyncIterable<Uint8Array>;
  readonly dataLine: number;
  onBytes(bytes: number): void;
}

/** A row that the server refused, with its line in the script. */
export class RowFailure extends Error {
  readonly line: number | null;

  constructor(line: number | null, cause: unknown) {
    super("a row failed", { cause });
    this.line = line;
  }
}

/**
 * Loads the rows of one COPY through two sessions when there are many. Each has a transaction of its own, and neither
 * commits before all rows are in. Returns the rows loaded; throws RowFailure, and then nothing is in.
 */
export async function copyTogether(work: CopyTogether): Promise<number> {
  const { session, helper, statement, dataLine } = work;
  const help = { asked: false, done: Promise.resolve<Helped>(null) };
  const dealer = createDealer(work.rows, dataLine, (bytes) => {
    work.onBytes(bytes);
    if (help.asked || dealer.bytes < aloneBytes) return;
    help.asked = true;
    help.done = takeWith(helper);
    // Awaited when the first session is done.
    help.done.catch(() => {});
  });
  const take = async (taker: Session, share: RowShare) => {
    try {
      return await copyIn(taker, statement, share.rows);
    } catch (error) {
      const named = rowFailure(error) ?? new RowFailure(scriptLine(error, share), error);
      dealer.fail(named);
      throw named;
    }
  };
  const takeWith = async (other: Helper): Promise<Helped> => {
    const second = await other.ready();
    if (second === null || dealer.ended) return null;
    await second.run("BEGIN");
    return { rows: await take(second, dealer.share()), session: second };
  };
  await session.run("BEGIN");
  try {
    const own = await take(session, dealer.share());
    const helped = await help.done;
    if (helped !== null) await helped.session.run("COMMIT");
    await session.run("COMMIT");
    return own + (helped?.rows ?? 0);
  } catch (error) {
    dealer.fail(error);
    await help.done.catch(() => {});
    await helper.close();
    if (session.alive) await session.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

type Helped = { readonly rows: number; readonly session: Session } | null;

/** What one session's share failed with comes to the other one through its source. */
function rowFailure(error: unknown): RowFailure | null {
  if (error instanceof RowFailure) return error;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause instanceof RowFailure ? cause : null;
}

/** `COPY t, line 3`: the server counts the lines of the share. */
function scriptLine(error: unknown, share: RowShare): number | null {
  const cause = (error as { cause?: { where?: unknown } } | null)?.cause;
  const found = /^COPY [^\n]*?, line (\d+)/m.exec(String(cause?.where ?? ""));
  return found === null ? null : share.lineOf(Number(found[1]));
}
