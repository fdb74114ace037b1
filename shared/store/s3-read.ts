import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BelayError, isBelayError } from "../errors.ts";
import { boundsOf, outside, requireInside } from "./range.ts";
import { statusOf } from "./s3-errors.ts";
import type { ByteRange } from "./types.ts";

/** Times that a download which was cut off is taken up again where it stopped. */
const resumes = 3;

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * Streams one object or a range of it; a cut connection is resumed by range on the same version, at most three times
 * without progress.
 */
export async function* readS3Object(
  client: S3Client,
  at: Place,
  range: ByteRange | undefined,
  failed: (error: unknown) => BelayError,
): AsyncGenerator<Uint8Array> {
  const { start, end } = range === undefined ? { start: 0, end: undefined } : boundsOf(at.Key, range);
  if (range?.length === 0) return void requireInside(at.Key, range, await sizeOf(client, at, failed));
  let offset = start;
  let stop = end;
  let etag: string | undefined;
  for (let left = resumes; ; left -= 1) {
    try {
      const asked =
        offset === 0 && end === undefined ? {} : { Range: `bytes=${offset}-${end === undefined ? "" : end - 1}` };
      const answer = await client.send(new GetObjectCommand({ ...at, ...asked, IfMatch: etag }));
      // Not every store looks at If-Match.
      if (etag !== undefined && answer.ETag !== undefined && answer.ETag !== etag) throw replaced(at.Key);
      etag ??= answer.ETag;
      const told = extentOf(answer);
      if (told.from !== offset) throw cut(at.Key, offset - start, lengthOf(start, stop));
      if (end !== undefined && told.size !== undefined && end > told.size) throw outside(at.Key, range!, told.size);
      stop ??= told.size;
      for await (const chunk of answer.Body as unknown as AsyncIterable<Uint8Array>) {
        offset += chunk.length;
        left = resumes;
        yield chunk;
      }
      if (stop !== undefined && offset !== stop) throw cut(at.Key, offset - start, lengthOf(start, stop));
      return;
    } catch (error) {
      if (statusOf(error) === 416 && range !== undefined && offset === start) {
        requireInside(at.Key, range, await sizeOf(client, at, failed));
        return;
      }
      if (isBelayError(error) && error.details.replaced === true) throw error;
      // Before the first byte the client has already tried again by itself.
      if (offset === start || left <= 0 || statusOf(error) !== undefined) {
        const final = offset === start || statusOf(error) !== undefined;
        throw failed(final ? error : cut(at.Key, offset - start, lengthOf(start, stop), error));
      }
    }
  }
}

/** Where an answer begins, and the whole object's size: a store that ignores ranges begins at 0. */
function extentOf(answer: GetObjectCommandOutput): { from: number; size: number | undefined } {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.ContentRange ?? "");
  if (range === null) return { from: 0, size: answer.ContentLength };
  return { from: Number(range[1]), size: range[2] === "*" ? undefined : Number(range[2]) };
}

async function sizeOf(client: S3Client, at: Place, failed: (error: unknown) => BelayError): Promise<number> {
  const answer = await client.send(new HeadObjectCommand(at)).catch((error) => {
    throw failed(error);
  });
  return answer.ContentLength ?? 0;
}

function lengthOf(start: number, end: number | undefined): number | undefined {
  return end === undefined ? undefined : end - start;
}

function replaced(key: string): BelayError {
  return new BelayError("store_failed", `${key} was replaced while it was read`, {
    hint: "Run the same command again, and find out who writes there: Belay never writes over an object.",
    details: { replaced: true },
  });
}

function cut(key: string, read: number, total: number | undefined, cause?: unknown): BelayError {
  return new BelayError("store_failed", `the answer for ${key} was cut after ${read} of ${total ?? "unknown"} bytes`, {
    hint: "Look at the network and the store's health, and run the same command again.",
    cause,
  });
}
