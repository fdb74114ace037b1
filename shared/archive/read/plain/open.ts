import { BelayError } from "../../../errors.ts";
import type { ArchivePlace, PlainArchive } from "../types.ts";
import { expanded } from "./expand.ts";
import { splitScript } from "./split.ts";

/** A plain SQL script, compressed or not; nothing of it is read yet. Throws `store_missing_object` when it is not there. */
export async function openPlain(place: ArchivePlace): Promise<PlainArchive> {
  const { store, prefix } = place;
  const head = await store.head(prefix);
  if (head === null)
    throw new BelayError("store_missing_object", `there is no script at ${place.url}`, {
      hint: "Check the place's name; list the archives with `belay archives list`.",
    });
  const name = prefix.split("/").at(-1) ?? prefix;
  return {
    format: "plain",
    place,
    bytes: head.size,
    parts: ({ onBytes } = {}) => splitScript(expanded(counted(store.read(prefix), onBytes), name), { name }),
  };
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: ((stored: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let stored = 0;
  for await (const chunk of chunks) {
    stored += chunk.length;
    onBytes?.(stored);
    yield chunk;
  }
}
