import { vi } from "vitest";
import { setDefaultDevice } from "../../src/engine/device.ts";
import { door } from "../../src/engine/native.ts";

/** A GPU for tests: its tensors lie on the CPU, and are told from those of the CPU all the same. */
export const VIRTUAL_DEVICE = "cuda:0";

/** Handles of tensors are larger than any other number that an operator is given: `native/handles.cc`. */
const LEAST_HANDLE = 16_777_216;

/**
 * Makes `VIRTUAL_DEVICE` the default device until `vi.restoreAllMocks` and `setDefaultDevice("cpu")`.
 *
 * As on a GPU, an operator refuses tensors of both devices, lone numbers excepted, and a tensor gets to the other one
 * by an operator that names it. What autograd calls by itself is not watched.
 */
export function useVirtualDevice(): void {
  const opened = door();
  const real = { ...opened };
  const names = new Map<number, string>();
  const there = new Set<number>();
  const place = (result: unknown, isThere: boolean): void => {
    for (const handle of handlesIn([result])) {
      if (isThere) there.add(handle);
      else there.delete(handle);
    }
  };
  const isLoneNumber = (handle: number): boolean => real.describeTensor(handle).length === 3;
  vi.spyOn(opened, "find").mockImplementation((name, overload) => {
    const found = real.find(name, overload);
    if (found !== null) names.set(found, name);
    return found;
  });
  vi.spyOn(opened, "call").mockImplementation((operator, ...args) => {
    const handles = handlesIn(args);
    const places = new Set(handles.filter((h) => !isLoneNumber(h)).map((h) => there.has(h)));
    const named = args.find((argument) => argument === VIRTUAL_DEVICE || argument === "cpu");
    const copies = names.get(operator) === "aten::copy_";
    if (places.size > 1 && named === undefined && !copies) {
      throw new Error(`${names.get(operator) ?? operator} was given tensors of both devices`);
    }
    const onCpu = args.map((argument) => (argument === VIRTUAL_DEVICE ? "cpu" : argument));
    const result = real.call(operator, ...onCpu);
    const isThere = handles.some((handle) => there.has(handle));
    place(result, named === undefined ? isThere : named === VIRTUAL_DEVICE);
    return result;
  });
  vi.spyOn(opened, "fromBytes").mockImplementation((...args) => {
    const handle = real.fromBytes(...args);
    there.delete(handle);
    return handle;
  });
  vi.spyOn(opened, "describeTensor").mockImplementation((handle) => {
    const [dtype, device, ...rest] = real.describeTensor(handle);
    return [dtype, there.has(handle) ? VIRTUAL_DEVICE : device, ...rest];
  });
  vi.spyOn(opened, "gradient").mockImplementation((handle) => {
    const gradient = real.gradient(handle);
    if (gradient !== null) place(gradient, there.has(handle));
    return gradient;
  });
  vi.spyOn(opened, "gradientsOf").mockImplementation((roots, inputs, ...rest) => {
    const found = real.gradientsOf(roots, inputs, ...rest);
    found.forEach((gradient, i) => place(gradient, there.has(inputs[i]!)));
    return found;
  });
  vi.spyOn(opened, "customNode").mockImplementation((output, ...rest) => {
    const isThere = there.has(output);
    const handle = real.customNode(output, ...rest);
    place(handle, isThere);
    return handle;
  });
  setDefaultDevice(VIRTUAL_DEVICE);
}

function handlesIn(values: readonly unknown[]): number[] {
  return values.flat().filter((value): value is number => {
    if (typeof value !== "number" || value < LEAST_HANDLE || !Number.isInteger(value)) return false;
    try {
      door().describeTensor(value);
      return true;
    } catch {
      return false;
    }
  });
}
