import { temperatureFor } from "../../editing/settings/settings.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import { isShared, plainName, type MethodName } from "./method-names.ts";
import { hasPart, METHODS } from "./methods.ts";
import type { DrawSettings, EvaluationOptions } from "./options.ts";

/** The methods asked for, and how much noise they are to draw. */
export type AskedMethods = Pick<EvaluationOptions, "methods"> & {
  readonly draw: Pick<DrawSettings, "temperature">;
};

/** The methods of `options` that `model` has the parts for, each edit once. */
export function possibleMethods(
  model: Pick<EvaluatedModel, "hasVideoAdapter" | "hasAlignment" | "defaults">,
  options: AskedMethods,
): MethodName[] {
  const twins = new Set(twinsWithoutNoise(model, options));
  return options.methods.filter((name) => hasPart(model, METHODS[name].needs) && !twins.has(name));
}

/** The methods that draw one noise for all frames, beside those that draw each frame's own, where none is drawn at all. */
export function twinsWithoutNoise(
  model: Pick<EvaluatedModel, "defaults">,
  { methods, draw }: AskedMethods,
): MethodName[] {
  if (temperatureFor({ temperature: draw.temperature }, model) > 0) return [];
  const asked = new Set<string>(methods);
  return methods.filter((name) => isShared(name) && asked.has(plainName(name)));
}
