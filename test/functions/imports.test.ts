import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const packages = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies as Record<string, string>;

/** All that an entry file imports, directly or not: files of the project and bare specifiers. */
function reach(entry: string): { files: Set<string>; bare: Set<string> } {
  const files = new Set<string>();
  const bare = new Set<string>();
  const queue = [join(root, entry)];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:\bfrom\s+|import\()"([^"]+)"/g)) {
      if (specifier!.startsWith(".")) queue.push(join(dirname(file), specifier!));
      else if (!specifier!.startsWith("node:")) bare.add(specifier!);
    }
  }
  return { files, bare };
}

describe.each(["rollbacks", "drills", "webhooks"])("the function %s", (name) => {
  const entry = `supabase/functions/${name}/index.ts`;
  const { files, bare } = reach(entry);
  const config = JSON.parse(readFileSync(join(root, `supabase/functions/${name}/deno.json`), "utf8"));
  const imports = config.imports as Record<string, string>;

  it("names every package that it imports in its own deno.json, or the upload would leave it out silently", () => {
    const covered = (specifier: string) =>
      specifier in imports || Object.keys(imports).some((key) => key.endsWith("/") && specifier.startsWith(key));
    expect([...bare].filter((specifier) => !covered(specifier))).toEqual([]);
  });

  it("names the very versions of package.json, and no package that it does not need", () => {
    for (const [key, target] of Object.entries(imports)) {
      const [, pack, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(target)!;
      expect(`${pack}@${version}`).toBe(`${pack}@${packages[pack!]}`);
      expect([...bare].some((specifier) => specifier === key || specifier.startsWith(key))).toBe(true);
    }
  });

  it("starts no process and imports nothing of the command line, of tests or of development", () => {
    const sources = [...files].map((file) => file.slice(root.length + 1));
    expect(sources.filter((file) => /^(cli|dev|test|examples|bench)\//.test(file))).toEqual([]);
    for (const file of files) expect(readFileSync(file, "utf8")).not.toMatch(/node:child_process|node:worker_threads/);
  });
});
