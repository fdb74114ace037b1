import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile, realpath, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { BelayError } from "../shared/errors.ts";
import type { ProofCache } from "../shared/migrations/prove/prove.ts";
import { type Proof, proofSchema } from "../shared/migrations/prove/types.ts";

/** A file of proofs, one JSON object a line, written as each is made: what was proved before a kill stays proved. */
export interface ProofFile extends ProofCache {
  /** Drops proofs that no chain names any more, when they are many. */
  tidy(current: ReadonlySet<string>): Promise<void>;
}

const manyStale = 2_000;

export interface ProofFileOptions {
  /** Which proofs hold for a later run; default all. */
  readonly lasting?: (proof: Proof) => boolean;
  /** Called once when the file cannot be written; proofs are then kept for this run alone. Default: throws `usage`. */
  readonly onUnkept?: () => void;
}

/** Opens the file, made at the first write. Lines that cannot be read, as a kill leaves them, are ignored. */
export async function openProofFile(path: string, options: ProofFileOptions = {}): Promise<ProofFile> {
  const { lasting = () => true, onUnkept } = options;
  const text = await readFile(path, "utf8").catch(() => "");
  const proofs = new Map<string, Proof>();
  for (const line of text.split("\n")) {
    const proof = readLine(line);
    if (proof !== null) proofs.set(proof.chain, proof);
  }
  // After a torn last line the next must not be torn with it.
  let opening = text === "" || text.endsWith("\n") ? "" : "\n";
  let writable = true;
  const keep = async (lines: string) => {
    try {
      await write(path, () => appendFile(path, lines));
    } catch (error) {
      if (onUnkept === undefined) throw error;
      writable = false;
      onUnkept();
    }
  };
  return {
    get: (chain) => proofs.get(chain),
    put: async (proof) => {
      if (!lasting(proof)) return;
      proofs.set(proof.chain, proof);
      if (writable) await keep(`${opening}${JSON.stringify(proof)}\n`);
      opening = "";
    },
    tidy: async (current) => {
      const kept = [...proofs.values()].filter(({ chain }) => current.has(chain));
      if (!writable || proofs.size - kept.length < manyStale) return;
      const temporary = `${path}.${process.pid}`;
      await writeFile(temporary, kept.map((proof) => `${JSON.stringify(proof)}\n`).join(""));
      await rename(temporary, path);
    },
  };
}

/** All proofs of a file; none when there is no such file. */
export async function readProofs(path: string): Promise<Proof[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => readLine(line) ?? []);
}

/** The cache file of a migrations folder in the user's cache folder. */
export async function defaultProofFile(folder: string): Promise<string> {
  const place = createHash("sha256")
    .update(await realpath(folder))
    .digest("hex")
    .slice(0, 16);
  const base = process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(base, "belay", "proofs", `${place}.jsonl`);
}

async function write(path: string, append: () => Promise<void>): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await append();
  } catch (cause) {
    throw new BelayError("usage", `proofs cannot be kept in ${path}`, {
      hint: "Pass another place with --cache FILE, or --no-cache.",
      cause,
    });
  }
}

function readLine(line: string): Proof | null {
  if (line.trim() === "") return null;
  try {
    return proofSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
