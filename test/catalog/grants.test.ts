import { describe, expect, it } from "vitest";
import { grantCommands } from "../../shared/catalog/kinds/acl-text.ts";

const table = { type: "TABLE", object: "shop.orders", column: null, owner: "amy" };
const ownersAll = "amy=arwdDxt/amy";

describe("grantCommands", () => {
  it("says nothing when privileges are those that the object begins with", () => {
    expect(grantCommands(table, [ownersAll], [ownersAll], 150018)).toBe("");
  });

  it("revokes first, then grants in the order in which it was granted", () => {
    const text = grantCommands(table, ["bob=r/amy", "=a/amy"], [ownersAll], 150018);
    expect(text).toBe(
      "REVOKE ALL ON TABLE shop.orders FROM amy;\n" +
        "GRANT SELECT ON TABLE shop.orders TO bob;\n" +
        "GRANT INSERT ON TABLE shop.orders TO PUBLIC;\n",
    );
  });

  it("keeps grant options apart, and says ALL where nothing lacks", () => {
    const text = grantCommands(table, [ownersAll, "bob=r*w/amy", "eve=arwdDxt/amy"], [ownersAll], 150018);
    expect(text).toBe(
      "GRANT UPDATE ON TABLE shop.orders TO bob;\n" +
        "GRANT SELECT ON TABLE shop.orders TO bob WITH GRANT OPTION;\n" +
        "GRANT ALL ON TABLE shop.orders TO eve;\n",
    );
  });

  it("counts MAINTAIN among all from 17 on", () => {
    const some = ["bob=arwdDxt/amy"];
    expect(grantCommands(table, some, [], 150018)).toMatch(/^GRANT ALL ON/);
    expect(grantCommands(table, some, [], 170000)).toMatch(
      /^GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON/,
    );
    expect(grantCommands(table, ["bob=arwdDxtm/amy"], [], 170000)).toMatch(/^GRANT ALL ON/);
  });

  it("becomes the grantor where that was not the owner, and quotes odd roles", () => {
    const text = grantCommands(table, [`"o""dd=/x"=r/bob`], [], 150018);
    expect(text).toBe(
      'SET SESSION AUTHORIZATION bob;\nGRANT SELECT ON TABLE shop.orders TO "o""dd=/x";\nRESET SESSION AUTHORIZATION;\n',
    );
  });

  it("names the column with each privilege", () => {
    const text = grantCommands({ ...table, column: '"Na me"' }, ["bob=rw/amy"], [], 150018);
    expect(text).toBe('GRANT SELECT("Na me"),UPDATE("Na me") ON TABLE shop.orders TO bob;\n');
  });

  it("refuses a type of object that it does not know, rather than saying nothing", () => {
    expect(() => grantCommands({ ...table, type: "TABLESPACE" }, ["bob=C/amy"], [], 150018)).toThrow(/TABLESPACE/);
  });
});
