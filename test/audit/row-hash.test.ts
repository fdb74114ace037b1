import { describe, expect, it } from "vitest";
import { jsonbText } from "../../shared/audit/jsonb-text.ts";

describe("what jsonb does not hold", () => {
  it.each(['"\\u0000"', '"\\ud800"', "1e999999", "1e-20000", '{"a":1', ""])("%s has no text", (value) => {
    expect(() => jsonbText(value)).toThrow(SyntaxError);
  });
});
