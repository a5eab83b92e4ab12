/** A tensor whose shape or dtype is not the one a function documents. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** A configuration value that no model, schedule or run can be built from. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** A file whose content is not what its format or its model demands. */
export class DataError extends Error {
  override readonly name = "DataError";
}

/** Something the user asked for that cannot be done as asked: misuse, exit code 2. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Asserts what only a defect of ours can break; the message names the broken assumption. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}
