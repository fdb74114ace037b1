import { HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { checkKey } from "./keys.ts";
import { attemptsOf, s3Error, statusOf } from "./s3-errors.ts";
import { formatS3Place, type S3Place } from "./s3-place.ts";
import { quirksOf } from "./s3-quirks.ts";
import type { StoredObject } from "./types.ts";

type LockedBy = "upload" | "request";

/** What was learned about one store while writing to it. */
export interface S3Habits {
  /** False once the store refused If-None-Match as unknown: looking first is all there is. */
  conditional: boolean;
  /** True once the store is known to refuse a taken key by itself, in one request: no need to look first. */
  refusesTaken: boolean | undefined;
  /** How objects come to be locked, in one request and in parts: by the headers of their upload, or by a request of its own. */
  locks: { whole?: LockedBy; parts?: LockedBy };
}

/** What every act on an S3 store needs: the client, the place, names and errors. */
export interface S3Access {
  readonly client: S3Client;
  readonly place: S3Place;
  readonly url: string;
  readonly habits: S3Habits;
  /** Bucket and key; throws `store_failed` for a key that is none. */
  at(key: string): { readonly Bucket: string; readonly Key: string };
  failed(error: unknown, doing: string): BelayError;
  head(key: string): Promise<StoredObject | null>;
  exists(key: string): BelayError;
}

export function accessS3(client: S3Client, place: S3Place): S3Access {
  const url = formatS3Place(place);
  const at = (key: string) => ({ Bucket: place.bucket, Key: place.prefix + checkKey(key) });
  const failed = (error: unknown, doing: string) => s3Error(error, { place: url, bucket: place.bucket, doing });
  return {
    client,
    place,
    url,
    habits: { conditional: true, refusesTaken: quirksOf(place.endpoint).refusesTaken, locks: {} },
    at,
    failed,
    async head(key) {
      try {
        return objectOf(key, await client.send(new HeadObjectCommand(at(key))));
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw failed(error, `looking for ${key}`);
      }
    },
    exists: (key) =>
      new BelayError("store_exists", `${key} is already in ${url}`, {
        hint: "Objects are never overwritten: use another id.",
      }),
  };
}

function objectOf(key: string, answer: HeadObjectCommandOutput): StoredObject {
  const found = { key, size: answer.ContentLength ?? 0, modified: answer.LastModified ?? null };
  const until = answer.ObjectLockRetainUntilDate ?? null;
  const legalHold = answer.ObjectLockLegalHoldStatus === "ON";
  return until === null && !legalHold ? found : { ...found, lock: { until, legalHold } };
}

/** Encryption, storage class and lock, as they go with the request that begins an object. */
export function uploadHeaders({ place }: S3Access) {
  const { sse, kmsKeyId, storageClass, lock } = place.upload;
  return {
    ServerSideEncryption: sse,
    SSEKMSKeyId: kmsKeyId,
    StorageClass: storageClass as "STANDARD" | undefined,
    ObjectLockMode: lock?.mode,
    ObjectLockRetainUntilDate: lock && retainUntil(lock.days),
  };
}

/** The moment until which an object written now is locked. */
export function retainUntil(days: number): Date {
  return new Date(Date.now() + days * 86_400_000);
}

/**
 * A create-only request that was sent twice can be refused by its own first try. What is there with our size is
 * then taken for ours; an archive's bytes are read back and compared in any case.
 */
export async function refusedByItself(access: S3Access, error: unknown, key: string, size: number): Promise<boolean> {
  return attemptsOf(error) > 1 && (await access.head(key))?.size === size;
}
