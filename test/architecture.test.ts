import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { describe, expect, it } from "vitest";

const repository = join(import.meta.dirname, "..");
const layers = ["shared", "drills", "recovery", "functions", "cli", "servers", "supabase", "dev"] as const;
type Layer = (typeof layers)[number];

/** What each layer may import besides itself. */
const allowed: Readonly<Record<Layer, readonly Layer[]>> = {
  shared: [],
  drills: ["shared"],
  recovery: ["drills", "shared"],
  functions: ["drills", "shared"],
  supabase: ["functions"],
  servers: [],
  cli: ["recovery", "drills", "servers", "shared"],
  dev: ["cli", "servers", "recovery", "drills", "functions", "shared"],
};

/** Plain computing: everything that it works on comes in as an argument. */
const pure: Readonly<Record<string, RegExp>> = {
  "shared/rollback/plan/plan.ts": /^shared\/(rollback|errors|words|sql|migrations)/,
  "shared/rollback/plan/hash.ts": /^shared\/(rollback|errors)/,
  "shared/rollback/plan/gates.ts": /^shared\/(rollback|errors|words|sql|migrations|catalog)/,
  "shared/rollback/plan/gates": /^shared\/(rollback|words|catalog\/identifiers)/,
  "shared/rollback/plan/windows.ts": /^$/,
  "shared/rollback/plan/people.ts": /^$/,
  "shared/archive/format": /^shared\/(archive\/format|catalog\/types|errors)/,
  "shared/archive/retention/plan.ts": /^shared\/archive\/retention\/(buckets|refusals)/,
  "shared/archive/retention/refusals.ts": /^$/,
  "shared/archive/retention/expiry.ts": /^shared\/(archive\/retention\/plan|errors)/,
  "shared/errors.ts": /^$/,
};
const runtimePackages =
  /^(postgres|pg|pg-copy-streams|hono|@aws-sdk\/.*|@supabase\/.*|node:(fs|fs\/promises|net|http|child_process))$/;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Repository paths of relative imports, names of packages; type-only imports apart. */
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

const sources = layers.flatMap((layer) => filesOf(join(repository, layer)).map(read));

describe("the architecture", () => {
  it("is read from the sources", () => {
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(500);
  });

  it("imports go one way", () => {
    const wrong = sources.flatMap((source) => {
      const own = layerOf(source.path)!;
      return source.imports
        .map(({ from }) => ({ from, layer: layerOf(from) }))
        .filter(({ from, layer }) => {
          if (from.startsWith("test/") || from.startsWith("examples/")) return true;
          return layer !== undefined && layer !== own && !allowed[own].includes(layer);
        })
        .map(({ from }) => `${source.path} imports ${from}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.keys(pure))("%s computes only: no database, no store, no network", (place) => {
    const found = sources.filter(({ path }) => path === place || path.startsWith(`${place}/`));
    expect(found.length).toBeGreaterThan(0);
    const wrong = found.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ from, typeOnly }) =>
            !typeOnly && (from.startsWith("shared/") ? !pure[place]!.test(from) : runtimePackages.test(from)),
        )
        .map(({ from }) => `${path} imports ${from}`),
    );
    expect(wrong).toEqual([]);
  });

  it("only entrypoints read the environment", () => {
    const entrypoints = /^(cli\/main\.ts|supabase\/functions\/[a-z]+\/index\.ts|dev\/.*)$/;
    const wrong = sources
      .filter(({ path, text }) => !entrypoints.test(path) && /process\.env|Deno\.env/.test(text))
      .map(({ path }) => path);
    expect(wrong.filter((path) => path !== "cli/terminal.ts")).toEqual([]);
  });

  it("what runs as an edge function starts no process and writes no files but in the folder store", () => {
    const wrong = sources
      .filter(({ path }) => /^(shared|drills|recovery|functions)\//.test(path))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ from }) => from === "node:child_process" || (from.startsWith("node:fs") && !mayReadFiles(path)))
          .map(({ from }) => `${path} imports ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  it("files stay small", () => {
    expect(sources.filter(({ lines }) => lines > 320).map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });
});

function mayReadFiles(path: string): boolean {
  const readers = ["shared/install.ts", "shared/postgres/root-certificate.ts"];
  return readers.includes(path) || /^shared\/(migrations\/|store\/folder)/.test(path);
}

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => path.startsWith(`${layer}/`));
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

function read(file: string): Source {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"|import\("([^"]+)"\)/gm,
  );
  return {
    path: relative(repository, file).split(sep).join("/"),
    text,
    lines: text.split("\n").length,
    imports: [...found].map(([, typeOnly, from, dynamic]) => ({
      from: place(file, (from ?? dynamic)!),
      typeOnly: typeOnly !== undefined,
    })),
  };
}

function place(file: string, from: string): string {
  return from.startsWith(".")
    ? relative(repository, join(dirname(file), from))
        .split(sep)
        .join("/")
    : from;
}
