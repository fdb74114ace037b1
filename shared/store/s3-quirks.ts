/** What a compatible store is known to want otherwise than Amazon's. */
export interface Quirks {
  readonly region?: string;
  readonly mostParts?: number;
  readonly uniformParts?: boolean;
  /** A create-only PutObject (If-None-Match) is known to refuse a taken key. */
  readonly refusesTaken?: boolean;
}

const known: readonly (readonly [host: RegExp, quirks: Quirks])[] = [
  // All parts but the last have one size, and the one region is auto (Cloudflare's pages on R2).
  [/\.r2\.cloudflarestorage\.com$/, { region: "auto", uniformParts: true }],
  [/\.amazonaws\.com$/, { refusesTaken: true }],
  // At most 1,000 parts (ddebeau/zfs_uploader, issue 61).
  [/\.scw\.cloud$/, { mostParts: 1_000 }],
];

const amazon: Quirks = { refusesTaken: true };

/** By the endpoint's host; nothing for a store that is not known. */
export function quirksOf(endpoint: string | undefined): Quirks {
  if (endpoint === undefined) return amazon;
  const { hostname } = new URL(endpoint);
  return known.find(([host]) => host.test(hostname))?.[1] ?? {};
}
