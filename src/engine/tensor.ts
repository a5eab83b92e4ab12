import { door, type Door } from "./native.ts";
import { typedArray, type Data } from "./data.ts";
import { defaultDevice } from "./device.ts";
import { dtypeCode, dtypeName, type DType } from "./dtype.ts";
import { ShapeError } from "./errors.ts";
import { operatorNumber } from "./operators.ts";
import { own, type TensorScope } from "./scope.ts";

/** A tensor whose axes are named by `Shape`, e.g. `Float<"b c h w">`. The alias erases to `Tensor`. */
export type Float<_Shape extends string = "..."> = Tensor;
/** An int64 tensor with named axes. */
export type Int<_Shape extends string = "..."> = Tensor;
/** A boolean tensor with named axes. */
export type Bool<_Shape extends string = "..."> = Tensor;
/** Pixels in [-1, 1], RGB, with named axes. */
export type Pixels<_Shape extends string = "..."> = Tensor;

/** What an operator takes: tensors, lists of them, and the scalars of its schema. */
export type Argument =
  | Tensor
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly (Tensor | number | boolean | null)[];

function lower(argument: Argument): unknown {
  if (argument instanceof Tensor) return argument.handle;
  if (!Array.isArray(argument)) return argument;
  return argument.map((element: unknown) => (element instanceof Tensor ? element.handle : element));
}

/**
 * Calls any ATen operator by schema name: `dispatch("aten::add.Tensor", a, b)`.
 *
 * Missing trailing arguments take the schema's defaults. Results come as libtorch gives them, tensors
 * as native handles: `tensorFrom` and `tensorsFrom` wrap them.
 */
export function dispatchRaw(name: string, ...args: readonly Argument[]): unknown {
  return door().call(operatorNumber(name), ...args.map(lower));
}

/** Calls an operator that returns one tensor. */
export function dispatch(name: string, ...args: readonly Argument[]): Tensor {
  return new Tensor(dispatchRaw(name, ...args) as number);
}

/** Calls an operator that returns several tensors. */
export function dispatchMany(name: string, ...args: readonly Argument[]): Tensor[] {
  return (dispatchRaw(name, ...args) as number[]).map((handle) => new Tensor(handle));
}

/** A libtorch tensor: n-dimensional, typed, possibly part of an autograd graph. */
export class Tensor {
  /** The number by which the door knows this tensor. */
  readonly handle: number;
  owner: TensorScope | undefined;
  #description: ReturnType<Door["describeTensor"]> | undefined;

  constructor(handle: number) {
    this.handle = handle;
    own(this);
  }

  /** A tensor holding a copy of `data`; numbers become float32 unless `dtype` says otherwise. */
  static from(
    data: Data,
    shape: readonly number[],
    dtype?: DType,
    device = defaultDevice(),
  ): Tensor {
    const count = shape.reduce((product, size) => product * size, 1);
    if (data.length !== count) {
      throw new ShapeError(
        `expected ${count} values for shape [${shape.join(" ")}], got ${data.length}`,
      );
    }
    const { array, dtype: stored } = typedArray(data, dtype);
    const made = new Tensor(
      door().fromBytes(array.buffer, array.byteOffset, dtypeCode(stored), shape),
    );
    const tensor = device === "cpu" ? made : made.toDevice(device);
    return dtype && dtype !== stored ? tensor.to(dtype) : tensor;
  }

  static scalar(value: number): Tensor {
    return Tensor.from([value], []);
  }
  /** Memory whose values are whatever lay there. */
  static empty(
    shape: readonly number[],
    dtype: DType = "float32",
    device = defaultDevice(),
  ): Tensor {
    return dispatch("aten::empty.memory_format", shape, dtypeCode(dtype), null, device);
  }
  static zeros(
    shape: readonly number[],
    dtype: DType = "float32",
    device = defaultDevice(),
  ): Tensor {
    return dispatch("aten::zeros", shape, dtypeCode(dtype), null, device);
  }
  static ones(
    shape: readonly number[],
    dtype: DType = "float32",
    device = defaultDevice(),
  ): Tensor {
    return dispatch("aten::ones", shape, dtypeCode(dtype), null, device);
  }
  static full(
    shape: readonly number[],
    value: number,
    dtype: DType = "float32",
    device = defaultDevice(),
  ): Tensor {
    return dispatch("aten::full", shape, value, dtypeCode(dtype), null, device);
  }
  /** The integers from 0 to `end` − 1. */
  static arange(end: number, dtype: DType = "int64", device = defaultDevice()): Tensor {
    return dispatch("aten::arange", end, dtypeCode(dtype), null, device);
  }
  /** Joins along an existing axis. */
  static cat(tensors: readonly Tensor[], dim: number): Tensor {
    return dispatch("aten::cat", tensors, dim);
  }
  /** Joins along a new axis. */
  static stack(tensors: readonly Tensor[], dim: number): Tensor {
    return dispatch("aten::stack", tensors, dim);
  }
  /** `condition ? a : b`, element by element. */
  static where(condition: Bool, a: Tensor, b: Tensor): Tensor {
    return dispatch("aten::where.self", condition, a, b);
  }

