import type { DeviceChoice } from "../engine/device.ts";
import { oneOf } from "./arguments.ts";

/** The device that `--device` names; reads nothing of the engine. */
export function deviceFrom(name: string | undefined): DeviceChoice {
  return oneOf("--device", name ?? "auto", ["auto", "cpu", "cuda", "mps"]);
}
