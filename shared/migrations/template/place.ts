import { basename, dirname, join } from "node:path";
import { BelayError } from "../../errors.ts";
import { rawLines } from "../../sql/lines.ts";
import { parseSql } from "../../sql/parse.ts";
import { isSupabaseFolder } from "../layouts/traps.ts";
import type { LayoutName, Migration, MigrationFolder } from "../types.ts";

/** Where a rollback goes: the file, and how its text becomes the new one. */
export interface RollbackPlace {
  /** Path as the folder's own, so that people find it. */
  readonly file: string;
  /** Whether the rollback is a part of the migration's own file. */
  readonly isPart: boolean;
  /** The whole new text of the file; null stands for a file that is not there. Throws `usage` where it cannot be told what to replace. */
  write(old: string | null): string;
}

/** The folder names that hold rollbacks, as found beside the migrations. */
export interface Surroundings {
  /** Names of folders in the migrations folder. */
  readonly folders: readonly string[];
  readonly now: Date;
}

/**
 * The place of a migration's rollback in its folder's layout: where it stands already, else where the layout has it.
 * `body`: comments and SQL with \n. Throws `usage` where the layout has no safe place.
 */
export function rollbackPlace(
  folder: MigrationFolder,
  migration: Migration,
  body: string,
  surroundings: Surroundings,
): RollbackPlace {
  const there = migration.rollback?.file ?? migration.emptyRollback?.file ?? null;
  if (there !== null && there !== migration.file) {
    const others = (migration.rollback?.reverses ?? []).filter((name) => name !== migration.name);
    if (others.length > 0)
      throw new BelayError("usage", `${there} reverses ${others.join(", ")} too, so it is not written over`, {
        hint: `Write a rollback of ${migration.name} alone beside it, or mend it by hand with what this prints.`,
      });
    return apart(there, withHeader(migration, body, there));
  }
  const layout = there === migration.file ? layoutOfPart(migration) : folder.layout;
  return placeIn[layout](folder, migration, body, surroundings);
}

function layoutOfPart({ layout }: Migration): LayoutName {
  return layout === "dbmate" || layout === "goose" || layout === "sql-migrate" ? layout : "section";
}

type Placing = (
  folder: MigrationFolder,
  migration: Migration,
  body: string,
  surroundings: Surroundings,
) => RollbackPlace;

const part =
  (write: (old: string, body: string) => string): Placing =>
  (_, { file }, body) => ({
    file,
    isPart: true,
    write: (old) => write(old ?? "", body),
  });

const placeIn: Readonly<Record<LayoutName, Placing>> = {
  section: part(withSection),
  dbmate: part((old, body) => withTail(old, /^--\s*migrate:down\b.*$/, "-- migrate:down", body)),
  goose: part((old, body) => withTail(old, /^--\s*\+goose\s+Down\s*$/i, "-- +goose Down", body)),
  "sql-migrate": part((old, body) => withTail(old, /^-- \+migrate Down\b.*$/, "-- +migrate Down", body)),
  "rollbacks-folder": (folder, migration, body, { folders, now }) => {
    const place = join(folder.directory, folders.find((name) => name === "rollback") ?? "rollbacks");
    const words = migration.name.replace(/^\d+[_-]?/, "");
    const stamp = /^\d{14}$/.test(migration.version) ? timestamp(now) : migration.version;
    const file = join(place, `${stamp}_rollback_${words}.sql`);
    return apart(file, withHeader(migration, body, file));
  },
  "mirror-folder": (folder, { file }, body, { folders }) => {
    const place = join(folder.directory, folders.find((name) => name === "rollbacks") ?? "rollback");
    return apart(join(place, basename(file)), body);
  },
  prefix: (_, { file }, body) => apart(join(dirname(file), `rollback_${basename(file)}`), body),
  "up-down-pair": (folder, { file, name }, body) => {
    if (!/\.up\.sql$/i.test(file) || isSupabaseFolder(folder.directory))
      throw new BelayError("usage", `${name}.down.sql would be run as a migration by \`supabase db push\``, {
        hint: "Keep rollbacks in a commented section: belay template --write --layout section",
      });
    return apart(file.replace(/\.up\.sql$/i, ".down.sql"), body);
  },
  flyway: (_, { file }, body) => apart(join(dirname(file), basename(file).replace(/^V/, "U")), body),
  "folder-pair": (_, { file }, body) => apart(join(dirname(file), "down.sql"), body),
};

