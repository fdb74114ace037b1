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
const quoted = /"((?:[^"]|"")*)"/y;
const plainString = /'((?:[^']|'')*)'/y;
const escapeString = /[eE]'((?:[^'\\]|\\[\s\S]|'')*)'/y;
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

/** The first words of a statement, upper case, up to anything that is no word. */
export function leadingWords(text: string, most: number): string[] {
  const words: string[] = [];
  for (const token of sqlTokens(text, most)) {
    if (token.kind !== "word") break;
    words.push(token.text);
  }
  return words;
}

function tokenAt(text: string, at: number): SqlToken {
  const escaped = match(escapeString, text, at);
  if (escaped !== null) return token("string", escaped[1]!, at, escaped[0].length);
  const plain = match(word, text, at);
  if (plain !== null)
    return { ...token("word", plain[0].toUpperCase(), at, plain[0].length), identifier: plain[0].toLowerCase() };
  const name = match(quoted, text, at);
  if (name !== null) {
    const identifier = name[1]!.replaceAll('""', '"');
    return { ...token("name", identifier, at, name[0].length), identifier };
  }
  const string = match(plainString, text, at);
  if (string !== null) return token("string", string[1]!.replaceAll("''", "'"), at, string[0].length);
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
