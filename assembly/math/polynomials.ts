// Polynomials in t = (1 - w) / 2, w = |u|, behind every function of the kernel, as scalars and as pairs of lanes.
// Written by scripts/polynomials.py; not edited by hand. Not here: the functions themselves (elementary.ts).
// Even and odd powers run as two Horner chains, in the same order in both forms, so both give the same bits; the
// constant comes last, so that little more than its own rounding is left.

/** -u of the zero of h, -0.39423486867274662474, as high + low. */
export const GAP_ZERO_HIGH: f64 = 0.39423486867274665;
export const GAP_ZERO_LOW: f64 = -2.7501699709515726e-17;
/** -u of the zero of h' (the minimum of h), -0.7940998648103225193, as high + low. */
export const SLOPE_ZERO_HIGH: f64 = 0.7940998648103225;
export const SLOPE_ZERO_LOW: f64 = 5.4886523563313244e-17;
/** A double below min h = -0.42973782051831611833. */
export const H_MINIMUM_BELOW: f64 = -0.4297378205183162;

// arc(t) = asin(sqrt t) / sqrt t. Relative error on [0, 1/2] of the polynomial: 6.4e-18.
const ARC_0: f64 = 1.0;
const ARC_1: f64 = 0.16666666666666616;
const ARC_2: f64 = 0.075000000000152;
const ARC_3: f64 = 0.04464285712523146;
const ARC_4: f64 = 0.03038194552436468;
const ARC_5: f64 = 0.022372118687437575;
const ARC_6: f64 = 0.017353770558111315;
const ARC_7: f64 = 0.01394720494599378;
const ARC_8: f64 = 0.011778012699157943;
const ARC_9: f64 = 0.00758177172566054;
const ARC_10: f64 = 0.02446902457333711;
const ARC_11: f64 = -0.08458119964926274;
const ARC_12: f64 = 0.41616195625122965;
const ARC_13: f64 = -1.4218180318389972;
const ARC_14: f64 = 3.878312067627145;
const ARC_15: f64 = -8.097162378402428;
const ARC_16: f64 = 12.830658050319302;
const ARC_17: f64 = -14.884387574231052;
const ARC_18: f64 = 11.99054929620933;
const ARC_19: f64 = -6.008042872156452;
const ARC_20: f64 = 1.4326072705765098;

// @ts-ignore: decorator
@inline
export function arc(t: f64): f64 {
  const s = t * t;
  const even: f64 = ARC_2 + s * (ARC_4 + s * (ARC_6 + s * (ARC_8 + s * (ARC_10 + s * (ARC_12 + s * (ARC_14 + s * (ARC_16 + s * (ARC_18 + s * (ARC_20)))))))));
  const odd: f64 = ARC_1 + s * (ARC_3 + s * (ARC_5 + s * (ARC_7 + s * (ARC_9 + s * (ARC_11 + s * (ARC_13 + s * (ARC_15 + s * (ARC_17 + s * (ARC_19)))))))));
  return ARC_0 + (t * odd + s * even);
}

