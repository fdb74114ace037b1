import type { ProofError } from "./types.ts";

/** Why a failure says nothing of the SQL: the scratch server lacks something; and what to do. */
export interface Lack {
  readonly what: string;
  readonly hint: string;
}

const platformSchemas =
  "auth|storage|extensions|realtime|graphql|graphql_public|vault|pgsodium|cron|net|supabase_functions";
const contribTypes = "citext|hstore|ltree|lquery|cube|geometry|geography|vector|halfvec|isn|earth";
const contribFunctions =
  "uuid_generate_v\\d\\w*|uuid_nil|gen_salt|crypt|digest|hmac|pgp_\\w+|similarity|word_similarity|unaccent|crosstab|dblink\\w*|st_\\w+|ll_to_earth|earth_distance";

const setup = "Put what the platform brings into an SQL file and pass it with --setup FILE.";

/** Order matters: the first that fits is told. */
const lacks: readonly { code?: RegExp; message: RegExp; what: (found: RegExpExecArray) => string; hint: string }[] = [
  {
    message: /extension "([^"]+)" is not available|could not open extension control file .*?([\w-]+)\.control/,
    what: ([, name, file]) => `the extension ${name ?? file} is not installed on the scratch server`,
    hint: "Prove on a server that has it: --scratch URL.",
  },
  {
    code: /^58P01$/,
    message: /could not (?:access|load|open).*?"?([\w$./-]+)"?:/,
    what: ([, file]) => `the library ${file} is not installed on the scratch server`,
    hint: "Prove on a server that has it: --scratch URL.",
  },
  {
    code: /^42704$/,
    message: /role "([^"]+)" does not exist/,
    what: ([, role]) => `the role ${role} is missing`,
    hint: `Put \`CREATE ROLE ...\` into an SQL file and pass it with --setup FILE.`,
  },
  {
    code: /^42704$/,
    message:
      /^(language|access method|tablespace|text search (?:configuration|dictionary)|collation|foreign-data wrapper) "([^"]+)"/,
    what: ([, kind, name]) => `the ${kind} ${name} is missing`,
    hint: `Create it in an SQL file and pass that with --setup FILE, or prove on a server that has it: --scratch URL.`,
  },
  {
    code: /^42704$/,
    message: /^publication "(supabase_realtime\w*)" does not exist/,
    what: ([, name]) => `the publication ${name} is missing`,
    hint: setup,
  },
  {
    message: new RegExp(`(?:schema|relation|function|type) "?((?:${platformSchemas})(?:\\.[\\w."]+)?)\\b`),
    what: ([, name]) => `${name} of the platform is missing`,
    hint: setup,
  },
  {
    code: /^42704$/,
    message: new RegExp(`type "((?:\\w+\\.)?(?:${contribTypes}))(?:\\[\\])?" does not exist`),
    what: ([, name]) => `the type ${name} is missing: the extension that brings it was not created by these migrations`,
    hint: "Put `CREATE EXTENSION ...` into an SQL file and pass it with --setup FILE.",
  },
  {
    code: /^42883$/,
    message: new RegExp(`function ((?:\\w+\\.)?(?:${contribFunctions}))\\(`),
    what: ([, name]) =>
      `the function ${name} is missing: the extension that brings it was not created by these migrations`,
    hint: "Put `CREATE EXTENSION ...` into an SQL file and pass it with --setup FILE.",
  },
  {
    code: /^42704$/,
    message: /operator class "(\w+_ops)" does not exist/,
    what: ([, name]) => `the operator class ${name} is missing: its extension was not created by these migrations`,
    hint: "Put `CREATE EXTENSION ...` into an SQL file and pass it with --setup FILE.",
  },
  {
    code: /^42501$/,
    message: /^(.*)$/s,
    what: ([, said]) => `the scratch role may not do this (${said})`,
    hint: "Prove as a role with more rights: --scratch URL.",
  },
];

/** Codes of errors with which a missing thing shows itself. */
const absence = new Set(["3F000", "42883", "42P01", "42704", "42501", "58P01", "0A000", "42703"]);

/**
 * What the server lacks, or has too much, when that is why forward SQL failed; null when the SQL itself is at fault.
 * `strangers`: roles that others made on this server.
 */
export function lackOf(error: ProofError, strangers: ReadonlySet<string>): Lack | null {
  const [, taken] = /^role "(.*)" already exists/.exec(error.message) ?? [];
  if (error.code === "42710" && taken !== undefined && strangers.has(taken))
    return {
      what: `the role ${taken} is on the scratch server already`,
      hint: "Drop it there, or leave --scratch (BELAY_SCRATCH_URL) out: then a server of its own is started.",
    };
  if (error.code === null || !absence.has(error.code)) return null;
  for (const { code, message, what, hint } of lacks) {
    const found = (code?.test(error.code) ?? true) ? message.exec(error.message) : null;
    if (found !== null) return { what: what(found), hint };
  }
  return null;
}

/** Whether an error may come from what an earlier migration should have made. */
export function mayFollow(error: ProofError): boolean {
  return error.code !== null && (absence.has(error.code) || error.code === "42P07" || error.code === "42710");
}
