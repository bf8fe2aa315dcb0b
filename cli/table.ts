// Aligned plain-text tables, and numbers as the tables show them. Certified radii are rounded down, certified
// accuracies too; everything else to nearest. Not here: what is shown (each command's file).
import { formatRadius } from "ntkit";

/** Columns of the rows padded to equal width and two spaces apart; "l" and "r" say to which side. */
export function alignRows(rows: readonly (readonly string[])[], sides: string): string {
  const widths = Array.from(sides, (_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return sides[column] === "r" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** A header, a rule and rows. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], sides: string): string {
  const widths = Array.from(sides, (_, k) => Math.max(...[header, ...rows].map((row) => (row[k] ?? "").length)));
  return alignRows([header, widths.map((width) => "-".repeat(width)), ...rows], sides);
}

/** "12,665". */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Figures of training to four digits, counts in full. */
export function figure(value: number): string {
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

/** "3.300e-5": four digits, rounded down, so that what is shown is certified. */
export function radius(value: number | null): string {
  if (value === null) return "-";
  return value > 0 ? Number(formatRadius(value, 4)).toExponential(3) : "0";
}

/** "4.030e-6": four digits, to nearest; for figures that nobody certifies. */
export function scientific(value: number | null): string {
  if (value === null) return "-";
  return value === 0 ? "0" : value.toExponential(3);
}

/** "99.95%", the paper's four digits. */
export function percent(share: number | null): string {
  return share === null ? "-" : `${(100 * share).toFixed(2)}%`;
}

/** "99.95%", rounded down. */
export function percentDown(share: number): string {
  return `${(Math.floor(share * 1e4 + 1e-9) / 100).toFixed(2)}%`;
}

/** "99.96%", rounded up: for upper bounds. */
export function percentUp(share: number): string {
  return `${(Math.ceil(share * 1e4 - 1e-9) / 100).toFixed(2)}%`;
}

export function seconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
