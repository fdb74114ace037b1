import { expect, it } from "vitest";
import { slimmed } from "../../shared/migrations/inverse/slim.ts";

it("takes no part off a table that is dropped whole further on, and leaves all else", () => {
  const kept = [
    "ALTER TABLE public.stays DROP CONSTRAINT a",
    'ALTER TABLE public."a b2" DROP CONSTRAINT a',
    'DROP TABLE public."a b"',
    'ALTER TABLE public."a b" DROP CONSTRAINT after',
    "DROP TABLE public.t",
    "DROP TYPE public.t",
  ];
  const dropped = [
    'ALTER TABLE ONLY public."a b" DROP CONSTRAINT x',
    "DROP TRIGGER x ON public.t",
    'DROP POLICY "on" ON public.t',
    "COMMENT ON COLUMN public.t.a IS NULL",
    "COMMENT ON TABLE public.t IS NULL",
    "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT",
  ];
  expect(slimmed([...dropped, ...kept])).toEqual(kept);
});
