/** A psql command of a script, judged. */
export type MetaCommand =
  | { readonly kind: "skip" }
  | { readonly kind: "restrict"; readonly key: string }
  | { readonly kind: "unrestrict"; readonly key: string }
  | { readonly kind: "connect"; readonly database: string | null }
  | { readonly kind: "encoding"; readonly encoding: string }
  | { readonly kind: "refuse"; readonly why: string };

/** They print or change how psql prints, and leave the database alone. */
const harmless = new Set(["echo", "qecho", "warn", "timing", "pset", "x", "a", "t", "f", "C", "H", "T", "errverbose"]);

/** Variables of psql that change nothing of what a script does, or only what Belay does anyway. */
const harmlessVariables =
  /^(ON_ERROR_STOP|ON_ERROR_ROLLBACK|VERBOSITY|SHOW_CONTEXT|QUIET|ECHO|ECHO_HIDDEN|FETCH_COUNT|HISTFILE|HISTSIZE|HISTCONTROL|IGNOREEOF|PROMPT[123]|COMP_KEYWORD_CASE|HIDE_TABLEAM|HIDE_TOAST_COMPRESSION|SHOW_ALL_RESULTS|WATCH_INTERVAL)$/;

const reaching: Readonly<Record<string, string>> = {
  "!": "runs a program of the machine",
  i: "reads another script",
  ir: "reads another script",
  include: "reads another script",
  include_relative: "reads another script",
  copy: "reads or writes a file of the machine",
  o: "writes a file or runs a program",
  out: "writes a file or runs a program",
  w: "writes a file",
  write: "writes a file",
  g: "can run a program",
  gx: "can run a program",
  gexec: "runs what a query answers",
  gset: "needs psql's variables",
  cd: "leaves the folder",
  setenv: "changes the environment",
  lo_import: "reads a file of the machine",
  lo_export: "writes a file of the machine",
};

/** Judges one psql command; `line` begins with its backslash and ends before the line break. */
export function judgeMetaCommand(line: string): MetaCommand {
  const name = /^\\([!?]|[A-Za-z_]+\+?|;|)/.exec(line)?.[1] ?? "";
  const args = splitArguments(line.slice(1 + name.length));
  if (args === null) return { kind: "refuse", why: `psql's \\${name} has an argument that needs psql to be read` };
  if (name === "restrict" && args.length === 1) return { kind: "restrict", key: args[0]! };
  if (name === "unrestrict" && args.length === 1) return { kind: "unrestrict", key: args[0]! };
  if (name === "connect" || name === "c") return connect(args);
  if (name === "encoding") return args.length === 1 ? { kind: "encoding", encoding: args[0]! } : { kind: "skip" };
  if (name === "set") return setVariable(args);
  if (harmless.has(name)) return { kind: "skip" };
  const reason = Object.hasOwn(reaching, name) ? reaching[name] : "is not known here";
  return { kind: "refuse", why: `psql's command \\${name} ${reason}, and is not carried out` };
}

function setVariable([name]: readonly string[]): MetaCommand {
  if (name === undefined || harmlessVariables.test(name)) return { kind: "skip" };
  return { kind: "refuse", why: `psql's variable ${name} is set, and variables are not filled in here` };
}

function connect(args: readonly string[]): MetaCommand {
  const rest = args.filter((argument) => !argument.startsWith("-reuse-previous="));
  const target = rest[0];
  if (target === undefined || target === "-") return { kind: "connect", database: null };
  if (rest.slice(1).some((argument) => argument !== "-"))
    return { kind: "refuse", why: "psql's \\connect names another user or server" };
  const named = /^dbname='((?:[^'\\]|\\.)*)'$/.exec(target) ?? /^dbname=(\S+)$/.exec(target);
  if (named !== null) return { kind: "connect", database: named[1]!.replace(/\\(.)/g, "$1") };
  if (/=|^postgres(ql)?:/.test(target)) return { kind: "refuse", why: "psql's \\connect names another user or server" };
  return { kind: "connect", database: target };
}

/** Words, with quotes taken off as psql does it; null for backquotes and for a second command on the line. */
function splitArguments(text: string): string[] | null {
  const words: string[] = [];
  const piece = /\s+|'((?:[^'\\]|\\.|'')*)'|"((?:[^"]|"")*)"|([^\s'"`\\]+)/y;
  let open = false;
  for (let at = 0; at < text.length; at = piece.lastIndex) {
    piece.lastIndex = at;
    const found = piece.exec(text);
    if (found === null) return null;
    const [all, single, double, bare] = found;
    if (/^\s/.test(all)) {
      open = false;
      continue;
    }
    const value = single?.replace(/''|\\(.)/g, (pair, letter) => letter ?? pair[0]) ?? double ?? bare ?? "";
    // psql keeps double quotes but for names, and a name in \connect is one.
    const kept = double === undefined ? value : value.replaceAll('""', '"');
    if (open) words.push((words.pop() ?? "") + kept);
    else words.push(kept);
    open = true;
  }
  return words;
}
