import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../shared/config.ts";
import { isBelayError } from "../../shared/errors.ts";
import { gateNames } from "../../shared/rollback/gate-types.ts";
import { planHash } from "../../shared/rollback/plan/hash.ts";
import { parsePolicy, policyJsonSchema } from "../../shared/rollback/plan/parse-policy.ts";
import { completePolicy, defaultPolicy, policyGates } from "../../shared/rollback/plan/policy.ts";
import { parseWaivers } from "../../shared/rollback/plan/waivers.ts";

const repository = join(import.meta.dirname, "../..");
const said = (text: string) => {
  try {
    parsePolicy(text, "team.json");
  } catch (error) {
    if (isBelayError(error, "usage")) return error.message;
    throw error;
  }
  return "valid";
};

describe("a policy file", () => {
  it("that says nothing is the default; one level counts for every risk, one of each risk for that alone", () => {
    expect(parsePolicy("{}", "team.json")).toEqual(defaultPolicy);
    const policy = parsePolicy(
      `\uFEFF{"$schema": "x", "gates": {"rehearsed": "required", "approved": {"HIGH": "advised"}}, "drill": {"maxAgeDays": 7}}`,
      "team.json",
    );
    expect(policy.gates.rehearsed).toEqual({ LOW: "required", MEDIUM: "required", HIGH: "required" });
    expect(policy.gates.approved).toEqual({ LOW: "off", MEDIUM: "off", HIGH: "advised" });
    expect(policy.drill.maxAgeDays).toBe(7);
    expect(policy.backup).toEqual(defaultPolicy.backup);
  });

  it.each([
    ['{"gate": {}}', /team\.json is not valid: gate is not known \(did you mean gates\?\)/],
    ['{"gates": {"approvd": "off"}}', /gates\.approvd is not known \(did you mean approved\?\)/],
    ['{"gates": {"approved": {"high": "off"}}}', /gates\.approved\.high is not known \(did you mean HIGH\?\)/],
    ['{"gates": {"approved": "of"}}', /gates\.approved: must be required, if_known, advised or off/],
    ['{"gates": {"syntax": "off"}}', /gates\.syntax always counts: a policy cannot change it/],
    [
      '{"backup": {"external": {"by": "ops", "statment": "x"}}}',
      /backup\.external\.statment is not known \(did you mean statement\?\)/,
    ],
    ['{"backup": {"external": {"by": "ops"}}}', /backup\.external\.statement: is missing/],
    ['{"backup": {"maxAgeHours": 0}}', /backup\.maxAgeHours: /],
    ['{"backup": {"maxAgeHours": "26"}}', /backup\.maxAgeHours: /],
    ['{"waivers": {"gates": ["syntax"]}}', /waivers\.gates\.0: /],
    ['{"approvals": {"from": []}}', /approvals\.from: /],
    [
      '{"maintenanceWindows": [{"timeZone": "Mars/Olympus", "days": ["mon"], "from": "22:00", "to": "23:00"}]}',
      /maintenanceWindows\.0\.timeZone: must be a time zone such as Europe\/Berlin/,
    ],
    [
      '{"maintenanceWindows": [{"timeZone": "UTC", "days": ["mon"], "from": "25:00", "to": "23:00"}]}',
      /maintenanceWindows\.0\.from: must be a time such as 22:00/,
    ],
    [
      '{"maintenanceWindows": [{"timeZone": "UTC", "days": ["mon"], "from": "22:00", "to": "22:00"}]}',
      /for a whole day write 00:00 and 24:00/,
    ],
    ["[]", /the policy: /],
    ['{"gates": {},}', /is not JSON: .*line 1/],
    ["", /is not JSON/],
  ])("%s is refused with the place and what is near", (text, message) => {
    expect(said(text)).toMatch(message);
  });

  it("names every mistake at once", () => {
    expect(said('{"gates": {"approved": "of"}, "drils": {}, "countUpToRows": -1}').split(";")).toHaveLength(3);
  });

  it("hostile text is refused, never a fault", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof said(text) === "string"),
      { numRuns: 300 },
    );
    expect(said('{"__proto__": {"gates": {}}, "constructor": {}}')).toMatch(/constructor is not known|__proto__/);
  });

  it("its JSON Schema knows every key, and docs/policy.schema.json is that schema", () => {
    const schema = policyJsonSchema();
    expect(Object.keys((schema.properties as Record<string, { properties: object }>).gates!.properties)).toEqual([
      ...policyGates,
    ]);
    expect(JSON.parse(readFileSync(join(repository, "docs/policy.schema.json"), "utf8"))).toEqual(schema);
  });

  it("every example in docs/policy.md is valid", () => {
    const text = readFileSync(join(repository, "docs/policy.md"), "utf8");
    const examples = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(([, body]) => body!);
    expect(examples.length).toBeGreaterThan(1);
    for (const example of examples) expect(said(example), example).toBe("valid");
  });

  it("decides of no gate without which nothing could run", () => {
    const always = gateNames.filter((name) => !(policyGates as readonly string[]).includes(name));
    expect(always).toEqual([
      "status",
      "rollback_sql",
      "syntax",
      "transactional",
      "dependents",
      "supported",
      "store",
      "reason",
    ]);
  });

  it("its limits go before the settings", () => {
    const policy = completePolicy({ limits: { lockAttempts: 2, criticalSectionMs: 900 } });
    const settings = parseSettings({ policy, criticalSectionMs: 5_000, lockTimeoutMs: 7 });
    expect(settings).toMatchObject({ lockAttempts: 2, criticalSectionMs: 900, lockTimeoutMs: 7 });
  });
});

describe("waivers", () => {
  it("are those that the policy names; provenance only where it says so", () => {
    expect(parseWaivers(["end_state", "checksum", "end_state"])).toEqual(["checksum", "end_state"]);
    for (const name of ["provenance", "syntax", "status", "transactional", "supported", "dependents", "nonsense"])
      expect(() => parseWaivers([name]), name).toThrow(/cannot be waived/);
    const policy = completePolicy({ waivers: { gates: ["provenance"] } });
    expect(parseWaivers(["provenance"], policy)).toEqual(["provenance"]);
    expect(() => parseWaivers(["approved"], policy)).toThrow(/cannot be waived/);
  });
});

describe("belay policy", () => {
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [join(repository, "cli/main.ts"), "policy", ...words], {
      encoding: "utf8",
      cwd: import.meta.dirname,
      env: { PATH: process.env.PATH },
    });
  it("prints what is in effect, and the schema", () => {
    expect(run()).toMatch(/Belay's default[\s\S]*approved +off +off +required +yes/);
    expect(JSON.parse(run("--json"))).toEqual({ file: null, digest: planHash(defaultPolicy), policy: defaultPolicy });
    expect(JSON.parse(run("schema"))).toEqual(policyJsonSchema());
  });
});
