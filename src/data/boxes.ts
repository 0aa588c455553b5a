// Boxes in texts, as LLaVA's data writes them: [x1, y1, x2, y2], each between 0 and 1 of the picture's sides. Pure.

interface Box {
  /** As it stands in the text. */
  readonly text: string;
  readonly outside: boolean;
  /** A left side right of the right one, or a top below the bottom. */
  readonly reversed: boolean;
}

const number = String.raw`\s*(-?(?:\d+(?:\.\d*)?|\.\d+))\s*`;
const four = new RegExp(String.raw`\[${[number, number, number, number].join(",")}\]`, "g");

/** The boxes of a text. Lists of whole numbers are none, unless they are zeros and ones: they may be pixels, or anything. */
export function findBoxes(text: string): Box[] {
  if (!text.includes("[")) return [];
  return [...text.matchAll(four)].flatMap(([whole, ...sides]): Box[] => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = sides.map(Number);
    const values = [x1, y1, x2, y2];
    const decimals = sides.filter((side) => side.includes(".")).length;
    const isUnit = values.every((value) => value === 0 || value === 1);
    if (decimals < 2 && !isUnit) return [];
    return [{ text: whole, outside: values.some((value) => value < 0 || value > 1), reversed: x1 > x2 || y1 > y2 }];
  });
}
