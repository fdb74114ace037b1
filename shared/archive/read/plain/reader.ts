import type { ScriptPart } from "../types.ts";
import { createLexer, type Lexer, type LexerMode } from "./lexer.ts";
import { refuseScript } from "./refuse.ts";
import { createWindow, type ScriptWindow } from "./window.ts";

/** A script's bytes on their way through the lexer. */
export interface ScriptReader {
  readonly name: string;
  readonly lexer: Lexer;
  readonly window: ScriptWindow;
  /** Whether the window holds the script's last bytes. */
  readonly ended: boolean;
  /** Reads on, dropping what nobody needs any more; throws when a statement is longer than `most` bytes. */
  more(most: number): Promise<void>;
  /** Reads on without dropping; false at the end. */
  pull(): Promise<boolean>;
  /** Begins the next statement at an offset. */
  next(offset: number): void;
  /** The text from the lexer's place to the end of its line, without the line break. */
  restOfLine(longest: number): Promise<string>;
  /** The comment line that ended at the lexer's place; null when it is very long. */
  takeComment(): ScriptPart | null;
  skipByteOrderMark(): Promise<void>;
  /** Throws when the script ends inside a quote or a comment. */
  requireClosed(): void;
  close(): Promise<void>;
}

const longestComment = 1000;

const unclosed: Readonly<Partial<Record<LexerMode, string>>> = {
  quote: "a string",
  escape: "a string",
  bits: "a bit string",
  name: "a quoted name",
  dollar: "a dollar-quoted string",
  comment: "a comment",
};

export function createReader(chunks: AsyncIterable<Uint8Array>, name: string): ScriptReader {
  const source = chunks[Symbol.asyncIterator]();
  const lexer = createLexer();
  const window = createWindow();
  let ended = false;
  // A comment that nobody needs is dropped while it is still open.
  let openedLine = 0;

  const pull = async () => {
    if (ended) return false;
    const { done, value } = await source.next();
    if (done === true) ended = true;
    else window.append(value);
    return !ended;
  };
  const drop = (length: number) => {
    if (lexer.mode === "comment" && lexer.opened >= 0 && lexer.opened < length)
      openedLine = window.lineAt(lexer.opened);
    window.drop(length);
    lexer.shift(length);
  };
  const keepsComment = () => lexer.mode === "line" && lexer.opened >= 0 && lexer.at - lexer.opened <= longestComment;
  return {
    name,
    lexer,
    window,
    get ended() {
      return ended;
    },
    pull,
    async more(most) {
      if (lexer.begun === -1) drop(keepsComment() ? lexer.opened : lexer.at);
      else if (window.bytes.length - lexer.begun > most)
        throw refuseScript(
          name,
          window.lineAt(lexer.begun),
          `a statement is longer than ${most} bytes`,
          "Dump with COPY, or with fewer --rows-per-insert.",
        );
      await pull();
    },
    next(offset) {
      lexer.reset(offset);
      drop(offset);
    },
    async restOfLine(longest) {
      for (;;) {
        const from = lexer.at;
        const found = window.bytes.indexOf(0x0a, from);
        const end = found === -1 ? window.bytes.length : found;
        if (end - from > longest)
          throw refuseScript(name, window.lineAt(from), `a psql command is longer than ${longest} bytes`);
        if (found !== -1 || !(await pull())) return window.bytes.toString("latin1", from, end).replace(/\r$/, "");
      }
    },
    takeComment() {
      const { opened, at } = lexer;
      const line = window.lineAt(opened);
      const text = at - opened > longestComment || opened < 0 ? null : window.bytes.toString("utf8", opened, at);
      drop(at);
      return text === null ? null : { kind: "comment", text, line };
    },
    async skipByteOrderMark() {
      while (window.bytes.length < 3 && (await pull()));
      const [first, second, third] = window.bytes;
      if (first === 0xef && second === 0xbb && third === 0xbf) drop(3);
      lexer.reset(0);
      if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
        throw refuseScript(
          name,
          1,
          "the script is UTF-16",
          "PowerShell's > writes UTF-16: dump with `pg_dump --file=NAME`, or convert it with iconv -f UTF-16 -t UTF-8.",
        );
    },
    requireClosed() {
      const what = unclosed[lexer.mode];
      if (what === undefined) return;
      const line = lexer.opened >= 0 ? window.lineAt(lexer.opened) : openedLine;
      throw refuseScript(name, line, `${what} begins here and never ends`);
    },
    async close() {
      await source.return?.();
    },
  };
}
