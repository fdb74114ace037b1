const newline = 10;
const blockBytes = 256 * 1024;

/** Deals the rows of one COPY out to several sessions, in blocks of whole rows, and knows which line went where. */
export interface RowDealer {
  /** The rows of one session, until there are no more. */
  share(): RowShare;
  /** Bytes dealt so far. */
  readonly bytes: number;
  readonly ended: boolean;
  /** Every share ends with this error. */
  fail(error: unknown): void;
}

export interface RowShare {
  readonly rows: AsyncGenerator<Uint8Array>;
  /** Line of the script for a line of this share, both from 1. */
  lineOf(line: number): number;
}

interface Block {
  readonly parts: readonly Uint8Array[];
  readonly lines: number;
}

/** Reads `source` once, as fast as the shares are taken; `firstLine` is the first row's in the script. */
export function createDealer(
  source: AsyncIterable<Uint8Array>,
  firstLine: number,
  onBytes: (bytes: number) => void,
): RowDealer {
  const chunks = source[Symbol.asyncIterator]();
  let turn: Promise<unknown> = Promise.resolve();
  let rest: Uint8Array | null = null;
  let line = firstLine;
  let total = 0;
  let ended = false;
  let failure: { readonly error: unknown } | null = null;

  /** A block that ends with a row; at the end, what is left. */
  const read = async (): Promise<Block | null> => {
    if (failure !== null) throw failure.error;
    const parts = rest === null ? [] : [rest];
    let size = rest?.length ?? 0;
    rest = null;
    while (!ended) {
      const { done, value } = await chunks.next();
      if (done === true) {
        ended = true;
        break;
      }
      size += value.length;
      total += value.length;
      onBytes(value.length);
      const cut = size >= blockBytes ? value.lastIndexOf(newline) + 1 : 0;
      if (cut === 0) {
        parts.push(value);
        continue;
      }
      parts.push(value.subarray(0, cut));
      if (cut < value.length) rest = value.subarray(cut);
      break;
    }
    return size === 0 ? null : { parts, lines: parts.reduce((sum, part) => sum + countLines(part), 0) };
  };
  const next = (): Promise<(Block & { readonly line: number }) | null> => {
    const block = turn.then(read).then((found) => {
      if (found === null) return null;
      const dealt = { ...found, line };
      line += found.lines;
      return dealt;
    });
    turn = block.catch((error) => {
      failure ??= { error };
    });
    return block;
  };
  return {
    get bytes() {
      return total;
    },
    get ended() {
      return ended;
    },
    fail: (error) => {
      failure ??= { error };
    },
    share: () => {
      const dealt: { readonly own: number; readonly script: number }[] = [];
      const rows = async function* () {
        let own = 1;
        for (let block = await next(); block !== null; block = await next()) {
          dealt.push({ own, script: block.line });
          own += block.lines;
          yield* block.parts;
        }
        if (failure !== null) throw failure.error;
      };
      const lineOf = (wanted: number) => {
        const block = dealt.findLast(({ own }) => own <= wanted);
        return block === undefined ? firstLine : block.script + wanted - block.own;
      };
      return { rows: rows(), lineOf };
    },
  };
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines += 1;
  return lines;
}
