import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { refusedByItself, type S3Access, uploadHeaders } from "./s3-access.ts";
import { checksumOf, requireSame } from "./s3-checksums.ts";
import { isUnknownHeader, statusOf } from "./s3-errors.ts";
import type { WriteOptions } from "./types.ts";

/** Parts that travel at the same time; with the one being filled, memory is three parts. */
const partsInFlight = 2;

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly ChecksumSHA256?: string;
}

/** A multipart upload from its begin to its completion; aborted when anything fails. Returns its bytes. */
export async function uploadInParts(
  access: S3Access,
  key: string,
  bodies: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<number> {
  const upload = await begin(access, key, options);
  const inFlight = new Set<Promise<void>>();
  try {
    const parts: Part[] = [];
    let bytes = 0;
    let number = 0;
    let failure: unknown;
    for await (const body of bodies) {
      number += 1;
      bytes += body.length;
      if (number > access.place.upload.mostParts) throw tooManyParts(access, key, bytes);
      const sending: Promise<void> = send(access, key, upload, number, body)
        .then((part) => {
          parts[part.PartNumber - 1] = part;
        })
        .catch((error) => {
          failure ??= error;
        })
        .finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= partsInFlight) await Promise.race(inFlight);
      if (failure !== undefined) throw failure;
    }
    await Promise.all(inFlight);
    if (failure !== undefined) throw failure;
    // Another writer may have come first while this one was sending.
    if (options.createOnly && (await access.head(key)) !== null) throw access.exists(key);
    await complete(access, key, upload, parts, bytes, options.createOnly === true);
    return bytes;
  } catch (error) {
    await Promise.allSettled(inFlight);
    // What cannot be aborted now goes with `belay prune --unfinished` or the bucket's lifecycle rule.
    await access.client.send(new AbortMultipartUploadCommand({ ...access.at(key), UploadId: upload })).catch(() => {});
    throw error;
  }
}

async function begin(access: S3Access, key: string, options: WriteOptions): Promise<string> {
  const { checksum } = access.place.upload;
  const answer = await access.client
    .send(
      new CreateMultipartUploadCommand({
        ...access.at(key),
        ...uploadHeaders(access),
        ContentType: options.contentType,
        ChecksumAlgorithm: checksum === "sha256" ? "SHA256" : undefined,
      }),
    )
    .catch((error) => {
      throw access.failed(error, `starting the upload of ${key}`);
    });
  if (answer.UploadId === undefined) throw access.failed(new Error("no upload id"), `starting the upload of ${key}`);
  return answer.UploadId;
}

async function send(access: S3Access, key: string, upload: string, number: number, body: Uint8Array): Promise<Part> {
  const checksum = checksumOf(body, access.place.upload);
  const answer = await access.client
    .send(new UploadPartCommand({ ...access.at(key), ...checksum, UploadId: upload, PartNumber: number, Body: body }))
    .catch((error) => {
      throw access.failed(error, `writing part ${number} of ${key}`);
    });
  requireSame(key, checksum, answer.ChecksumSHA256);
  if (answer.ETag === undefined) throw access.failed(new Error("no ETag"), `writing part ${number} of ${key}`);
  // A store that ignores checksums gives none back, and does not want one at the end either.
  const kept = answer.ChecksumSHA256 === undefined ? {} : { ChecksumSHA256: answer.ChecksumSHA256 };
  return { PartNumber: number, ETag: answer.ETag, ...kept };
}

async function complete(
  access: S3Access,
  key: string,
  upload: string,
  parts: readonly Part[],
  size: number,
  createOnly: boolean,
): Promise<void> {
  const conditional = createOnly && access.habits.conditional;
  try {
    await access.client.send(
      new CompleteMultipartUploadCommand({
        ...access.at(key),
        UploadId: upload,
        MultipartUpload: { Parts: [...parts] },
        IfNoneMatch: conditional ? "*" : undefined,
      }),
    );
  } catch (error) {
    const status = statusOf(error);
    if (conditional && isUnknownHeader(error)) {
      access.habits.conditional = false;
      return await complete(access, key, upload, parts, size, createOnly);
    }
    if ((status === 412 || status === 404) && (await refusedByItself(access, error, key, size))) return;
    if (conditional && status === 412) throw access.exists(key);
    throw access.failed(error, `completing the upload of ${key}`);
  }
}

function tooManyParts(access: S3Access, key: string, bytes: number): BelayError {
  const { mostParts } = access.place.upload;
  return new BelayError("store_failed", `${key} is not complete after ${mostParts} parts (${bytes} bytes)`, {
    hint: "The table grew far beyond its expected size. Set partMiB in the store's URL to a larger part, and run the same command again.",
    details: { mostParts, bytes },
  });
}
