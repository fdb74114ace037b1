import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import type { S3Access } from "./s3-access.ts";
import { isUnknownHeader, statusOf } from "./s3-errors.ts";
import type { UnfinishedUpload } from "./types.ts";

/** Multipart uploads under a prefix that were neither completed nor aborted. Throws `store_failed` where the store cannot tell. */
export async function* listS3Uploads(access: S3Access, prefix: string): AsyncGenerator<UnfinishedUpload> {
  const { bucket, prefix: root } = access.place;
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page: ListMultipartUploadsCommandOutput = await access.client
      .send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: root + prefix, ...marker }))
      .catch((error) => {
        throw isUnknownHeader(error) ? cannotTell(access) : access.failed(error, "listing unfinished uploads");
      });
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      // Some stores do not look at the prefix.
      if (Key === undefined || UploadId === undefined || !Key.startsWith(root + prefix)) continue;
      const parts = await partsOf(access, Key, UploadId);
      if (parts === null) continue;
      // Without a date nobody can say that it is old.
      const active = new Date(Math.max(parts.newest, (Initiated ?? new Date()).getTime()));
      yield { key: Key.slice(root.length), id: UploadId, active, bytes: parts.bytes };
    }
    if (!page.IsTruncated || page.NextKeyMarker === undefined) return;
    if (page.NextKeyMarker === marker.KeyMarker && page.NextUploadIdMarker === marker.UploadIdMarker) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

/** Aborts an upload; one that is gone or complete is fine. */
export async function discardS3Upload(access: S3Access, { key, id }: UnfinishedUpload): Promise<void> {
  await access.client.send(new AbortMultipartUploadCommand({ ...access.at(key), UploadId: id })).catch((error) => {
    if (statusOf(error) !== 404) throw access.failed(error, `discarding the upload of ${key}`);
  });
}

async function partsOf(access: S3Access, key: string, id: string): Promise<{ newest: number; bytes: number } | null> {
  let bytes = 0;
  let newest = 0;
  let marker: string | undefined;
  try {
    for (;;) {
      const page: ListPartsCommandOutput = await access.client.send(
        new ListPartsCommand({ Bucket: access.place.bucket, Key: key, UploadId: id, PartNumberMarker: marker }),
      );
      for (const part of page.Parts ?? []) {
        bytes += part.Size ?? 0;
        newest = Math.max(newest, part.LastModified?.getTime() ?? 0);
      }
      if (!page.IsTruncated || page.NextPartNumberMarker === undefined || page.NextPartNumberMarker === marker)
        return { newest, bytes };
      marker = page.NextPartNumberMarker;
    }
  } catch (error) {
    // Completed or aborted while we listed.
    if (statusOf(error) === 404) return null;
    throw access.failed(error, `looking at the unfinished upload of ${key}`);
  }
}

function cannotTell(access: S3Access): BelayError {
  return new BelayError("store_failed", `${access.url} does not list unfinished uploads`, {
    hint: "Give the bucket a lifecycle rule that aborts unfinished multipart uploads; see docs/retention.md.",
    details: { cannotTell: true },
  });
}
