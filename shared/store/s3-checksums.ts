import { createHash } from "node:crypto";
import { BelayError } from "../errors.ts";
import type { UploadSettings } from "./s3-place.ts";

/** Headers with which the store checks the body of one request. */
export interface BodyChecksum {
  readonly ContentMD5?: string;
  readonly ChecksumSHA256?: string;
}

export function checksumOf(body: Uint8Array, { checksum }: UploadSettings): BodyChecksum {
  if (checksum === "sha256") return { ChecksumSHA256: createHash("sha256").update(body).digest("base64") };
  return checksum === "md5" ? { ContentMD5: md5(body) } : {};
}

function md5(body: Uint8Array): string {
  try {
    return createHash("md5").update(body).digest("base64");
  } catch (cause) {
    throw new BelayError("usage", "this runtime has no MD5, with which uploads are checked", {
      hint: "Add checksum=sha256 to the store's URL, or take lock and lockDays out where the store does not take that.",
      cause,
    });
  }
}

/** Throws `store_failed` when the store says that it took other bytes than were sent; many say nothing. */
export function requireSame(key: string, sent: BodyChecksum, answered: string | undefined): void {
  if (sent.ChecksumSHA256 === undefined || answered === undefined || answered === sent.ChecksumSHA256) return;
  throw new BelayError("store_failed", `the store took other bytes for ${key} than were sent`, {
    hint: "Look at the network and the store's health, and run the same command again.",
  });
}
