import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { checkKey, compareKeys } from "./keys.ts";
import { inParts, mostParts, partSize } from "./parts.ts";
import type { S3Place } from "./s3-client.ts";
import { formatS3Place } from "./s3-client.ts";
import { attemptsOf, s3Error, statusOf } from "./s3-errors.ts";
import { readS3Object } from "./s3-read.ts";
import type { ObjectStore, StoredObject, WriteOptions } from "./types.ts";

/** Parts that travel at the same time; with the one being filled, memory is three parts. */
const partsInFlight = 2;

/** A prefix of a bucket in S3 or a store that speaks its protocol. */
export function createS3Store(client: S3Client, place: S3Place): ObjectStore {
  const url = formatS3Place(place);
  const at = (key: string) => ({ Bucket: place.bucket, Key: place.prefix + checkKey(key) });
  const failed = (error: unknown, doing: string) => s3Error(error, { place: url, bucket: place.bucket, doing });

  async function head(key: string): Promise<StoredObject | null> {
    try {
      const answer = await client.send(new HeadObjectCommand(at(key)));
      return { key, size: answer.ContentLength ?? 0, modified: answer.LastModified ?? null };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw failed(error, `looking for ${key}`);
    }
  }

  function exists(key: string): BelayError {
    return new BelayError("store_exists", `${key} is already in ${url}`, {
      hint: "Objects are never overwritten: use another id.",
    });
  }

  /**
   * A create-only request that was sent twice can be refused by its own first try. What is there with our size is
   * then taken for ours; an archive's bytes are read back and compared in any case.
   */
  async function refusedByItself(error: unknown, key: string, size: number): Promise<boolean> {
    return attemptsOf(error) > 1 && (await head(key))?.size === size;
  }

  async function put(key: string, body: Uint8Array, options: WriteOptions): Promise<number> {
    try {
      await client.send(
        new PutObjectCommand({
          ...at(key),
          Body: body,
          ContentType: options.contentType,
          IfNoneMatch: options.createOnly ? "*" : undefined,
        }),
      );
    } catch (error) {
      const status = statusOf(error);
      if (options.createOnly && status === 412 && !(await refusedByItself(error, key, body.length))) throw exists(key);
      if (status !== 412) throw failed(error, `writing ${key}`);
    }
    return body.length;
  }

  async function complete(
    key: string,
    upload: string,
    parts: readonly Part[],
    size: number,
    createOnly: boolean,
  ): Promise<void> {
    try {
      await client.send(
        new CompleteMultipartUploadCommand({
          ...at(key),
          UploadId: upload,
          MultipartUpload: { Parts: [...parts] },
          IfNoneMatch: createOnly ? "*" : undefined,
        }),
      );
    } catch (error) {
      const status = statusOf(error);
      if ((status === 412 || status === 404) && (await refusedByItself(error, key, size))) return;
      if (createOnly && status === 412) throw exists(key);
      throw failed(error, `completing the upload of ${key}`);
    }
  }

  async function multipart(
    key: string,
    parts: AsyncIterable<Uint8Array>,
    options: WriteOptions,
    size: number,
  ): Promise<number> {
    const started = await client
      .send(new CreateMultipartUploadCommand({ ...at(key), ContentType: options.contentType }))
      .catch((error) => {
        throw failed(error, `starting the upload of ${key}`);
      });
    const upload = started.UploadId!;
    const inFlight = new Set<Promise<void>>();
    try {
      const done: Part[] = [];
      let number = 0;
      let bytes = 0;
      let failure: unknown;
      for await (const body of parts) {
        number += 1;
        bytes += body.length;
        if (number > mostParts) throw tooManyParts(key, size);
        const partNumber = number;
        const sending = client
          .send(new UploadPartCommand({ ...at(key), UploadId: upload, PartNumber: partNumber, Body: body }))
          .then((answer) => {
            done[partNumber - 1] = { PartNumber: partNumber, ETag: answer.ETag };
          })
          .catch((error) => {
            failure ??= failed(error, `writing part ${partNumber} of ${key}`);
          })
          .finally(() => inFlight.delete(sending));
        inFlight.add(sending);
        if (inFlight.size >= partsInFlight) await Promise.race(inFlight);
        if (failure !== undefined) throw failure;
      }
      await Promise.all(inFlight);
      if (failure !== undefined) throw failure;
      await complete(key, upload, done, bytes, options.createOnly ?? false);
      return bytes;
    } catch (error) {
      await Promise.allSettled(inFlight);
      // What cannot be aborted now goes by the bucket's lifecycle rule for unfinished uploads.
      await client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId: upload })).catch(() => {});
      throw error;
    }
  }

  return {
    url,
    head,
    read: (key, range) => readS3Object(client, at(key), range, (error) => failed(error, `reading ${key}`)),

    async write(key, chunks, options = {}) {
      checkKey(key);
      // Some compatible stores ignore If-None-Match.
      if (options.createOnly && (await head(key)) !== null) throw exists(key);
      const size = partSize(options.sizeHint);
      const parts = inParts(chunks, size);
      const first = await parts.next();
      if (first.done) return await put(key, new Uint8Array(0), options);
      if (first.value.length < size) {
        await parts.next();
        return await put(key, first.value, options);
      }
      return await multipart(key, startingWith(first.value, parts), options, size);
    },

    async *list(prefix) {
      const all: StoredObject[] = [];
      let token: string | undefined;
      do {
        const page = await client
          .send(
            new ListObjectsV2Command({
              Bucket: place.bucket,
              Prefix: place.prefix + prefix,
              ContinuationToken: token,
            }),
          )
          .catch((error) => {
            throw failed(error, `listing ${prefix}`);
          });
        for (const found of page.Contents ?? []) {
          const key = found.Key!.slice(place.prefix.length);
          all.push({ key, size: found.Size ?? 0, modified: found.LastModified ?? null });
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      // Not every compatible store lists in key order.
      yield* all.sort((a, b) => compareKeys(a.key, b.key));
    },

    async delete(key) {
      await client.send(new DeleteObjectCommand(at(key))).catch((error) => {
        if (statusOf(error) !== 404) throw failed(error, `deleting ${key}`);
      });
    },
  };
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

async function* startingWith(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

function tooManyParts(key: string, size: number): BelayError {
  return new BelayError("store_failed", `${key} needs more than ${mostParts} parts of ${size} bytes`, {
    hint: "The table grew far beyond its expected size while it was written. Run the same command again.",
  });
}
