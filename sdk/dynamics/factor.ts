// The lower Cholesky factor of a small positive definite matrix whose rows come and go one at a time: O(k^2) each.
// Not here: which rows (sliding.ts), factors of whole Gram matrices (assembly/linalg/dense.ts).

export class Factor {
  /** Row k has k + 1 entries. */
  private readonly rows: Float64Array[] = [];

  get size(): number {
    return this.rows.length;
  }

  /** L^-1 b. */
  forward(b: ArrayLike<number>): Float64Array {
    const x = new Float64Array(this.size);
    this.rows.forEach((row, i) => {
      let sum = b[i] ?? 0;
      for (let j = 0; j < i; j++) sum -= row[j]! * x[j]!;
      x[i] = sum / row[i]!;
    });
    return x;
  }

  /** L^-T b. */
  backward(b: ArrayLike<number>): Float64Array {
    const x = Float64Array.from(b);
    for (let i = this.size - 1; i >= 0; i--) {
      const row = this.rows[i]!;
      const value = x[i]! / row[i]!;
      x[i] = value;
      for (let j = 0; j < i; j++) x[j] = x[j]! - row[j]! * value;
    }
    return x;
  }

  /** Adds a last row: `half` is L^-1 of its products with the rows before, `pivot` > 0 what is left of its own square. */
  append(half: Float64Array, pivot: number): void {
    const row = new Float64Array(this.size + 1);
    row.set(half);
    row[this.size] = Math.sqrt(pivot);
    this.rows.push(row);
  }

  /** Takes row and column k out; plane rotations bring the rows below back to triangular form. */
  remove(k: number): void {
    this.rows.splice(k, 1);
    for (let i = k; i < this.size; i++) {
      const pivot = this.rows[i]!;
      const length = Math.hypot(pivot[i]!, pivot[i + 1]!);
      const cos = pivot[i]! / length;
      const sin = pivot[i + 1]! / length;
      for (let below = i + 1; below < this.size; below++) {
        const row = this.rows[below]!;
        const [a, b] = [row[i]!, row[i + 1]!];
        row[i] = cos * a + sin * b;
        row[i + 1] = cos * b - sin * a;
      }
      const kept = pivot.slice(0, i + 1);
      kept[i] = length;
      this.rows[i] = kept;
    }
  }
}
