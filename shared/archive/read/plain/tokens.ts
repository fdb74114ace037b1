/** A token of a SQL statement: enough to see what a statement does, not to parse it. */
export interface SqlToken {
  /** `word`: as written, upper case. `name`: a quoted identifier without quotes. `string`: a literal. `sign`: one character. */
  readonly kind: "word" | "name" | "string" | "sign";
  readonly text: string;
  /** Words as written: an unquoted identifier folds to lower case. */
  readonly identifier: string | null;
  readonly start: number;
  readonly end: number;
}

const blankOrComment = /(?:\s+|--[^\r\n]*|\/\*)/y;
const word = /[A-Za-z_\u0080-\uffff][A-Za-z_0-9$\u0080-\uffff]*/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z_0-9\u0080-\uffff]*)?\$/y;
const number = /[0-9][0-9.]*/y;

/** The statement's tokens without comments, at most `most` of them: a statement may be hundreds of megabytes long. */
export function* sqlTokens(text: string, most = 10_000): Generator<SqlToken> {
  let at = 0;
  for (let count = 0; count < most; count += 1) {
    at = skipBlanks(text, at);
    if (at >= text.length) return;
    const token = tokenAt(text, at);
    yield token;
    at = token.end;
  }
}

function tokenAt(text: string, at: number): SqlToken {
  const escapes = /[eE]/.test(text[at]!) && text[at + 1] === "'";
  if (escapes || text[at] === "'") {
    const from = escapes ? at + 2 : at + 1;
    const end = quoteEnd(text, from, "'", escapes);
    return token("string", text.slice(from, end).replaceAll("''", "'"), at, Math.min(end + 1, text.length) - at);
  }
  if (text[at] === '"') {
    const end = quoteEnd(text, at + 1, '"', false);
    const identifier = text.slice(at + 1, end).replaceAll('""', '"');
    return { ...token("name", identifier, at, Math.min(end + 1, text.length) - at), identifier };
  }
  const plain = match(word, text, at);
  if (plain !== null)
    return { ...token("word", plain[0].toUpperCase(), at, plain[0].length), identifier: plain[0].toLowerCase() };
  const tag = match(dollarTag, text, at);
  if (tag !== null) {
    const from = at + tag[0].length;
    const found = text.indexOf(tag[0], from);
    const end = found === -1 ? text.length : found;
    return token("string", text.slice(from, end), at, Math.min(end + tag[0].length, text.length) - at);
  }
  const digits = match(number, text, at);
  return digits === null ? token("sign", text[at]!, at, 1) : token("sign", digits[0], at, digits[0].length);
}

/** Where the closing quote stands: literals may be too long for a regular expression. */
function quoteEnd(text: string, from: number, quote: string, escapes: boolean): number {
  const [closing, slash] = [quote.charCodeAt(0), 0x5c];
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (escapes && code === slash) at += 1;
    else if (code === closing && text.charCodeAt(at + 1) === closing) at += 1;
    else if (code === closing) return at;
  }
  return text.length;
}

function token(kind: SqlToken["kind"], text: string, start: number, length: number): SqlToken {
  return { kind, text, identifier: null, start, end: start + length };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const found = match(blankOrComment, text, at);
    if (found === null) return at;
    at += found[0].length;
    if (found[0] === "/*") at = commentEnd(text, at);
  }
}

function commentEnd(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  for (let depth = 1, found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return found.index + 2;
  }
  return text.length;
}
