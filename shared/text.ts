import { z } from "zod";

/** Text from outside that Postgres can hold: not empty, at most `max` characters, and without the NUL character. */
export function plainText(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !text.includes("\u0000"), "must not hold a NUL character");
}
