// Certificates with an attack beside them: certified radius < unknown < radius of the nearest adversarial input found.
// A certificate above an attack is a contradiction, and never passed over. Not here: certificates (certify.ts), attacks.
import { SoundnessError } from "../errors.js";
import { describe } from "../validate.js";
import { type AttackedSample, type AttackOptions, type AttackPlan, checkAttack } from "./attacks/attack.js";
import type { Certificate, CertifyOptions } from "./certify.js";
import { offsetOf } from "./method.js";

/** How to attack; what is attacked follows from the certificate. */
export type AttackChoices = Pick<
  AttackOptions,
  "method" | "restarts" | "steps" | "step" | "schedule" | "momentum" | "tolerance" | "limit"
>;

/** The attack that belongs to certificates with these options. @throws TypeError */
export function attackOptions(options: CertifyOptions): AttackOptions {
  const { runtime, signal, onProgress, norm, domain, samples, seed, shard, attack } = options;
  if (typeof attack !== "boolean" && (typeof attack !== "object" || attack === null))
    throw new TypeError(`attack: expected true, false or an object, got ${describe(attack)}`);
  const choices = typeof attack === "object" ? attack : {};
  // What the certificate is about: f_0 kept at the centre, but for the methods that bound the difference itself.
  const offset = offsetOf(options.method);
  return { ...choices, runtime, signal, onProgress, norm, domain, samples, seed, shard, offset };
}

/** The attack's settings as a report states them. */
export function attackPlan(
  options: CertifyOptions,
  d: number,
): Omit<AttackPlan, "norm" | "domain" | "seed" | "offset"> {
  const { norm, domain, seed, offset, ...plan } = checkAttack(attackOptions(options), d);
  return plan;
}

/** One certificate with what the attack found. @throws SoundnessError */
function laidBeside(certificate: Certificate, attacked: AttackedSample): Certificate {
  const { index, radius, seconds, ...rest } = certificate;
  if (index !== attacked.index)
    throw new Error(`attack: expected row ${index} beside its certificate, got row ${attacked.index}`);
  const { radius: attackRadius, adversarial } = attacked;
  if (attackRadius !== null && rest.prediction !== 0 && radius >= attackRadius)
    throw new SoundnessError(index, radius, attackRadius);
  const ratio = attackRadius === null ? null : radius / attackRadius;
  return { index, ...rest, radius, attackRadius, ratio, adversarial, seconds };
}

/** Certificates with the attack on the same rows beside them. @throws SoundnessError */
export async function* besideAttack(
  certificates: AsyncGenerator<Certificate, void, undefined>,
  attacked: AsyncGenerator<AttackedSample, void, undefined>,
): AsyncGenerator<Certificate, void, undefined> {
  try {
    for await (const certificate of certificates) {
      const next = await attacked.next();
      if (next.done === true) throw new Error(`attack: it ended before row ${certificate.index}`);
      yield laidBeside(certificate, next.value);
    }
  } finally {
    await attacked.return();
  }
}
