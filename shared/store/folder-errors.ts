import { BelayError } from "../errors.ts";

/** The operating system's code of a failed file operation (ENOENT...); undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown; syscall?: unknown } | null)?.code;
  return typeof code === "string" && (error as { syscall?: unknown }).syscall !== undefined ? code : undefined;
}

export function isTaken(error: unknown): boolean {
  return codeOf(error) === "EEXIST" && ["link", "open"].includes((error as { syscall: string }).syscall);
}

export function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

export function exists(key: string, url: string): BelayError {
  return new BelayError("store_exists", `${key} is already in ${url}`, {
    hint: "Objects are never overwritten: use another id.",
  });
}

export function missing(key: string, url: string, cause: unknown): BelayError {
  return new BelayError("store_missing_object", `${key} is not in ${url}`, {
    hint: "List what is there with `belay archives`.",
    cause,
  });
}

export function leadsOut(key: string, url: string): BelayError {
  return new BelayError("store_denied", `${key} leads out of ${url} through a symbolic link`, {
    hint: "Nothing was read or written there. Put the files themselves into the folder, or name the other folder as the store.",
  });
}

export function folderError(error: unknown, url: string, doing: string): BelayError {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new BelayError("store_denied", `${url} refused ${doing} (${code})`, {
      hint: "Give this user read and write access to the folder.",
      cause: error,
    });
  return new BelayError("store_failed", `${url} failed ${doing} (${code ?? String(error)})`, {
    hint: hints[code ?? ""] ?? "Check the folder.",
    cause: error,
  });
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: make room and run the same command again.",
  EDQUOT: "The disk quota is used up: make room and run the same command again.",
  ENOTDIR: "A part of the path is a file: name a folder in BELAY_STORE or --store.",
  EEXIST: "A part of the path is a file: name a folder in BELAY_STORE or --store.",
  ENOENT: "No folder can be made there: name another one in BELAY_STORE or --store.",
  ELOOP: "A symbolic link leads to itself: take it out of the folder.",
};
