import { pathToFileURL } from "node:url";
import { verifyAny } from "../../shared/archive/verify/any.ts";

/** Verifies the archive at a path and prints what was found, the time, and the peak memory of this process. */
const began = performance.now();
const { problems } = await verifyAny(pathToFileURL(process.argv[2]!).href);
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ problems, seconds, megabytes: process.resourceUsage().maxRSS / 1000 }));
