import { PutObjectCommand } from "@aws-sdk/client-s3";
import { inParts, partSizes } from "./parts.ts";
import { refusedByItself, type S3Access, uploadHeaders } from "./s3-access.ts";
import { checksumOf, requireSame } from "./s3-checksums.ts";
import { isConflict, isUnknownHeader, statusOf } from "./s3-errors.ts";
import { requireLocked } from "./s3-lock.ts";
import { uploadInParts } from "./s3-multipart.ts";
import type { WriteOptions } from "./types.ts";

/** Times that a create-only upload of one request is sent again after the store saw another write of that key. */
const conflicts = 3;

const smallObject = 64 * 1024;

/** Streams one object up: in one request when it fits into a part, else in parts. Returns its bytes. */
export async function writeS3Object(
  access: S3Access,
  key: string,
  chunks: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  access.at(key);
  // Some compatible stores ignore If-None-Match.
  if (options.createOnly && access.habits.refusesTaken !== true) await requireFree(access, key);
  const sizeOf = partSizes(options.sizeHint, access.place.upload);
  const parts = inParts(chunks, sizeOf);
  const first = await parts.next();
  if (!first.done && first.value.length === sizeOf(1)) {
    // Better now than after all the parts.
    if (options.createOnly && access.habits.refusesTaken === true) await requireFree(access, key);
    const bytes = await uploadInParts(access, key, startingWith(first.value, parts), options);
    await requireLocked(access, key, "parts");
    return bytes;
  }
  if (!first.done) await parts.next();
  const bytes = await put(access, key, first.value ?? new Uint8Array(0), options);
  await requireLocked(access, key, "whole");
  return bytes;
}

async function put(access: S3Access, key: string, body: Uint8Array, options: WriteOptions): Promise<number> {
  const checksum = checksumOf(body, access.place.upload);
  for (let left = conflicts; ; left -= 1) {
    const conditional = options.createOnly === true && access.habits.conditional;
    try {
      const answer = await access.client.send(
        new PutObjectCommand({
          ...access.at(key),
          ...uploadHeaders(access),
          ...checksum,
          Body: body,
          ContentType: options.contentType,
          IfNoneMatch: conditional ? "*" : undefined,
        }),
      );
      requireSame(key, checksum, answer.ChecksumSHA256);
      if (conditional && access.habits.refusesTaken === undefined) await tryTaken(access, key, body, options);
      return body.length;
    } catch (error) {
      if (conditional && isUnknownHeader(error)) access.habits.conditional = false;
      else if (conditional && statusOf(error) === 412) {
        if (await refusedByItself(access, error, key, body.length)) return body.length;
        throw access.exists(key);
      } else if (!conditional || !isConflict(error) || left <= 0) throw access.failed(error, `writing ${key}`);
    }
  }
}

async function requireFree(access: S3Access, key: string): Promise<void> {
  if ((await access.head(key)) !== null) throw access.exists(key);
}

/** The same small object once more, create-only: a store that refuses it needs not be asked before each one. */
async function tryTaken(access: S3Access, key: string, body: Uint8Array, options: WriteOptions): Promise<void> {
  const { habits, place } = access;
  // A store that takes it would keep a second version.
  if (body.length > smallObject || place.upload.lock !== undefined) return;
  habits.refusesTaken = false;
  const again = { ...access.at(key), ...uploadHeaders(access), ...checksumOf(body, place.upload) };
  await access.client
    .send(new PutObjectCommand({ ...again, Body: body, ContentType: options.contentType, IfNoneMatch: "*" }))
    .catch((error) => {
      habits.refusesTaken = statusOf(error) === 412;
    });
}

async function* startingWith(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
