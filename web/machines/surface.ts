// A decision surface as colours: paper where g is 0, the colour of +1 or -1 where |g| reaches 1. Not here: its values.

type Colour = readonly [number, number, number];

/** Share of the class's colour at |g| >= 1. */
const FULL = 0.62;

/** The colour that a custom property of the theme stands for. */
function themeColour(element: Element, name: string): Colour {
  const text = getComputedStyle(element).getPropertyValue(name).trim();
  const digits = /^#([0-9a-f]{6})$/i.exec(text)?.[1] ?? "808080";
  return [0, 2, 4].map((k) => Number.parseInt(digits.slice(k, k + 2), 16)) as unknown as Colour;
}

/** Paints size x size values; `element` knows the theme. Without values the canvas is paper. */
export function paintSurface(
  canvas: HTMLCanvasElement,
  values: Float64Array | undefined,
  size: number,
  element: Element,
): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const [paper, plus, minus] = ["--paper", "--plus", "--minus"].map((name) => themeColour(element, name)) as [
    Colour,
    Colour,
    Colour,
  ];
  canvas.width = size;
  canvas.height = size;
  const image = context.createImageData(size, size);
  for (let k = 0; k < size * size; k++) {
    const g = values?.[k] ?? 0;
    const share = FULL * Math.min(1, Math.abs(g));
    const colour = g > 0 ? plus : minus;
    for (let c = 0; c < 3; c++)
      image.data[4 * k + c] = Math.round((1 - share) * (paper[c] ?? 0) + share * (colour[c] ?? 0));
    image.data[4 * k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
