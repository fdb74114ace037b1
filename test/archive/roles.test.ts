import { expect, test } from "vitest";
import { rolesOf } from "../../shared/archive/write/roles.ts";
import type { Entry } from "../../shared/catalog/types.ts";

const entry = (kind: string, create: string, owner: string | null = null) => ({ kind, create, owner }) as Entry;

test.each([
  ["an owner", entry("TABLE", "CREATE TABLE x TO y;", "amy"), ["amy"]],
  [
    "several grants",
    entry("ACL", 'GRANT SELECT ON TABLE a.b TO amy;\nGRANT ALL ON TABLE a.b TO "Big Bob" WITH GRANT OPTION;\n'),
    ["Big Bob", "amy"],
  ],
  [
    "a revoke",
    entry("ACL", "REVOKE ALL ON FUNCTION f(x integer) FROM PUBLIC;\nREVOKE ALL ON FUNCTION f(x integer) FROM zed;\n"),
    ["zed"],
  ],
  [
    "a grantor",
    entry("ACL", "SET SESSION AUTHORIZATION amy;\nGRANT SELECT ON TABLE t TO bob;\nRESET SESSION AUTHORIZATION;\n"),
    ["amy", "bob"],
  ],
  [
    "default privileges",
    entry("DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE amy IN SCHEMA s GRANT SELECT ON TABLES  TO bob;\n", "amy"),
    ["amy", "bob"],
  ],
  [
    "a policy for several",
    entry(
      "POLICY",
      "CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO amy, \"b c\", PUBLIC USING ((x = 'a TO zed'::text));\n",
    ),
    ["amy", "b c"],
  ],
  [
    "names that look like keywords",
    entry("POLICY", 'CREATE POLICY "give TO admins" ON public."x TO y" USING (true);\n'),
    [],
  ],
  ["grants on such names", entry("ACL", 'GRANT SELECT("FROM") ON TABLE public."x TO y" TO amy;\n'), ["amy"]],
])("the roles named by %s", (_, one, roles) => {
  expect(rolesOf([one])).toEqual(roles);
});
