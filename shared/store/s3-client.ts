import { S3Client } from "@aws-sdk/client-s3";
import type { S3Place } from "./s3-place.ts";
import { retryStrategy } from "./s3-retry.ts";

/** Keys of an S3 store, from the entrypoint's environment; never from the store's URL. */
export interface StoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Region and endpoint for a URL that names none. */
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Milliseconds until a connection counts as refused, and until a silent one counts as lost: tables may be locked meanwhile. */
export interface S3Patience {
  readonly connectMs: number;
  readonly silenceMs: number;
  /** Pauses between attempts, as a share of the usual ones; default 1. */
  readonly pauses?: number;
}

const usualPatience: S3Patience = { connectMs: 10_000, silenceMs: 20_000 };

export function createS3Client(place: S3Place, credentials: StoreCredentials, patience = usualPatience): S3Client {
  return new S3Client({
    region: place.region,
    endpoint: place.endpoint,
    forcePathStyle: place.pathStyle,
    credentials,
    retryStrategy: retryStrategy(patience.pauses),
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
