import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** Everything that development servers write; ignored by git. */
export const belayFolder = join(repository, ".belay");

/** A program that a development dependency brings. */
export function localProgram(name: string): string {
  return join(repository, "node_modules", ".bin", name);
}

export const runningAsRoot = process.getuid?.() === 0;

/**
 * Where servers keep programs and data: `.belay/servers`. As root it is a link to a folder that other users can enter,
 * because Postgres refuses to run as root and a clone often lies where nobody else may look.
 */
export function serversFolder(): string {
  const place = join(belayFolder, "servers");
  mkdirSync(belayFolder, { recursive: true });
  if (!runningAsRoot) {
    mkdirSync(place, { recursive: true });
    return place;
  }
  const known = linkTarget(place);
  if (known !== null && isOurFolder(known) && othersCanEnter(known)) return known;
  rmSync(place, { recursive: true, force: true });
  const made = makeOpenFolder();
  symlinkSync(made, place);
  return made;
}

function makeOpenFolder(): string {
  const base = [tmpdir(), "/tmp", "/var/tmp"].find(othersCanEnter) ?? tmpdir();
  const wanted = join(base, `belay-${createHash("sha256").update(repository).digest("hex").slice(0, 12)}`);
  try {
    mkdirSync(wanted, { mode: 0o711 });
    chmodSync(wanted, 0o711);
    return wanted;
  } catch {
    if (isOurFolder(wanted)) return wanted;
    const other = mkdtempSync(`${wanted}-`);
    chmodSync(other, 0o711);
    return other;
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function isOurFolder(path: string): boolean {
  try {
    const found = lstatSync(path);
    return found.isDirectory() && found.uid === process.getuid?.();
  } catch {
    return false;
  }
}

/** Whether every folder from the root down to `path` lets other users pass. */
function othersCanEnter(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    try {
      if ((statSync(at).mode & 0o001) === 0) return false;
    } catch {
      return false;
    }
    if (at === dirname(at)) return true;
  }
}
