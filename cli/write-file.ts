import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BelayError } from "../shared/errors.ts";

/** The text of a file; null when there is none. Throws `usage` when it cannot be read. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unusable(file, "read", error);
  }
}

/** Writes a file whole or not at all: under another name first, with the permissions of the file that was there. Throws `usage`. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const between = join(dirname(file), `.belay-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(dirname(file), { recursive: true });
    const mode = await stat(file).then(
      (found) => found.mode & 0o7777,
      () => null,
    );
    const handle = await open(between, "wx");
    try {
      await handle.writeFile(text, "utf8");
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (mode !== null) await chmod(between, mode);
    await rename(between, file);
  } catch (error) {
    await rm(between, { force: true });
    throw unusable(file, "written", error);
  }
}

function unusable(file: string, what: string, error: unknown): BelayError {
  return new BelayError("usage", `${file} cannot be ${what}: ${(error as Error).message}`, {
    hint: "Check the file's and the folder's permissions.",
    cause: error,
  });
}
