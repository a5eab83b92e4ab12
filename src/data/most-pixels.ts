import { UserError } from "../engine/errors.ts";

/** More pixels than any camera has; a head that says so is wrong, or made to fill the memory. */
const MOST_PIXELS = 2 ** 27;

/** Throws a UserError of one sentence where a file says that its pictures are larger than any that is read. */
export function requireReadableSize(
  name: string,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  if (width * height <= MOST_PIXELS) return;
  throw new UserError(
    `${name} says its pictures have ${width} × ${height} pixels: more than ${MOST_PIXELS} are not read.`,
  );
}
