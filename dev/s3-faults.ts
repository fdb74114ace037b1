import type { IncomingMessage, ServerResponse } from "node:http";

/** What goes wrong with uploads while the fault is set. */
export interface Fault {
  /** `500` answers InternalError, `cut` closes the connection. */
  readonly kind: "500" | "cut";
  /** Only keys that contain this; default: all. */
  readonly keyContains?: string;
  /** Bytes of such uploads that still arrive well, in all; default 65,536. */
  readonly afterBytes?: number;
}

export interface Faults {
  set(fault: Fault | null): void;
  /** Answers the control request: PUT with a fault as JSON, DELETE, GET. */
  control(request: IncomingMessage, response: ServerResponse): void;
  /** True when the fault took the request over. */
  intercept(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Faults of uploads (PutObject and UploadPart), in the middle of the body. */
export function createFaults(): Faults {
  let fault: Fault | null = null;
  let arrived = 0;
  const set = (wanted: Fault | null) => {
    fault = wanted;
    arrived = 0;
  };
  return {
    set,
    control(request, response) {
      if (request.method === "DELETE") set(null);
      if (request.method !== "PUT") return void response.end(JSON.stringify(fault));
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        set(JSON.parse(body) as Fault);
        response.end(JSON.stringify(fault));
      });
    },
    intercept(request, response) {
      const now = fault;
      if (now === null || request.method !== "PUT") return false;
      const key = decodeURIComponent((request.url ?? "").split("?")[0]!);
      if (now.keyContains !== undefined && !key.includes(now.keyContains)) return false;
      const length = Number(request.headers["content-length"] ?? 0);
      const left = Math.max(0, (now.afterBytes ?? 65_536) - arrived);
      if (length <= left && length > 0) {
        arrived += length;
        return false;
      }
      failAfter(left, now, request, response);
      return true;
    },
  };
}

function failAfter(bytes: number, fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  let seen = 0;
  let failed = false;
  const fail = () => {
    if (failed) return;
    failed = true;
    if (fault.kind === "cut") return void request.destroy();
    response.writeHead(500, { "content-type": "application/xml", connection: "close" });
    response.end(
      '<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code><Message>The fault that was asked for</Message></Error>',
    );
  };
  request.on("data", (chunk: Uint8Array) => {
    seen += chunk.length;
    if (seen > bytes) fail();
  });
  request.on("end", fail);
}
