// Pages of the documentation that stand elsewhere in the repository: where from, where to, and which links change. Not
// here: copying them (docs.mjs).

export const COPIED = [
  { from: "bench/RESULTS.md", to: "bench/RESULTS.md" },
  { from: "bench/README.md", to: "bench/README.md" },
  { from: "bench/peers/README.md", to: "bench/peers/README.md" },
  {
    from: "bench/CERTIFICATES.md",
    to: "bench/CERTIFICATES.md",
    replace: [["../docs/certificates.svg", "../certificates.svg"]],
  },
  { from: "docs/certificates.svg", to: "public/certificates.svg" },
  { from: "web/shared/icon.svg", to: "public/icon.svg" },
  { from: "ARCHITECTURE.md", to: "project/architecture.md" },
  { from: "CHANGELOG.md", to: "project/changelog.md" },
];
