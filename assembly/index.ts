// The compute core: everything the SDK can call, compiled once for each feature level with these same exports.
// A function whose first parameter is `chunk` is one piece of a parallel job; chunks write disjoint 32-bit words.
export { setScratch } from "./memory";
export { arccos, h, hPrime, arcCosine0, arcCosine1 } from "./math/elementary";
export { randomBelow, randomBits, randomPermutation, randomSeed, randomUnit } from "./math/random";
export { nextDown, nextUp } from "./rounding";
export { packRows } from "./kernel/pack";
export { dotRow } from "./kernel/dot";
export { kernelRow } from "./kernel/row";
export { kernelValue } from "./kernel/compose";
export { gramRow, gramTile } from "./gram/tiles";
export { gramReduce, gramStrip } from "./gram/product";
export { gramBlock, gramCombine } from "./gram/rows";
export { gatherRows, kernelApply, kernelApplyColumns, kernelBlock, kernelDiagonal } from "./gram/apply";
export { columnAxpy, columnDots, columnXpay } from "./linalg/columns";
export {
  cholesky,
  choleskyPanel,
  choleskyShifted,
  choleskySolve,
  choleskySolveColumn,
  crossSquare,
  residualBlock,
  sumShares,
  tallCorrect,
  tallTransposed,
} from "./linalg/dense";
export { householderStep, tridiagonalEigenvalue, tridiagonalEigenvalues } from "./linalg/eigenvalues";
export { householderBasis, householderVectors, tridiagonalVector } from "./linalg/eigenvectors";
export { coordinateDescent, pairDescent } from "./solver/coordinate";
export { closestPair } from "./solver/separable";
export { subgradientEpoch, subgradientEpochs } from "./solver/subgradient";
export { certifyIntervals, certifyMachine, certifyNetwork, machineBounds, machineLower, networkBounds, setThread, touchingBytes } from "./bounds/certify";
export { deepEntries } from "./bounds/deep";
export { intervalEntries } from "./bounds/interval";
export { linearEntries } from "./bounds/linear";
export { trustRegionMinimum } from "./bounds/ball";
export { curvatureEntries } from "./bounds/curvature";
export { ibpCentres, ibpSpreads } from "./bounds/centres";
export { planeBlock, planeLoss } from "./bounds/planes";
export { layersApart } from "./bounds/first-layer";
export { certifyRelaxed, relaxedBounds } from "./bounds/certify-relaxed";
export { relaxedEntries } from "./bounds/relaxed";
export { aggregateEntries } from "./bounds/aggregate";
export { isSemidefinite, semidefiniteEntries, semidefiniteMinimum } from "./bounds/semidefinite";
export { initialLayer, initialOutput, plainLayer, randomNormals } from "./network/initial";
export { networkOutputs, networkSteps } from "./network/step";
export { tangentBackward, tangentForward, tangentLast, tangentShare } from "./network/tangent";
export { descentSteps } from "./dynamics/descent";
export { denseApply, lossCurvatures, lossTerms } from "./dynamics/terms";
export { attackInput, modelGradients } from "./attack/search";
export { cornerPoint, distanceAbove, projectPoint } from "./attack/ball";
