import { DeleteObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { accessS3, type S3Access } from "./s3-access.ts";
import { statusOf } from "./s3-errors.ts";
import { listS3Folders, listS3Objects } from "./s3-list.ts";
import type { S3Place } from "./s3-place.ts";
import { readS3Object } from "./s3-read.ts";
import { discardS3Upload, listS3Uploads } from "./s3-unfinished.ts";
import { writeS3Object } from "./s3-write.ts";
import type { ObjectStore } from "./types.ts";

/** A prefix of a bucket in S3 or a store that speaks its protocol. */
export function createS3Store(client: S3Client, place: S3Place): ObjectStore {
  const access = accessS3(client, place);
  return {
    url: access.url,
    head: access.head,
    read: (key, range) =>
      readS3Object(client, access.at(key), range, (error) => access.failed(error, `reading ${key}`)),
    write: (key, chunks, options = {}) => writeS3Object(access, key, chunks, options),
    // What S3 has answered for is durable.
    sync: async () => {},
    async *list(prefix) {
      yield* await listS3Objects(access, prefix);
    },
    async *listFolders(prefix) {
      yield* await listS3Folders(access, prefix);
    },
    delete: (key) => remove(access, key),
    unfinished: (prefix) => listS3Uploads(access, prefix),
    discard: (upload) => discardS3Upload(access, upload),
  };
}

/** Without a version: what a store with versions keeps of old ones is never touched. */
async function remove(access: S3Access, key: string): Promise<void> {
  try {
    await access.client.send(new DeleteObjectCommand(access.at(key)));
  } catch (error) {
    if (statusOf(error) === 404) return;
    const lock = statusOf(error) === 403 ? (await access.head(key).catch(() => null))?.lock : undefined;
    if (lock === undefined) throw access.failed(error, `deleting ${key}`);
    const until = lock.until === null ? "by a legal hold" : `until ${lock.until.toISOString()}`;
    throw new BelayError("store_denied", `${key} in ${access.url} is locked ${until}`, {
      hint: "Wait until then; Object Lock is there to refuse exactly this.",
      cause: error,
    });
  }
}
