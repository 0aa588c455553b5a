// Pictures of things that no model knows, drawn in the page's own browser: each kind has its shape, each picture its place, size and colors.
import type { Page } from "@playwright/test";

export interface DrawnPicture {
  readonly name: string;
  readonly mimeType: "image/png";
  readonly buffer: Buffer;
}

/** "blip" is a ring with three spokes, "zorp" a zigzag with two dots. The same kind and number are the same bytes. */
export async function drawPictures(
  page: Page,
  kind: "blip" | "zorp",
  numbers: readonly number[],
): Promise<DrawnPicture[]> {
  const encoded = await page.evaluate(
    async ([kind, numbers]) => {
      const drawn: string[] = [];
      for (const number of numbers) {
        const canvas = new OffscreenCanvas(192, 192);
        const context = canvas.getContext("2d");
        if (context === null) throw new Error("no canvas");
        const random = (salt: number): number => Math.abs(Math.sin(number * 12.9898 + salt * 78.233) * 43758.5453) % 1;
        context.fillStyle = `hsl(${random(1) * 360} 35% ${82 + random(2) * 12}%)`;
        context.fillRect(0, 0, 192, 192);
        context.translate(80 + random(3) * 32, 80 + random(4) * 32);
        context.rotate((random(5) - 0.5) * 0.7);
        const size = 42 + random(6) * 18;
        context.lineWidth = 9;
        context.strokeStyle = context.fillStyle = kind === "blip" ? "#8a1c5b" : "#0d5c46";
        context.beginPath();
        if (kind === "blip") {
          context.arc(0, 0, size, 0, Math.PI * 2);
          for (let spoke = 0; spoke < 3; spoke++) {
            context.moveTo(0, 0);
            context.lineTo(size * Math.cos((spoke * 2 * Math.PI) / 3), size * Math.sin((spoke * 2 * Math.PI) / 3));
          }
        } else {
          for (let corner = 0; corner <= 4; corner++)
            context.lineTo(-size + (corner * size) / 2, corner % 2 === 0 ? size / 2 : -size / 2);
        }
        context.stroke();
        if (kind === "zorp")
          for (const x of [-size / 2, size / 2]) {
            context.beginPath();
            context.arc(x, size, 9, 0, Math.PI * 2);
            context.fill();
          }
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
        drawn.push(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      }
      return drawn.map((binary) => btoa(binary));
    },
    [kind, numbers] as const,
  );
  return encoded.map((base64, index) => ({
    name: `${kind}-${numbers[index] ?? 0}.png`,
    mimeType: "image/png",
    buffer: Buffer.from(base64, "base64"),
  }));
}
