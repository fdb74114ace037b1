import { S3Client } from "@aws-sdk/client-s3";
import { BelayError } from "../errors.ts";

/** Keys of an S3 store. They come from the entrypoint's environment, never from the store's URL. */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where an S3 store is, parsed from `s3://bucket/prefix?endpoint=...&region=...`. */
export interface S3Place {
  readonly bucket: string;
  /** "" or a prefix that ends with a slash. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string;
  /** `http://host/bucket/key` rather than `http://bucket.host/key`; default true when an endpoint is given. */
  readonly pathStyle: boolean;
}

export function parseS3Url(text: string): S3Place {
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new BelayError("usage", "the store's URL holds credentials", {
      hint: "Take them out of the URL and pass them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    });
  const bucket = url.hostname;
  if (bucket === "")
    throw new BelayError("usage", "the store's URL names no bucket", { hint: "Use s3://bucket/prefix." });
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  const endpoint = url.searchParams.get("endpoint") ?? undefined;
  return {
    bucket,
    prefix: path === "" ? "" : `${path}/`,
    endpoint: endpoint === undefined ? undefined : checkEndpoint(endpoint),
    region: url.searchParams.get("region") ?? "us-east-1",
    pathStyle: (url.searchParams.get("pathStyle") ?? String(endpoint !== undefined)) === "true",
  };
}

function checkEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new BelayError("usage", "the endpoint in the store's URL is not a plain http(s) URL", {
      hint: "Use s3://bucket/prefix?endpoint=https://host:port, without user and password.",
    });
  return url.href.replace(/\/$/, "");
}

/** The place without credentials, as people write it in BELAY_STORE. */
export function formatS3Place(place: S3Place): string {
  const query = new URLSearchParams();
  if (place.endpoint !== undefined) query.set("endpoint", place.endpoint);
  query.set("region", place.region);
  return `s3://${place.bucket}/${place.prefix.replace(/\/$/, "")}?${decodeURIComponent(query.toString())}`;
}

/** Attempts per request; what fails in passing is tried again with a growing pause by the client. */
const attempts = 4;

/** Milliseconds until a connection counts as refused, and until a silent one counts as lost: tables may be locked meanwhile. */
export interface S3Patience {
  readonly connectMs: number;
  readonly silenceMs: number;
}

const usualPatience: S3Patience = { connectMs: 10_000, silenceMs: 20_000 };

export function createS3Client(place: S3Place, credentials: StoreCredentials, patience = usualPatience): S3Client {
  return new S3Client({
    region: place.region,
    endpoint: place.endpoint,
    forcePathStyle: place.pathStyle,
    credentials,
    maxAttempts: attempts,
    retryMode: "standard",
    // Newer clients add checksums in trailers that some compatible stores refuse.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: patience.connectMs, socketTimeout: patience.silenceMs },
    // The default asks the operating system for its release: edge functions may not. The rest would read files and environment.
    defaultUserAgentProvider: async () => [["belay", "0.1.0"]],
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
    defaultsMode: "standard",
    userAgentAppId: undefined,
  });
}
