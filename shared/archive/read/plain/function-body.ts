/** Counts how deep a statement is in BEGIN ... END of a function body written in SQL, where semicolons end nothing. */
export interface Follower {
  readonly depth: number;
  /** A word of at most nine letters, lower case, outside quotes. */
  word(word: string, parens: number): void;
  /** A longer word. */
  other(): void;
}

/** As psql does it: CREATE [OR REPLACE] FUNCTION | PROCEDURE at the statement's beginning, then BEGIN and CASE to END. */
export function followWords(): Follower {
  let state: "create" | "kind" | "replace" | "kind only" | "body" | "none" = "create";
  let depth = 0;
  return {
    get depth() {
      return depth;
    },
    other() {
      if (state !== "body") state = "none";
    },
    word(word, parens) {
      if (state === "none") return;
      if (state !== "body") {
        state = next(state, word);
        return;
      }
      if (parens > 0) return;
      if (word === "begin" || (word === "case" && depth > 0)) depth += 1;
      else if (word === "end" && depth > 0) depth -= 1;
    },
  };

  function next(from: typeof state, word: string): typeof state {
    if (from === "create") return word === "create" ? "kind" : "none";
    const isKind = word === "function" || word === "procedure";
    if (from === "kind" && word === "or") return "replace";
    if (from === "replace") return word === "replace" ? "kind only" : "none";
    return isKind ? "body" : "none";
  }
}