/** The text as it is pasted: a layout's markers around the body. */
export function asLayoutText(layout: LayoutName, body: string, name: string): string {
  if (layout === "section") return section(body);
  if (layout === "dbmate") return `-- migrate:down\n${body}`;
  if (layout === "goose") return `-- +goose Down\n${inBlocks(body, "goose")}`;
  if (layout === "sql-migrate") return `-- +migrate Down\n${inBlocks(body, "migrate")}`;
  return layout === "rollbacks-folder" ? reverses(name, body) : body;
}

function apart(file: string, body: string): RollbackPlace {
  return { file, isPart: false, write: (old) => withEndings(body, old ?? "") };
}

/** A file called by its own time says what it reverses; one that is called like the migration needs no header. */
function withHeader({ name, file: own }: Migration, body: string, file: string): string {
  return /[\\/]rollbacks?[\\/]/.test(file) && basename(file) !== basename(own) ? reverses(name, body) : body;
}

function reverses(name: string, body: string): string {
  return `-- Reverses: ${name}.sql\n${body}`;
}

function section(body: string): string {
  const lines = body
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? "--" : `-- ${line}`));
  return ["-- ROLLBACK START", ...lines, "-- ROLLBACK END", ""].join("\n");
}

const sectionMarker = (word: "START" | "END") =>
  new RegExp(`^\\s*-{2,}[\\s=*#]*ROLLBACK[ \\t]+${word}[\\s=*#:.-]*$`, "i");

/** Replaces the file's one rollback section, or puts one at its end. */
function withSection(old: string, body: string): string {
  const lines = rawLines(old);
  const at = (word: "START" | "END") =>
    lines.flatMap(({ text }, index) => (sectionMarker(word).test(text) ? [index] : []));
  const [starts, ends] = [at("START"), at("END")];
  const text = withEndings(section(body), old);
  if (starts.length === 0 && ends.length === 0) return `${endedOnce(old)}${endingOf(old)}${text}`;
  if (starts.length !== 1 || ends.length !== 1 || ends[0]! < starts[0]!)
    throw new BelayError("usage", "the file has several rollback sections, or one that does not end", {
      hint: "Mend its ROLLBACK START and ROLLBACK END lines first.",
    });
  const kept = (part: typeof lines) => part.map((line) => line.text + line.end).join("");
  return kept(lines.slice(0, starts[0])) + text + kept(lines.slice(ends[0]! + 1));
}

/** Replaces all from the tool's own marker of the way down to the end, or puts it at the end. */
function withTail(old: string, marker: RegExp, word: string, body: string): string {
  const lines = rawLines(old);
  const at = lines.findIndex(({ text }) => marker.test(text.trimEnd()));
  const tool = word.startsWith("-- +goose") ? "goose" : word.startsWith("-- +migrate") ? "migrate" : null;
  const text = withEndings(tool === null ? body : inBlocks(body, tool), old);
  if (at === -1) return `${endedOnce(old)}${endingOf(old)}${word}${endingOf(old)}${text}`;
  const head = lines.slice(0, at).map((line) => line.text + line.end);
  return `${head.join("")}${lines[at]!.text}${endingOf(old)}${text}`;
}

/** Tools that cut SQL at each semicolon take a statement with others in it only between their own marks. */
function inBlocks(body: string, tool: "goose" | "migrate"): string {
  const statements = parseSql(body, { file: "proposal", line: 1 });
  const head = body.slice(0, statements[0]?.offset ?? body.length);
  const written = statements.map(({ text }) =>
    /;|\$\w*\$/.test(text) ? `-- +${tool} StatementBegin\n${text};\n-- +${tool} StatementEnd\n` : `${text};\n`,
  );
  return head + written.join("");
}

function endingOf(text: string): string {
  const all = text.match(/\r\n|\n/g) ?? [];
  return all.filter((end) => end === "\r\n").length * 2 > all.length ? "\r\n" : "\n";
}

function withEndings(text: string, like: string): string {
  return endingOf(like) === "\n" ? text : text.replace(/\r?\n/g, "\r\n");
}

function endedOnce(text: string): string {
  return text === "" || /[\r\n]$/.test(text) ? text : text + endingOf(text);
}

function timestamp(now: Date): string {
  return now.toISOString().replace(/\D/g, "").slice(0, 14);
}