// @ts-ignore: decorator
@inline
export function arcx2(t: v128): v128 {
  const s = f64x2.mul(t, t);
  let even = f64x2.splat(ARC_20);
  even = f64x2.add(f64x2.splat(ARC_18), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_16), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_14), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_12), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_10), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_8), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_6), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_4), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(ARC_2), f64x2.mul(s, even));
  let odd = f64x2.splat(ARC_19);
  odd = f64x2.add(f64x2.splat(ARC_17), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_15), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_13), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_11), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_9), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_7), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_5), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_3), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(ARC_1), f64x2.mul(s, odd));
  return f64x2.add(f64x2.splat(ARC_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}

// gap(t) with h(-w) = sqrt(t) (GAP_ZERO - w) gap(t). Relative error on [0, 1/2] of the polynomial: 9.3e-18.
const GAP_0: f64 = 3.3016096446785035;
const GAP_1: f64 = 0.44552903768551877;
const GAP_2: f64 = 0.17783252364133462;
const GAP_3: f64 = 0.09778785996994803;
const GAP_4: f64 = 0.06287196090457772;
const GAP_5: f64 = 0.04434798163231147;
const GAP_6: f64 = 0.03325786338623194;
const GAP_7: f64 = 0.02601613702188403;
const GAP_8: f64 = 0.021418545294953927;
const GAP_9: f64 = 0.01405342631285183;
const GAP_10: f64 = 0.039952484121103006;
const GAP_11: f64 = -0.1312191529943105;
const GAP_12: f64 = 0.6527862812014108;
const GAP_13: f64 = -2.2264586547633582;
const GAP_14: f64 = 6.076602915174407;
const GAP_15: f64 = -12.687129369494519;
const GAP_16: f64 = 20.10897269002697;
const GAP_17: f64 = -23.33278239444979;
const GAP_18: f64 = 18.802925407135984;
const GAP_19: f64 = -9.425359474133163;
const GAP_20: f64 = 2.2492071483050844;

// @ts-ignore: decorator
@inline
export function gap(t: f64): f64 {
  const s = t * t;
  const even: f64 = GAP_2 + s * (GAP_4 + s * (GAP_6 + s * (GAP_8 + s * (GAP_10 + s * (GAP_12 + s * (GAP_14 + s * (GAP_16 + s * (GAP_18 + s * (GAP_20)))))))));
  const odd: f64 = GAP_1 + s * (GAP_3 + s * (GAP_5 + s * (GAP_7 + s * (GAP_9 + s * (GAP_11 + s * (GAP_13 + s * (GAP_15 + s * (GAP_17 + s * (GAP_19)))))))));
  return GAP_0 + (t * odd + s * even);
}

// @ts-ignore: decorator
@inline
export function gapx2(t: v128): v128 {
  const s = f64x2.mul(t, t);
  let even = f64x2.splat(GAP_20);
  even = f64x2.add(f64x2.splat(GAP_18), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_16), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_14), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_12), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_10), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_8), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_6), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_4), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(GAP_2), f64x2.mul(s, even));
  let odd = f64x2.splat(GAP_19);
  odd = f64x2.add(f64x2.splat(GAP_17), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_15), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_13), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_11), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_9), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_7), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_5), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_3), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(GAP_1), f64x2.mul(s, odd));
  return f64x2.add(f64x2.splat(GAP_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}

// The same with fewer terms, where bounds allow for its error. Relative error on [0, 1/2] of the polynomial: 6.8e-13.
const SHORT_GAP_0: f64 = 3.3016096446798286;
const SHORT_GAP_1: f64 = 0.4455290367908241;
const SHORT_GAP_2: f64 = 0.1778326231638948;
const SHORT_GAP_3: f64 = 0.0977835360554944;
const SHORT_GAP_4: f64 = 0.06296891680962377;
const SHORT_GAP_5: f64 = 0.04306433211573988;
const SHORT_GAP_6: f64 = 0.04405933440233444;
const SHORT_GAP_7: f64 = -0.03409621485692306;
const SHORT_GAP_8: f64 = 0.24615031509153615;
const SHORT_GAP_9: f64 = -0.5456049478434171;
const SHORT_GAP_10: f64 = 0.9245943174631067;
const SHORT_GAP_11: f64 = -0.8581939351080546;
const SHORT_GAP_12: f64 = 0.4002661075908225;

/** A tenth more than that, in units of roundoff, and room for the roundings of its evaluation. */
export const SHORT_GAP_ULPS: f64 = 6804.0;

// @ts-ignore: decorator
@inline
export function shortGap(t: f64): f64 {
  const s = t * t;
  const even: f64 = SHORT_GAP_2 + s * (SHORT_GAP_4 + s * (SHORT_GAP_6 + s * (SHORT_GAP_8 + s * (SHORT_GAP_10 + s * (SHORT_GAP_12)))));
  const odd: f64 = SHORT_GAP_1 + s * (SHORT_GAP_3 + s * (SHORT_GAP_5 + s * (SHORT_GAP_7 + s * (SHORT_GAP_9 + s * (SHORT_GAP_11)))));
  return SHORT_GAP_0 + (t * odd + s * even);
}

// @ts-ignore: decorator
@inline
export function shortGapx2(t: v128): v128 {
  const s = f64x2.mul(t, t);
  let even = f64x2.splat(SHORT_GAP_12);
  even = f64x2.add(f64x2.splat(SHORT_GAP_10), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SHORT_GAP_8), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SHORT_GAP_6), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SHORT_GAP_4), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SHORT_GAP_2), f64x2.mul(s, even));
  let odd = f64x2.splat(SHORT_GAP_11);
  odd = f64x2.add(f64x2.splat(SHORT_GAP_9), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SHORT_GAP_7), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SHORT_GAP_5), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SHORT_GAP_3), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SHORT_GAP_1), f64x2.mul(s, odd));
  return f64x2.add(f64x2.splat(SHORT_GAP_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}

// slope(t) with h'(-w) = (SLOPE_ZERO - w) slope(t) / sqrt(t). Relative error on [0, 1/2] of the polynomial: 4.0e-17.
const SLOPE_0: f64 = 2.4283616887351456;
const SLOPE_1: f64 = 0.5183259222825498;
const SLOPE_2: f64 = 0.2791896073574762;
const SLOPE_3: f64 = 0.19246813351974154;
const SLOPE_4: f64 = 0.1485360304197271;
const SLOPE_5: f64 = 0.1221642940795308;
const SLOPE_6: f64 = 0.1046119321259608;
const SLOPE_7: f64 = 0.09204864850903074;
const SLOPE_8: f64 = 0.08323043194908451;
const SLOPE_9: f64 = 0.06885353448687824;
const SLOPE_10: f64 = 0.1295471717674465;
const SLOPE_11: f64 = -0.3699985526316766;
const SLOPE_12: f64 = 2.552784189802273;
const SLOPE_13: f64 = -11.327503500681779;
const SLOPE_14: f64 = 41.56976266384821;
const SLOPE_15: f64 = -120.5440921990381;
const SLOPE_16: f64 = 277.24822949829155;
const SLOPE_17: f64 = -497.8868683603194;
const SLOPE_18: f64 = 684.724915981574;
const SLOPE_19: f64 = -696.7279197326613;
const SLOPE_20: f64 = 495.53126369361587;
const SLOPE_21: f64 = -220.52923983275792;
const SLOPE_22: f64 = 46.630592114402056;

// @ts-ignore: decorator
@inline
export function slope(t: f64): f64 {
  const s = t * t;
  const even: f64 = SLOPE_2 + s * (SLOPE_4 + s * (SLOPE_6 + s * (SLOPE_8 + s * (SLOPE_10 + s * (SLOPE_12 + s * (SLOPE_14 + s * (SLOPE_16 + s * (SLOPE_18 + s * (SLOPE_20 + s * (SLOPE_22))))))))));
  const odd: f64 = SLOPE_1 + s * (SLOPE_3 + s * (SLOPE_5 + s * (SLOPE_7 + s * (SLOPE_9 + s * (SLOPE_11 + s * (SLOPE_13 + s * (SLOPE_15 + s * (SLOPE_17 + s * (SLOPE_19 + s * (SLOPE_21))))))))));
  return SLOPE_0 + (t * odd + s * even);
}

// @ts-ignore: decorator
@inline
export function slopex2(t: v128): v128 {
  const s = f64x2.mul(t, t);
  let even = f64x2.splat(SLOPE_22);
  even = f64x2.add(f64x2.splat(SLOPE_20), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_18), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_16), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_14), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_12), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_10), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_8), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_6), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_4), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(SLOPE_2), f64x2.mul(s, even));
  let odd = f64x2.splat(SLOPE_21);
  odd = f64x2.add(f64x2.splat(SLOPE_19), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_17), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_15), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_13), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_11), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_9), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_7), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_5), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_3), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(SLOPE_1), f64x2.mul(s, odd));
  return f64x2.add(f64x2.splat(SLOPE_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}

// cap(t) with pi kappa1(-w) = t sqrt(t) cap(t). Relative error on [0, 1/2] of the polynomial: 5.6e-17.
const CAP_0: f64 = 2.6666666666666665;
const CAP_1: f64 = 0.2666666666666666;
const CAP_2: f64 = 0.08571428571430592;
const CAP_3: f64 = 0.03968253968019549;
const CAP_4: f64 = 0.02209595973962192;
const CAP_5: f64 = 0.013767477140867153;
const CAP_6: f64 = 0.009254941636202624;
const CAP_7: f64 = 0.006569341799897431;
const CAP_8: f64 = 0.004894064287029611;
const CAP_9: f64 = 0.0034279845690214;
const CAP_10: f64 = 0.005064603585643472;
const CAP_11: f64 = -0.009938480459854923;
const CAP_12: f64 = 0.05671937691317671;
const CAP_13: f64 = -0.18965281823655045;
const CAP_14: f64 = 0.5210415669273301;
const CAP_15: f64 = -1.0881676543184677;
const CAP_16: f64 = 1.7296980589541737;
const CAP_17: f64 = -2.011891866463098;
const CAP_18: f64 = 1.6276134325602885;
const CAP_19: f64 = -0.8196155370509083;
const CAP_20: f64 = 0.1972788057304496;

// @ts-ignore: decorator
@inline
export function cap(t: f64): f64 {
  const s = t * t;
  const even: f64 = CAP_2 + s * (CAP_4 + s * (CAP_6 + s * (CAP_8 + s * (CAP_10 + s * (CAP_12 + s * (CAP_14 + s * (CAP_16 + s * (CAP_18 + s * (CAP_20)))))))));
  const odd: f64 = CAP_1 + s * (CAP_3 + s * (CAP_5 + s * (CAP_7 + s * (CAP_9 + s * (CAP_11 + s * (CAP_13 + s * (CAP_15 + s * (CAP_17 + s * (CAP_19)))))))));
  return CAP_0 + (t * odd + s * even);
}

// @ts-ignore: decorator
@inline
export function capx2(t: v128): v128 {
  const s = f64x2.mul(t, t);
  let even = f64x2.splat(CAP_20);
  even = f64x2.add(f64x2.splat(CAP_18), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_16), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_14), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_12), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_10), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_8), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_6), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_4), f64x2.mul(s, even));
  even = f64x2.add(f64x2.splat(CAP_2), f64x2.mul(s, even));
  let odd = f64x2.splat(CAP_19);
  odd = f64x2.add(f64x2.splat(CAP_17), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_15), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_13), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_11), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_9), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_7), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_5), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_3), f64x2.mul(s, odd));
  odd = f64x2.add(f64x2.splat(CAP_1), f64x2.mul(s, odd));
  return f64x2.add(f64x2.splat(CAP_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}