  get #facts(): ReturnType<Door["describeTensor"]> {
    return (this.#description ??= door().describeTensor(this.handle));
  }
  get shape(): readonly number[] {
    return this.#facts.slice(3) as number[];
  }
  get dtype(): DType {
    return dtypeName(this.#facts[0]);
  }
  /** `cpu` or `cuda:0`. */
  get device(): string {
    return this.#facts[1];
  }
  get requiresGrad(): boolean {
    return door().describeTensor(this.handle)[2];
  }
  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  #binary(name: string, other: Tensor | number): Tensor {
    return dispatch(`aten::${name}.${other instanceof Tensor ? "Tensor" : "Scalar"}`, this, other);
  }
  add(other: Tensor | number): Tensor {
    return this.#binary("add", other);
  }
  sub(other: Tensor | number): Tensor {
    return this.#binary("sub", other);
  }
  mul(other: Tensor | number): Tensor {
    return this.#binary("mul", other);
  }
  div(other: Tensor | number): Tensor {
    return this.#binary("div", other);
  }
  /** `this + factor · other`. */
  addScaled(other: Tensor, factor: number): Tensor {
    return dispatch("aten::add.Tensor", this, other, factor);
  }
  /** `this + weight · (end − this)`. */
  lerp(end: Tensor, weight: number): Tensor {
    return dispatch("aten::lerp.Scalar", this, end, weight);
  }
  lt(other: Tensor | number): Bool {
    return this.#binary("lt", other);
  }
  gt(other: Tensor | number): Bool {
    return this.#binary("gt", other);
  }
  eq(other: Tensor | number): Bool {
    return this.#binary("eq", other);
  }
  logicalAnd(other: Bool): Bool {
    return dispatch("aten::logical_and", this, other);
  }
  pow(exponent: number): Tensor {
    return dispatch("aten::pow.Tensor_Scalar", this, exponent);
  }
  maximum(other: Tensor): Tensor {
    return dispatch("aten::maximum", this, other);
  }
  minimum(other: Tensor): Tensor {
    return dispatch("aten::minimum", this, other);
  }
  clamp(min: number | null, max: number | null): Tensor {
    return dispatch("aten::clamp", this, min, max);
  }

  neg(): Tensor {
    return dispatch("aten::neg", this);
  }
  abs(): Tensor {
    return dispatch("aten::abs", this);
  }
  square(): Tensor {
    return dispatch("aten::square", this);
  }
  sqrt(): Tensor {
    return dispatch("aten::sqrt", this);
  }
  exp(): Tensor {
    return dispatch("aten::exp", this);
  }
  log(): Tensor {
    return dispatch("aten::log", this);
  }
  sin(): Tensor {
    return dispatch("aten::sin", this);
  }
  cos(): Tensor {
    return dispatch("aten::cos", this);
  }
  sigmoid(): Tensor {
    return dispatch("aten::sigmoid", this);
  }
  relu(): Tensor {
    return dispatch("aten::relu", this);
  }
  silu(): Tensor {
    return dispatch("aten::silu", this);
  }
  /** Exact (erf) GELU. */
  gelu(): Tensor {
    return dispatch("aten::gelu", this);
  }
  tanh(): Tensor {
    return dispatch("aten::tanh", this);
  }
  softmax(dim: number): Tensor {
    return dispatch("aten::softmax.int", this, dim);
  }
  logSoftmax(dim: number): Tensor {
    return dispatch("aten::log_softmax.int", this, dim);
  }

  /** Sums over `dims`, or over everything. */
  sum(dims?: readonly number[], { keepDim = false } = {}): Tensor {
    return dims
      ? dispatch("aten::sum.dim_IntList", this, dims, keepDim)
      : dispatch("aten::sum", this);
  }
  mean(dims?: readonly number[], { keepDim = false } = {}): Tensor {
    return dims ? dispatch("aten::mean.dim", this, dims, keepDim) : dispatch("aten::mean", this);
  }
  max(): Tensor {
    return dispatch("aten::max", this);
  }
  /** The index of the largest element along `dim`. */
  argmax(dim: number): Int {
    return dispatch("aten::argmax", this, dim);
  }
  /** Euclidean length of all elements together. */
  norm(): Float<""> {
    return dispatch("aten::norm.Scalar", this);
  }
  matmul(other: Tensor): Tensor {
    return dispatch("aten::matmul", this, other);
  }

