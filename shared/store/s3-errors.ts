import { BelayError, type ErrorCode, isBelayError } from "../errors.ts";

interface ServiceError {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
}

const unreachable = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ECONNRESET",
  "EPIPE",
  "TimeoutError",
]);
const denied = new Set([
  "AccessDenied",
  "Forbidden",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "InvalidToken",
  "AccountProblem",
]);

/** What to do about refusals that say more than that they are one. */
const hints: Readonly<Record<string, string>> = {
  EntityTooLarge:
    "The bucket or the project limits the size of a file: raise that limit above the largest table's archive.",
  RequestTimeTooSkewed: "The clock of this machine is wrong: set it.",
  ExpiredToken: "The session's credentials have run out: take new ones (AWS_SESSION_TOKEN belongs to them).",
  SlowDown: "The store wants fewer requests, and did after every pause: run the same command in a quieter hour.",
  InvalidStorageClass: "Take storageClass out of the store's URL, or write one that this store has.",
};

export function statusOf(error: unknown): number | undefined {
  return (error as ServiceError | null)?.$metadata?.httpStatusCode;
}

export function attemptsOf(error: unknown): number {
  return (error as ServiceError | null)?.$metadata?.attempts ?? 1;
}

/** The store has no such header or request: asking again is in vain. */
export function isUnknownHeader(error: unknown): boolean {
  return statusOf(error) === 501 || nameOf(error as ServiceError) === "NotImplemented";
}

/** Another write of the same key was seen meanwhile; the same request may be sent again. */
export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409 && nameOf(error as ServiceError) === "ConditionalRequestConflict";
}

function nameOf(raw: ServiceError): string {
  return raw.Code ?? (raw.name === "Error" || raw.name === undefined ? (raw.code ?? "") : raw.name);
}

/** Turns what the S3 client threw into an error that names the place, the act and the next step. */
export function s3Error(error: unknown, context: { place: string; bucket: string; doing: string }): BelayError {
  if (isBelayError(error)) return error;
  const raw = error as ServiceError;
  const name = nameOf(raw);
  const network = raw.code ?? name;
  const status = statusOf(error);
  const make = (code: ErrorCode, text: string, hint: string) =>
    new BelayError(code, text, { hint, cause: error, details: { status, error: name } });

  if (name === "NoSuchBucket")
    return make(
      "store_missing_bucket",
      `the bucket ${context.bucket} does not exist (${context.doing} in ${context.place})`,
      "Create the bucket, or mend its name in BELAY_STORE or --store.",
    );
  const known = hints[name] ?? (status === 413 ? hints.EntityTooLarge : undefined);
  if (known !== undefined)
    return make(
      denied.has(name) || status === 401 || status === 403 ? "store_denied" : "store_failed",
      `${context.place} refused ${context.doing} (${name || status})`,
      known,
    );
  if (denied.has(name) || status === 401 || status === 403)
    return make(
      "store_denied",
      `${context.place} refused ${context.doing} (${name || status})`,
      "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they may read, write, list and delete there.",
    );
  if (name === "NoSuchKey" || name === "NotFound" || status === 404)
    return make(
      "store_missing_object",
      `the object is not there (${context.doing} in ${context.place})`,
      "List what is there with `belay archives`.",
    );
  if (status === undefined && (unreachable.has(network) || unreachable.has(name)))
    return make(
      "store_unreachable",
      `${context.place} does not answer (${network}) while ${context.doing}`,
      "Check the endpoint in BELAY_STORE or --store, and that the store runs.",
    );
  if (status === 301 || name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed")
    return make(
      "store_failed",
      `${context.place} sent ${context.doing} elsewhere (${name})`,
      "Check the region in BELAY_STORE: s3://bucket/prefix?region=...",
    );
  if (status === 501 || name === "NotImplemented")
    return make(
      "store_failed",
      `${context.place} does not know what ${context.doing} asked for${raw.message ? `: ${raw.message}` : ""}`,
      "Take out of the store's URL what this store cannot do (sse, lock, storageClass, checksum); see docs/stores.md.",
    );
  if (/part/i.test(`${name} ${raw.message}`) && status === 400)
    return make(
      "store_failed",
      `${context.place} refused ${context.doing}: ${name}${raw.message ? `, ${raw.message}` : ""}`,
      "A store that allows fewer or other parts than S3 needs maxParts=1000, partMiB or uniformParts=true in its URL; see docs/stores.md.",
    );
  const said = raw.message && raw.message !== "UnknownError" ? `, ${raw.message}` : "";
  const answer = status === undefined ? name : `${status}${name === "" ? "" : ` ${name}`}`;
  return make(
    "store_failed",
    `${context.place} failed ${context.doing}: ${answer}${said}`,
    status === 400
      ? "Nothing was published. The store may not have what its URL asks for (sse, storageClass, lock, checksum); see docs/stores.md."
      : "Nothing was published. Look at the store's health and run the same command again.",
  );
}
