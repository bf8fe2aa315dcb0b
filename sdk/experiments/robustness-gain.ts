// What Table 3 of the paper says of robustness, judged by certificates and attacks: how many times farther one machine
// can be trusted than another. A ratio of loose certificates says little; between certificate and attack lies the truth.
// Not here: the machines and their radii (certify/), the paper's figures (the command line).
import { checkNumber, checkObject } from "../validate.js";

/** Mean radii of one machine over its correctly classified samples. */
export interface MeanRadii {
  /** Proved: no adversarial input is nearer on average. > 0. */
  readonly certified: number;
  /** Found: an adversarial input this far on average, for every correctly classified sample. >= certified. */
  readonly attacked: number;
}

export interface RobustnessGain {
  /** Ratio of the certified means. */
  readonly certified: number;
  /** Ratio of the attacked means. */
  readonly attacked: number;
  /** Between these the ratio of the true mean radii lies. */
  readonly least: number;
  readonly most: number;
}

function check(name: string, value: unknown): MeanRadii {
  const given = checkObject(name, value);
  const certified = checkNumber(`${name}.certified`, given.certified, { min: 0, open: true });
  return { certified, attacked: checkNumber(`${name}.attacked`, given.attacked, { min: certified }) };
}

/** How many times larger the radii of `robust` are than those of `plain`. @throws TypeError, RangeError */
export function robustnessGain(plain: MeanRadii, robust: MeanRadii): RobustnessGain {
  const [from, to] = [check("plain", plain), check("robust", robust)];
  return {
    certified: to.certified / from.certified,
    attacked: to.attacked / from.attacked,
    least: to.certified / from.attacked,
    most: to.attacked / from.certified,
  };
}
