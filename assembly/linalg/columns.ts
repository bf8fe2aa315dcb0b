// Vector operations on a few interleaved vectors (entry i of vector v at [i * vectors + v]), each vector with its own
// scalar: what conjugate gradients in lockstep needs. One order of summation, on one thread.
// Not here: products with matrices.

/** out[v] = <a_v, b_v>. */
export function columnDots(n: i32, vectors: i32, a: usize, b: usize, out: usize): void {
  memory.fill(out, 0, <usize>vectors << 3);
  for (let i: usize = 0; i < <usize>n; ++i) {
    for (let v: usize = 0; v < <usize>vectors; ++v) {
      const at = (i * vectors + v) << 3;
      const to = out + (v << 3);
      store<f64>(to, load<f64>(to) + load<f64>(a + at) * load<f64>(b + at));
    }
  }
}

/** y_v += scalars[v] x_v. */
export function columnAxpy(n: i32, vectors: i32, scalars: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < <usize>n; ++i) {
    for (let v: usize = 0; v < <usize>vectors; ++v) {
      const at = (i * vectors + v) << 3;
      store<f64>(y + at, load<f64>(y + at) + load<f64>(scalars + (v << 3)) * load<f64>(x + at));
    }
  }
}

/** y_v = x_v + scalars[v] y_v. */
export function columnXpay(n: i32, vectors: i32, scalars: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < <usize>n; ++i) {
    for (let v: usize = 0; v < <usize>vectors; ++v) {
      const at = (i * vectors + v) << 3;
      store<f64>(y + at, load<f64>(x + at) + load<f64>(scalars + (v << 3)) * load<f64>(y + at));
    }
  }
}
