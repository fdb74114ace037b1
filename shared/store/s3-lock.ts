import { PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { retainUntil, type S3Access } from "./s3-access.ts";

/**
 * Makes sure that what was written is locked when the place says so. A store may take the headers of an upload and do
 * nothing (Ceph 16 for uploads in parts): the first object of each kind tells, and then a request of its own locks.
 */
export async function requireLocked(access: S3Access, key: string, kind: "whole" | "parts"): Promise<void> {
  const { lock } = access.place.upload;
  const { locks } = access.habits;
  if (lock === undefined || locks[kind] === "upload") return;
  if (locks[kind] === undefined && (await isLocked(access, key))) {
    locks[kind] = "upload";
    return;
  }
  await access.client
    .send(
      new PutObjectRetentionCommand({
        ...access.at(key),
        Retention: { Mode: lock.mode, RetainUntilDate: retainUntil(lock.days) },
      }),
    )
    .catch((error) => {
      throw notLocked(access, key, access.failed(error, `locking ${key}`));
    });
  if (locks[kind] === undefined && !(await isLocked(access, key))) throw notLocked(access, key);
  locks[kind] = "request";
}

async function isLocked(access: S3Access, key: string): Promise<boolean> {
  return (await access.head(key))?.lock?.until != null;
}

function notLocked(access: S3Access, key: string, cause?: BelayError): BelayError {
  return new BelayError("store_failed", `${access.url} did not lock ${key}, or does not say so`, {
    hint: "Make the bucket with Object Lock, give the key s3:PutObjectRetention and s3:GetObjectRetention, or take lock and lockDays out of the store's URL.",
    cause,
  });
}