  reshape(shape: readonly number[]): Tensor {
    return dispatch("aten::reshape", this, shape);
  }
  permute(axes: readonly number[]): Tensor {
    return dispatch("aten::permute", this, axes);
  }
  transpose(a: number, b: number): Tensor {
    return dispatch("aten::transpose.int", this, a, b);
  }
  unsqueeze(dim: number): Tensor {
    return dispatch("aten::unsqueeze", this, dim);
  }
  squeeze(dim: number): Tensor {
    return dispatch("aten::squeeze.dim", this, dim);
  }
  expand(shape: readonly number[]): Tensor {
    return dispatch("aten::expand", this, shape);
  }
  /** Repeats every slice along `dim` `times` times in place: a a b b. */
  repeatInterleave(times: number, dim: number): Tensor {
    return dispatch("aten::repeat_interleave.self_int", this, times, dim);
  }
  /** Elements `start` … `start + length` − 1 along `dim`, as a view. */
  narrow(dim: number, start: number, length: number): Tensor {
    return dispatch("aten::narrow", this, dim, start, length);
  }
  select(dim: number, index: number): Tensor {
    return dispatch("aten::select.int", this, dim, index);
  }
  /** The slices of `dim` that `indices` names. */
  indexSelect(dim: number, indices: Int<"n">): Tensor {
    return dispatch("aten::index_select", this, dim, indices);
  }
  chunk(count: number, dim: number): Tensor[] {
    return dispatchMany("aten::chunk", this, count, dim);
  }
  contiguous(): Tensor {
    return dispatch("aten::contiguous", this);
  }
  /** The same values, laid out with channels innermost: what convolutions run fastest on. */
  channelsLast(): Tensor {
    return dispatch("aten::contiguous", this, 2);
  }
  to(dtype: DType): Tensor {
    return dispatch("aten::to.dtype", this, dtypeCode(dtype));
  }
  /** A copy on `device` (`cpu`, `cuda:0`), or the tensor itself where it is there already. */
  toDevice(device: string): Tensor {
    if (device === this.device) return this;
    return dispatch("aten::to.device", this, device, dtypeCode(this.dtype));
  }
  clone(): Tensor {
    return dispatch("aten::clone", this);
  }
  /** Reinterprets the bytes of the last axis as `dtype`. */
  viewAs(dtype: DType): Tensor {
    return dispatch("aten::view.dtype", this, dtypeCode(dtype));
  }

  /** Overwrites the values in place. */
  copyFrom(source: Tensor): this {
    this.#inPlace("aten::copy_", source);
    return this;
  }
  /** `this ← this · factor + other · otherFactor`, in place. */
  blendInPlace(other: Tensor, factor: number, otherFactor: number): this {
    this.#inPlace("aten::mul_.Scalar", factor);
    this.#inPlace("aten::add_.Tensor", other, otherFactor);
    return this;
  }
  #inPlace(name: string, ...args: Argument[]): void {
    door().release([dispatchRaw(name, this, ...args) as number]);
  }

  /** The same values outside the autograd graph. */
  detach(): Tensor {
    return dispatch("aten::detach", this);
  }
  /** Marks a leaf as something to differentiate by. */
  setRequiresGrad(wanted: boolean): this {
    door().setRequiresGrad(this.handle, wanted);
    return this;
  }
  /** The gradient that `backward` accumulated, if any. */
  get grad(): Tensor | null {
    const handle = door().gradient(this.handle);
    return handle === null ? null : new Tensor(handle);
  }
  clearGrad(): void {
    door().setGradient(this.handle, null);
  }
  /** Adds d(this)/d(leaf) to every leaf's `grad`; `gradient` is needed unless this is a scalar. */
  backward(gradient?: Tensor, { retainGraph = false } = {}): void {
    door().backward(this.handle, gradient?.handle ?? null, retainGraph);
  }

  /** The value of a one-element tensor. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`expected one element, got shape [${this.shape.join(" ")}]`);
    if (this.dtype === "float32") return new Float32Array(this.toBytes())[0] as number;
    return new Float64Array(this.to("float64").toBytes())[0] as number;
  }
  /** All values, row-major, as float32. */
  toFloat32Array(): Float32Array {
    const converted = this.dtype === "float32" ? this : this.to("float32");
    return new Float32Array(converted.toBytes());
  }
  /** The raw bytes, row-major, in this tensor's dtype. */
  toBytes(): ArrayBuffer {
    return door().toBytes(this.handle);
  }
}
