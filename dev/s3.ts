import { mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
// @ts-expect-error s3rver has no types
import S3rver from "s3rver";
import { stopAtExit } from "../servers/cleanup.ts";
import { runPlace } from "../servers/runs.ts";
import { createFaults, type Fault, type Faults } from "./s3-faults.ts";

export interface S3Options {
  /** Default `belay`. */
  readonly bucket?: string;
  /** Default: a new folder, removed at stop. */
  readonly directory?: string;
  readonly port?: number;
}

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** URL of a store under `prefix` in the bucket. */
  storeUrl(prefix?: string): string;
  /** Makes uploads fail from now on; null ends it. Over HTTP: PUT the fault, or DELETE, at `/-/fault`. */
  setFault(fault: Fault | null): void;
  stop(): Promise<void>;
}

// s3rver knows this one account.
const accessKeyId = "S3RVER";
const secretAccessKey = "S3RVER";

/** Starts an S3 server on a local folder, with one bucket; it ends with this process. */
export async function startS3(options: S3Options = {}): Promise<S3Server> {
  const bucket = options.bucket ?? "belay";
  const directory = options.directory ?? runPlace("s3");
  mkdirSync(directory, { recursive: true });
  const s3 = new S3rver({ directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: bucket }] });
  await s3.configureBuckets();
  const faults = createFaults();
  const server = createServer(withFaults(faults, s3.callback()));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    forget();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const forget = stopAtExit({ stop, kill: () => server.closeAllConnections() });
  return {
    endpoint,
    bucket,
    accessKeyId,
    secretAccessKey,
    storeUrl: (prefix = "") =>
      `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`,
    setFault: (fault) => faults.set(fault),
    stop,
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function withFaults(faults: Faults, serve: Handler): Handler {
  return (request, response) => {
    if (request.url === "/-/fault") faults.control(request, response);
    else if (!faults.intercept(request, response)) serve(request, response);
  };
}
