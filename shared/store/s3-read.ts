import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { statusOf } from "./s3-errors.ts";

/** Times that a download which was cut off is taken up again where it stopped. */
const resumes = 3;

/** Streams one object; a cut connection is resumed by range on the same version, at most three times without progress. */
export async function* readS3Object(
  client: S3Client,
  at: { readonly Bucket: string; readonly Key: string },
  failed: (error: unknown) => BelayError,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let total: number | undefined;
  let etag: string | undefined;
  for (let left = resumes; ; left -= 1) {
    try {
      const range = offset === 0 ? {} : { Range: `bytes=${offset}-`, IfMatch: etag };
      const answer = await client.send(new GetObjectCommand({ ...at, ...range }));
      etag ??= answer.ETag;
      total ??= answer.ContentLength;
      if (offset > 0 && !answer.ContentRange?.startsWith(`bytes ${offset}-`)) throw cut(at.Key, offset, total);
      for await (const chunk of answer.Body as unknown as AsyncIterable<Uint8Array>) {
        offset += chunk.length;
        left = resumes;
        yield chunk;
      }
      if (total !== undefined && offset !== total) throw cut(at.Key, offset, total);
      return;
    } catch (error) {
      // Before the first byte the client has already tried again by itself.
      if (offset === 0 || left <= 0 || statusOf(error) !== undefined)
        throw failed(finalError(error, at.Key, offset, total));
    }
  }
}

function finalError(error: unknown, key: string, offset: number, total: number | undefined): unknown {
  return offset === 0 || statusOf(error) !== undefined ? error : cut(key, offset, total, error);
}

function cut(key: string, offset: number, total: number | undefined, cause?: unknown): BelayError {
  return new BelayError(
    "store_failed",
    `the answer for ${key} was cut after ${offset} of ${total ?? "unknown"} bytes`,
    {
      hint: "Look at the network and the store's health, and run the same command again.",
      cause,
    },
  );
}
