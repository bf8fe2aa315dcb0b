// Balls on which a class keeps the most votes of a machine of pairs, though it does not win all of its own pairs. Not
// here: the pairs' own radii (certify.ts).

/**
 * The largest radius at which class `c` of `many` has provably more votes than any other; 0 where there is none. `radii`
 * is many x many, row-major: within radii[a * many + b] class a provably wins its pair with b, 0 where that is not proved.
 *
 * Within r, let L be the pairs that c provably wins, and U_j the pairs of class j that it does not provably lose, own
 * ones with c among them. Whatever the open pairs do, c has at least L votes and j at most U_j: c is decided for when
 * L > U_j for all j, without a tie to be broken. If c wins all its pairs, L = many - 1 and each U_j <= many - 2. Smaller
 * balls have fewer open pairs, so the condition holds up to one of the radii given, and that one is returned.
 */
export function votesRadius(c: number, many: number, radii: Float64Array): number {
  const classes = Array.from({ length: many }, (_, j) => j);
  const wins = (a: number, b: number, r: number) => (radii[a * many + b] ?? 0) >= r;
  const holds = (r: number) => {
    const least = classes.filter((j) => j !== c && wins(c, j, r)).length;
    const most = classes
      .filter((j) => j !== c)
      .map((j) => many - 1 - classes.filter((i) => i !== j && wins(i, j, r)).length);
    return most.every((votes) => least > votes);
  };
  const candidates = [...new Set(radii)].filter((r) => r > 0).sort((a, b) => b - a);
  return candidates.find(holds) ?? 0;
}
