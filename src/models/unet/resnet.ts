import type { Rng } from "../../engine/random.ts";
import { inTurn, scoped } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { Conv2d } from "../../nn/conv.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GroupNorm } from "../../nn/norm.ts";
import type { Pass } from "./pass.ts";

/** What all ResNets of one network share. */
export type ResnetShape = {
  readonly timeChannels: number;
  readonly groups: number;
  readonly eps: number;
};

/** Two convolutions, told the time between them, added to their input. The sum stays in float32. */
export class Resnet extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly timeEmbProj: Linear;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly convShortcut: Conv2d | null;

  constructor(
    rng: Rng,
    inputs: number,
    outputs: number,
    { timeChannels, groups, eps }: ResnetShape,
  ) {
    super();
    this.norm1 = new GroupNorm(inputs, { groups, eps });
    this.conv1 = new Conv2d(rng.split("conv1"), inputs, outputs);
    this.timeEmbProj = new Linear(rng.split("timeEmbProj"), timeChannels, outputs);
    this.norm2 = new GroupNorm(outputs, { groups, eps });
    this.conv2 = new Conv2d(rng.split("conv2"), outputs, outputs);
    const isSame = inputs === outputs;
    this.convShortcut = isSame
      ? null
      : new Conv2d(rng.split("convShortcut"), inputs, outputs, { kernel: 1 });
  }

  forward(x: Float<"b in h w">, pass: Pass): Float<"b out h w"> {
    return scoped(() => {
      const sum = scoped(() => this.#add(x, pass));
      return pass.temporal?.behind(this, sum) ?? sum;
    });
  }

  #add(x: Float<"b in h w">, pass: Pass): Float<"b out h w"> {
    const time = pass.apply(this.timeEmbProj, pass.time).unsqueeze(2).unsqueeze(3);
    const update = inTurn(x, [
      (h) => this.#convolve(this.conv1, this.norm1.forward(h), pass),
      (h) => this.#convolve(this.conv2, this.norm2.forward(h.add(time)), pass),
    ]);
    const shortcut = this.convShortcut ? pass.apply(this.convShortcut, x) : x;
    return shortcut.to("float32").add(update);
  }

  #convolve(
    layer: Conv2d,
    normed: Float<"b _ h w">,
    { apply, temporal }: Pass,
  ): Float<"b out h w"> {
    const h = scoped(() => apply(layer, normed.silu()));
    return temporal?.behind(layer, h) ?? h;
  }
}
