import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { BelayError } from "../../errors.ts";

/**
 * Replaces a file's text, whole or not at all: written beside it, made durable, then renamed over it. Its mode stays; a
 * link stays a link. Throws `usage` when the file is no longer as it was read, or cannot be written.
 */
export async function replaceFile(path: string, was: string, text: string): Promise<void> {
  const target = await realpath(path);
  const beside = `${target}.belay-${process.pid}`;
  try {
    if ((await readFile(target, "utf8")) !== was)
      throw new BelayError("usage", `${path} changed while it was being mended`, { hint: "Run belay fix again." });
    const { mode } = await stat(target);
    const file = await open(beside, "wx", mode);
    try {
      await file.writeFile(text, "utf8");
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, target);
  } catch (cause) {
    await rm(beside, { force: true });
    if (cause instanceof BelayError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BelayError("usage", `${path} could not be written: ${why}`, {
      hint: "Nothing of it changed. See to its permissions, then run belay fix again.",
      cause,
    });
  }
}
