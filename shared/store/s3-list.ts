import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";
import { compareKeys } from "./keys.ts";
import type { S3Access } from "./s3-access.ts";
import type { StoredObject } from "./types.ts";

/** Objects under a prefix. Not every compatible store lists in key order: they are sorted here. */
export async function listS3Objects(access: S3Access, prefix: string): Promise<StoredObject[]> {
  const all: StoredObject[] = [];
  for await (const page of pages(access, prefix))
    for (const { Key, Size, LastModified } of page.Contents ?? [])
      all.push({ key: relative(access, Key!), size: Size ?? 0, modified: LastModified ?? null });
  return all.sort((a, b) => compareKeys(a.key, b.key));
}

/** Names directly under a prefix that hold objects: one request for each thousand of them, however many objects there are. */
export async function listS3Folders(access: S3Access, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const page of pages(access, prefix, "/"))
    for (const { Prefix } of page.CommonPrefixes ?? [])
      names.push(relative(access, Prefix!).slice(prefix.length).replace(/\/$/, ""));
  return names.sort(compareKeys);
}

function relative(access: S3Access, key: string): string {
  return key.slice(access.place.prefix.length);
}

async function* pages(
  access: S3Access,
  prefix: string,
  delimiter?: string,
): AsyncGenerator<ListObjectsV2CommandOutput> {
  const { bucket, prefix: root } = access.place;
  let token: string | undefined;
  for (;;) {
    const page: ListObjectsV2CommandOutput = await access.client
      .send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: root + prefix,
          Delimiter: delimiter,
          ContinuationToken: token,
        }),
      )
      .catch((error) => {
        throw access.failed(error, `listing ${prefix}`);
      });
    yield page;
    if (!page.IsTruncated) return;
    // Half a list taken for a whole one would hide archives.
    if (page.NextContinuationToken === undefined || page.NextContinuationToken === token) throw half(access, prefix);
    token = page.NextContinuationToken;
  }
}

function half(access: S3Access, prefix: string): BelayError {
  return new BelayError("store_failed", `${access.url} gave half a list of ${prefix} and no way to the rest`, {
    hint: "The store does not list as S3 does (ListObjectsV2): use another one.",
  });
}
