#!/usr/bin/env node
// Runs the TypeScript command line: with the Node that runs this when it is new enough, else with the one from npm.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
const local = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
const stripsTypes = major > 22 || (major === 22 && minor >= 18);
const program = !stripsTypes && existsSync(local) ? local : process.execPath;
const main = fileURLToPath(new URL("main.ts", import.meta.url));
// Node keeps there what it made of the sources: the next start takes a third of the time.
const cache = process.env.NODE_COMPILE_CACHE ?? fileURLToPath(new URL("../node_modules/.cache/belay", import.meta.url));

// Without them Node would rather take a hundred megabytes more than tidy up, and six hundred to optimise the SQL parser.
const flags = ["--max-semi-space-size=8", "--heap-growing-percent=50", "--liftoff-only"];

// A Ctrl-C reaches the child too, which ends in order; this process waits for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
const { status, signal, error } = spawnSync(program, [...flags, main, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, NODE_COMPILE_CACHE: cache },
});
if (error) console.error(`belay could not start ${program}: ${error.message}`);
process.exitCode = signal ? 130 : (status ?? 1);
