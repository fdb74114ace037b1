import { fileURLToPath } from "node:url";
import { BelayError } from "../errors.ts";
import { createFolderStore } from "./folder.ts";
import { createLazyStore } from "./lazy.ts";
import type { StoreCredentials } from "./s3-client.ts";
import { formatS3Place, parseS3Url } from "./s3-place.ts";
import type { ObjectStore } from "./types.ts";

export type { StoreCredentials } from "./s3-client.ts";

/** What an entrypoint found in the usual AWS variables. */
type StoreEnvironment = { readonly [Name in keyof StoreCredentials]?: StoreCredentials[Name] | undefined };

/**
 * The store at `s3://bucket/prefix?endpoint=...&region=...` or `file:///dir`. Nothing is sent yet: a store that does
 * not answer shows at the first use. Throws `usage` for a URL that is wrong, `store_denied` for S3 without credentials.
 */
export function openStore(url: string, credentials: StoreEnvironment | null = null): ObjectStore {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "file:") return createFolderStore(fileURLToPath(url));
  if (protocol !== "s3:")
    throw new BelayError("usage", "the store's URL is not an s3:// or file:// URL", {
      hint: "Use s3://bucket/prefix?endpoint=...&region=... or file:///dir in BELAY_STORE or --store.",
    });
  const place = parseS3Url(url, credentials ?? {});
  const { accessKeyId, secretAccessKey, sessionToken } = credentials ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new BelayError("store_denied", `there are no credentials for the bucket ${place.bucket}`, {
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    });
  return createLazyStore(formatS3Place(place), async () => {
    const [{ createS3Store }, { createS3Client }] = await Promise.all([import("./s3.ts"), import("./s3-client.ts")]);
    return createS3Store(createS3Client(place, { accessKeyId, secretAccessKey, sessionToken }), place);
  });
}
