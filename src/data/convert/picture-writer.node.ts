// What becomes of pictures when data changes its place: names from the new folder, files written for embedded ones, or all of them embedded.
import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pictureKind } from "#formats/picture-file.ts";
import type { PictureRef } from "#samples/sample.ts";
import { besideTarget } from "#convert/package/half-written.node.ts";
import type { DataFile, PictureFile } from "#data/data-file.ts";
import { isAddress } from "#data/find-picture.node.ts";
import { exists, removeFiles } from "#data/output.node.ts";
import { inData } from "#data/picture-state.ts";
import { namesFrom } from "#data/picture-place.node.ts";

interface PictureWriterOptions {
  readonly file: DataFile;
  /** Whole path of the folder of the file that is written. */
  readonly outFolder: string;
  /** Whole path of the folder for pictures that are no files yet. */
  readonly pictures: string;
  /** Embed every picture. */
  readonly inline: boolean;
}

interface PictureCounts {
  readonly written: number;
  readonly embedded: number;
  readonly renamed: number;
  /** Not found, so that the name stays as it is. */
  readonly missing: number;
  /** Embedded in the data, but no base64. */
  readonly broken: number;
}

/** Writes pictures while a file is converted; `undo` removes what it has written. */
export class PictureWriter {
  private readonly options: PictureWriterOptions;
  private readonly names: ReturnType<typeof namesFrom>;
  /** Of pictures in a zip: from their name in the data to the written one. */
  private readonly zipped = new Map<string, string>();
  private readonly wrote: string[] = [];
  private readonly absent = new Set<string>();
  private embedded = 0;
  private broken = 0;
  constructor(options: PictureWriterOptions) {
    this.options = options;
    this.names = namesFrom(options.file, options.outFolder, { lookUp: true });
  }

  get counts(): PictureCounts {
    const { embedded, broken } = this;
    const missing = this.names.missing + this.absent.size;
    return { written: this.wrote.length, embedded, broken, renamed: this.names.changed, missing };
  }

  /** What the picture is called in the new file. */
  async nameOf(ref: PictureRef): Promise<string> {
    const { file, inline } = this.options;
    if (ref.kind === "data") return this.placeData(ref);
    if (isAddress(ref.name)) return ref.name;
    if (file.folder !== undefined && !inline) {
      await this.names.find([ref.name]);
      return this.names.rename(ref.name);
    }
    const known = this.zipped.get(ref.name);
    if (known !== undefined && !inline) return known;
    const found = await file.findPicture(ref.name);
    if (found === undefined) {
      this.absent.add(ref.name);
      return ref.name;
    }
    if (inline) return this.embed(found);
    const name = await this.write(found);
    this.zipped.set(ref.name, name);
    return name;
  }

  undo(): Promise<void> {
    return removeFiles(this.wrote);
  }

  private async placeData(ref: PictureRef & { readonly kind: "data" }): Promise<string> {
    const picture = inData(ref);
    if (picture === "no-base64") {
      this.broken++;
      return `data:application/octet-stream;base64,${ref.base64}`;
    }
    return this.options.inline ? this.embed(picture) : this.write(picture);
  }

  private async embed(picture: PictureFile): Promise<string> {
    const bytes = await picture.read(0, picture.bytes);
    this.embedded++;
    return `data:${typeOf(bytes)};base64,${Buffer.from(bytes).toString("base64")}`;
  }

  /** Under a name made of the content, so that a picture is written once. */
  private async write(picture: PictureFile): Promise<string> {
    const { outFolder, pictures } = this.options;
    const bytes = await picture.read(0, picture.bytes);
    const kind = pictureKind(bytes);
    const extension = kind === "jpeg" ? "jpg" : kind === "unknown" ? "bin" : kind;
    const path = join(pictures, `${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}.${extension}`);
    if (!(await exists(path))) {
      await mkdir(pictures, { recursive: true });
      const temporary = besideTarget(path, "new");
      await writeFile(temporary, bytes);
      await rename(temporary, path);
      this.wrote.push(path);
    }
    return relative(outFolder, path).replaceAll("\\", "/");
  }
}

function typeOf(bytes: Uint8Array): string {
  const kind = pictureKind(bytes);
  return kind === "unknown" ? "application/octet-stream" : `image/${kind === "ico" ? "x-icon" : kind}`;
}
