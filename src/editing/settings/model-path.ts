import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../engine/errors.ts";

/** The model that comes with the project. */
const shippedModel = "models/tiny";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A model's folder where it is here, or else in the project; `path` itself where it is in neither. Only to read from. */
export function nearestModel(path: string): string {
  return [path, join(root, path)].find((folder) => existsSync(folder)) ?? path;
}

/**
 * The folder of a model: `path` itself, or that path in the project where there is none here.
 *
 * Throws a UserError where neither is; reads nothing.
 */
export function modelPath(path: string = shippedModel): string {
  const found = nearestModel(path);
  if (existsSync(found)) return found;
  throw new UserError(
    `the model folder ${path} does not exist: give one that "eve train" has made`,
  );
}
