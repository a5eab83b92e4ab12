import { describe, expect, test } from "vitest";
import { inTurn, keep, persist, scoped, tensorScope } from "./scope.ts";
import { engineInfo } from "./settings.ts";
import { Tensor } from "./tensor.ts";

const live = (): number => engineInfo().liveTensors;

/** Tensors alive after `work` beyond those alive before. */
function left(work: () => void): number {
  const before = live();
  work();
  return live() - before;
}

describe("a tensor scope", () => {
  test("frees every tensor made in it, views and list results too", () => {
    const remaining = left(() => {
      using _ = tensorScope();
      const x = Tensor.ones([4, 4]);
      x.chunk(2, 0).map((half) => half.add(1).sum());
    });
    expect(remaining).toBe(0);
  });

  test("frees them when the work fails", () => {
    const remaining = left(() => {
      expect(() => {
        using _ = tensorScope();
        Tensor.ones([2]).add(Tensor.ones([3]));
      }).toThrow(/must match the size/);
    });
    expect(remaining).toBe(0);
  });

  test("frees the inner scope's at its end and the outer's later", () => {
    const before = live();
    const counts: number[] = [];
    {
      using _outer = tensorScope();
      Tensor.ones([1]);
      {
        using _inner = tensorScope();
        Tensor.ones([1]).add(1);
        counts.push(live() - before);
      }
      counts.push(live() - before);
    }
    counts.push(live() - before);
    expect(counts).toEqual([3, 1, 0]);
  });

  test("must close in the reverse order of opening", () => {
    const outer = tensorScope();
    const inner = tensorScope();
    expect(() => outer[Symbol.dispose]()).toThrow(/must close in the reverse order of opening/);
    inner[Symbol.dispose]();
    outer[Symbol.dispose]();
    expect(() => outer[Symbol.dispose]()).toThrow(/must close in the reverse order/);
  });

  test("can take over a tensor that no scope owned", () => {
    const x = Tensor.ones([1]);
    const remaining = left(() => {
      using scope = tensorScope();
      scope.adopt(x);
    });
    expect(remaining).toBe(-1);
  });
});

describe("keep", () => {
  test("hands a tensor to the enclosing scope, one level at a time", () => {
    const before = live();
    {
      using _outer = tensorScope();
      const sum = scoped(() => scoped(() => Tensor.ones([2]).add(1)).mul(2));
      expect(sum.toFloat32Array()).toEqual(Float32Array.of(4, 4));
      expect(live() - before).toBe(1);
    }
    expect(live() - before).toBe(0);
  });

  test("leaves alone what an outer scope owns", () => {
    const remaining = left(() => {
      using _outer = tensorScope();
      const x = Tensor.ones([2]);
      scoped(() => x);
      keep(keep(scoped(() => Tensor.ones([1]))).add(1));
    });
    // The two last kept tensors have left the outermost scope; x has not.
    expect(remaining).toBe(2);
  });
});

describe("inTurn", () => {
  test("holds at most what one step reads and what it makes", () => {
    using _ = tensorScope();
    const x = Tensor.ones([2]);
    const before = live();
    const seen: number[] = [];
    const doubled = (value: Tensor): Tensor => {
      const sum = value.add(value);
      seen.push(live() - before);
      return sum;
    };
    const result = inTurn(x, [doubled, doubled, doubled, doubled]);
    expect(result.toFloat32Array()).toEqual(Float32Array.of(16, 16));
    expect(seen).toEqual([1, 2, 2, 2]);
    expect(live() - before).toBe(1);
  });

  test("gives what it began with where there are no steps", () => {
    const x = Tensor.ones([2]);
    expect(inTurn(x, [])).toBe(x);
  });
});

describe("persist", () => {
  test("lets a tensor outlive every scope", () => {
    let weight: Tensor | undefined;
    {
      using _outer = tensorScope();
      using _inner = tensorScope();
      weight = persist(Tensor.ones([2]));
    }
    expect(weight.sum().item()).toBe(2);
  });
});
