import { DEVICE_CHOICES, type DeviceChoice } from "../engine/device-choices.ts";
import { oneOf } from "./arguments.ts";

/** The option `--device`. */
export const deviceArg = {
  type: "string",
  valueHint: "name",
  description: "auto, cpu or cuda (default: auto)",
} as const;

/** The device that `--device` names; reads nothing of the engine. */
export function deviceFrom(name: string | undefined): DeviceChoice {
  return oneOf("--device", name ?? "auto", DEVICE_CHOICES);
}
