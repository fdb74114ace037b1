import { z } from "zod";
import { BelayError } from "../errors.ts";
import { mostParts, smallestPart } from "./parts.ts";
import { quirksOf } from "./s3-quirks.ts";

const mebibyte = 1024 * 1024;

/** Where an S3 store is and how objects are put there, parsed from `s3://bucket/prefix?endpoint=...&region=...`. */
export interface S3Place {
  readonly bucket: string;
  /** "" or a prefix that ends with a slash. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string;
  /** `http://host/bucket/key` rather than `http://bucket.host/key`; default true when an endpoint is given. */
  readonly pathStyle: boolean;
  readonly upload: UploadSettings;
}

/** What is sent with each upload. Sizes in bytes. */
export interface UploadSettings {
  /** What the store checks a body with: the hash that each request is signed with, or a header besides. */
  readonly checksum: "signed" | "md5" | "sha256";
  readonly sse: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  readonly kmsKeyId: string | undefined;
  readonly storageClass: string | undefined;
  readonly lock: { readonly mode: "GOVERNANCE" | "COMPLIANCE"; readonly days: number } | undefined;
  readonly mostParts: number;
  readonly smallestPart: number;
  /** All parts but the last have one size: the store wants it so. */
  readonly uniformParts: boolean;
}

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const number = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(from).max(to));

/** The settings after the `?`; what is not among them is a mistake, and silence would hide it. */
const querySchema = z.strictObject({
  endpoint: z.string().optional(),
  region: z.string().min(1).optional(),
  pathStyle: flag.optional(),
  checksum: z.enum(["signed", "md5", "sha256"]).optional(),
  sse: z.enum(["AES256", "aws:kms", "aws:kms:dsse"]).optional(),
  kmsKeyId: z.string().min(1).optional(),
  storageClass: z
    .string()
    .regex(/^[A-Z0-9_]{1,40}$/, "must be a storage class as the store writes it, in capitals")
    .refine((name) => name !== "GLACIER" && name !== "DEEP_ARCHIVE", "cannot be read back at once, as archives are")
    .optional(),
  lock: z.enum(["GOVERNANCE", "COMPLIANCE"]).optional(),
  lockDays: number(1, 36_500).optional(),
  maxParts: number(2, mostParts).optional(),
  partMiB: number(5, 5_120).optional(),
  uniformParts: flag.optional(),
});

/** Settings that an entrypoint found around it, for what the URL does not say; "" is none. */
export interface S3Defaults {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/** Throws `usage`, naming the setting that is wrong. */
export function parseS3Url(text: string, defaults: S3Defaults = {}): S3Place {
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new BelayError("usage", "the store's URL holds credentials", {
      hint: "Take them out of the URL and pass them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    });
  if (url.hostname === "")
    throw new BelayError("usage", "the store's URL names no bucket", { hint: "Use s3://bucket/prefix." });
  const query = parseQuery(url.searchParams);
  const given = query.endpoint ?? (defaults.endpoint || undefined);
  const endpoint = given === undefined ? undefined : checkEndpoint(given);
  const quirks = quirksOf(endpoint);
  return {
    bucket: url.hostname,
    prefix: prefixOf(url.pathname),
    endpoint,
    region: query.region ?? (defaults.region || quirks.region) ?? "us-east-1",
    pathStyle: query.pathStyle ?? endpoint !== undefined,
    upload: {
      checksum: query.checksum ?? usualChecksum(query.lock),
      sse: query.sse,
      kmsKeyId: query.kmsKeyId,
      storageClass: query.storageClass,
      lock: query.lock === undefined ? undefined : { mode: query.lock, days: query.lockDays! },
      mostParts: query.maxParts ?? quirks.mostParts ?? mostParts,
      smallestPart: query.partMiB === undefined ? smallestPart : query.partMiB * mebibyte,
      uniformParts: query.uniformParts ?? quirks.uniformParts ?? false,
    },
  };
}

function parseQuery(given: URLSearchParams): z.infer<typeof querySchema> {
  const twice = [...given.keys()].find((name) => given.getAll(name).length > 1);
  if (twice !== undefined) throw wrong(`${twice} is there twice`);
  const parsed = querySchema.safeParse(Object.fromEntries(given));
  if (!parsed.success)
    throw wrong(parsed.error.issues.map((issue) => [...issue.path, issue.message].join(": ")).join("; "));
  const { lock, lockDays, kmsKeyId, sse, checksum } = parsed.data;
  if ((lock === undefined) !== (lockDays === undefined)) throw wrong("lock and lockDays belong together");
  if (kmsKeyId !== undefined && !sse?.startsWith("aws:kms")) throw wrong("kmsKeyId belongs to sse=aws:kms");
  if (lock !== undefined && checksum === "signed") throw wrong("lock needs checksum=md5 or checksum=sha256");
  return parsed.data;
}

/** S3 refuses objects that are to be locked without such a header. */
function usualChecksum(lock: unknown): "signed" | "md5" {
  return lock === undefined ? "signed" : "md5";
}

function prefixOf(pathname: string): string {
  let path: string;
  try {
    path = decodeURIComponent(pathname).replace(/^\/+|\/+$/g, "");
  } catch {
    throw wrong("the path holds a % that is no escape");
  }
  if (path === "") return "";
  if (path.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw wrong("the prefix holds an empty part, . or ..");
  return `${path}/`;
}

function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new BelayError("usage", "the endpoint in the store's URL is not a plain http(s) URL", {
      hint: "Use s3://bucket/prefix?endpoint=https://host:port, without user and password.",
    });
  return url.href.replace(/\/$/, "");
}

function wrong(what: string): BelayError {
  return new BelayError("usage", `the store's URL is not valid: ${what}`, {
    hint: "The settings of an s3:// URL are in docs/stores.md.",
  });
}

/** The place without credentials, as people write it in BELAY_STORE; settings that are as usual are left out. */
export function formatS3Place(place: S3Place): string {
  const { upload } = place;
  const usual = quirksOf(place.endpoint);
  const query: (readonly [string, string | number | boolean | undefined])[] = [
    ["endpoint", place.endpoint],
    ["region", place.region],
    ["pathStyle", place.pathStyle === (place.endpoint !== undefined) ? undefined : place.pathStyle],
    ["checksum", upload.checksum === usualChecksum(upload.lock) ? undefined : upload.checksum],
    ["sse", upload.sse],
    ["kmsKeyId", upload.kmsKeyId],
    ["storageClass", upload.storageClass],
    ["lock", upload.lock?.mode],
    ["lockDays", upload.lock?.days],
    ["maxParts", upload.mostParts === (usual.mostParts ?? mostParts) ? undefined : upload.mostParts],
    ["partMiB", upload.smallestPart === smallestPart ? undefined : upload.smallestPart / mebibyte],
    ["uniformParts", upload.uniformParts === (usual.uniformParts ?? false) ? undefined : upload.uniformParts],
  ];
  const words = query
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${readable(`${value}`)}`);
  return `s3://${place.bucket}/${readable(place.prefix.replace(/\/$/, ""))}?${words.join("&")}`;
}

/** Escapes only what would end the value: an endpoint stays an endpoint to the eye. */
function readable(text: string): string {
  return text.replace(/[%&+#?\s]/g, (character) => encodeURIComponent(character));
}
