import type { Session } from "../../../postgres/session.ts";

/** One statement on its way to the server. */
export interface BatchedStatement {
  readonly text: string;
  readonly line: number;
  /** Rows that it inserts: of several statements in one query, the driver tells the count of the first alone. */
  readonly valueRows: number;
}

export interface Batcher {
  /** Adds a statement; `inside`: the script has a transaction open. May wait for the batch before. */
  add(statement: BatchedStatement, inside: boolean): Promise<void>;
  /** Waits until the server has carried out all that was added. */
  flush(): Promise<void>;
}

export interface BatchLimits {
  /** Characters of SQL in one query. */
  readonly characters: number;
  readonly statements: number;
}

/** A statement that the server refused: the ones before it are done. */
export class StatementFailure extends Error {
  readonly statement: BatchedStatement;

  constructor(statement: BatchedStatement, cause: unknown) {
    super("a statement failed", { cause });
    this.statement = statement;
  }
}

const savepoint = "belay_batch";

/**
 * Sends many statements in one query, while the next are read. One query is one transaction: when it fails nothing of
 * it is done, and its statements are sent one by one, so that those before the wrong one are done and it is named.
 */
export function createBatcher(
  session: Session,
  limits: BatchLimits,
  onDone: (statements: number, rows: number) => void,
): Batcher {
  let waiting: BatchedStatement[] = [];
  let characters = 0;
  let inside = false;
  let running: Promise<void> = Promise.resolve();

  const send = async () => {
    const batch = waiting;
    const open = inside;
    waiting = [];
    characters = 0;
    await running;
    if (batch.length === 0) return;
    running = runBatch(session, batch, open, onDone);
    // Awaited at the next send or flush.
    running.catch(() => {});
  };
  return {
    async add(statement, isInside) {
      if (isInside !== inside) await send();
      inside = isInside;
      waiting.push(statement);
      characters += statement.text.length;
      if (characters >= limits.characters || waiting.length >= limits.statements) await send();
    },
    async flush() {
      await send();
      await running;
    },
  };
}

async function runBatch(
  session: Session,
  batch: readonly BatchedStatement[],
  inside: boolean,
  onDone: (statements: number, rows: number) => void,
): Promise<void> {
  if (batch.length > 1) {
    const text = batch.map((statement) => statement.text).join(";\n");
    const whole = inside ? `SAVEPOINT ${savepoint};\n${text};\nRELEASE SAVEPOINT ${savepoint}` : text;
    try {
      await session.run(whole);
      onDone(batch.length, rowsOf(batch));
      return;
    } catch (error) {
      if (!session.alive) throw new StatementFailure(batch[0]!, error);
      if (inside) await session.run(`ROLLBACK TO SAVEPOINT ${savepoint}; RELEASE SAVEPOINT ${savepoint}`);
    }
  }
  for (const statement of batch) {
    try {
      await session.run(statement.text);
      onDone(1, statement.valueRows);
    } catch (error) {
      throw new StatementFailure(statement, error);
    }
  }
}

function rowsOf(batch: readonly BatchedStatement[]): number {
  return batch.reduce((sum, { valueRows }) => sum + valueRows, 0);
}
